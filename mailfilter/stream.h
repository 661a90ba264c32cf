/* SPDX-License-Identifier: ISC
 *
 * A connection to a mail server as libetpan reads it: our own mailstream driver, because
 * libetpan's verifies no certificate, spins on a close and dies on descriptors over 1023.
 * TLS by GnuTLS, chain and host name verified, TLS 1.2 at least. Every wait has a deadline and
 * runs the owner's wait function, so that other work goes on while the server is slow. All
 * bytes from the server are untrusted. */
#ifndef MAILFILTER_STREAM_H
#define MAILFILTER_STREAM_H

#include <libetpan/mailstream.h>

#include "mailfilter/settings.h"

struct stream;

enum {
	STREAM_LINE_MAX = 64 * 1024, /* outside literals; a longer one ends the session */
	STREAM_RATE_MIN =
		64, /* bytes a second over STREAM_RATE_WINDOW_MS, else too slow */
	STREAM_RATE_WINDOW_MS = 60000,
	STREAM_CONNECT_MS = 30000,
};

/* Wait until fd is ready for events (poll(2)) or clock_ms() passes deadline_ms, doing other work
 * meanwhile. 1: ready, 0: deadline, -1: stop, with err. */
struct stream_wait {
	int (*wait)(
		void *arg, int fd, short events, int64_t deadline_ms, struct err *err);
	void *arg;
};

/* Waits with poll(2) alone. */
extern const struct stream_wait stream_wait_plain;

/* Resolve and connect to the account's host and port; with SOURCE_IMAPS and SOURCE_POP3S the TLS
 * handshake too. Unknown host, refused or no answer: ERR_SESSION; a certificate that does not
 * verify: ERR_ACCOUNT with the reason (unknown issuer, wrong host, expired) before a byte of the
 * login is sent. */
int stream_connect(const struct account_settings *account, const struct stream_wait *wait,
	struct stream **stream_r, struct err *err);

/* For STARTTLS and STLS: after the server's OK. Bytes received before it in plain text end the
 * session (injection). Errors as above. */
int stream_start_tls(struct stream *stream, struct err *err);

/* The libetpan stream over it, owned by the stream. */
mailstream *stream_mailstream(struct stream *stream);

/* The time for one answer starts now: account->timeout_ms from here. Literal data moves it on as
 * long as it flows at STREAM_RATE_MIN. */
void stream_begin(struct stream *stream);

/* While the owner itself waits (its window is full), clocks stand still. */
void stream_pause(struct stream *stream);
void stream_resume(struct stream *stream);

/* Are line caps on (IMAP responses) or off (POP3 bodies are capped by their own reader)? */
void stream_cap_lines(struct stream *stream, bool on);

/* Why the last read or write failed; ERR_SESSION if nothing better is known. Returns -1. */
int stream_why(const struct stream *stream, struct err *err);

void stream_close(struct stream *stream);

#endif
