/* SPDX-License-Identifier: ISC
 *
 * A connection to a mail server as libetpan reads it: our own mailstream driver, because
 * libetpan's verifies no certificate, spins on a close and dies on descriptors over 1023.
 * TLS by GnuTLS, chain and host name verified, TLS 1.2 at least. Every wait has a deadline and
 * runs the owner's wait function, so that other work goes on while the server is slow. All
 * bytes from the server are untrusted; from an IMAP server only what imap_gate.h lets through
 * is read. One thread at a time. */
#ifndef MAILFILTER_STREAM_H
#define MAILFILTER_STREAM_H

#include <libetpan/mailstream.h>

#include "common/buf.h"

#include "mailfilter/settings.h"

struct stream;

enum {
	STREAM_BUFFER_SIZE = 8192, /* libetpan moves the rest of it at each line */
	STREAM_RATE_MIN = 500,     /* bytes a second; slower, and the time runs out */
	STREAM_CONNECT_MS = 30000,
	STREAM_PACE_MS = 500, /* a wait for the account's rate is no longer at once */
	STREAM_SLACK = 1024 * 1024, /* a message may be larger than message_max by this */
};

/* Wait until fd is ready for events (poll(2)) or clock_ms() passes deadline_ms, doing other work
 * meanwhile. 1: ready, 0: deadline, -1: stop, with err. With fd -1 only the deadline counts, but 1
 * may come earlier. */
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
 * login is sent. The account must outlive the stream. */
int stream_connect(const struct account_settings *account, const struct stream_wait *wait,
	struct stream **stream_r, struct err *err);

/* For STARTTLS and STLS: after the server's OK. Bytes received before it in plain text end the
 * session (injection). Errors as above. */
int stream_start_tls(struct stream *stream, struct err *err);

/* The libetpan stream over it, owned by the stream. Its read fails at the end of the connection,
 * at a deadline and where the gate refuses; stream_why says which. */
mailstream *stream_mailstream(struct stream *stream);

/* The time for one answer starts now: account->timeout_ms from here. Each byte received buys
 * 1/STREAM_RATE_MIN seconds more, but never more than timeout_ms from then. */
void stream_begin(struct stream *stream);

/* What is under way may take max_ms at most from now. */
void stream_hurry(struct stream *stream, int64_t max_ms);

/* While the owner itself waits (its window is full), clocks stand still. */
void stream_pause(struct stream *stream);
void stream_resume(struct stream *stream);

/* From an IMAP server in IDLE: nothing but a "+" and what is tagged is read until this is taken back;
 * all else is dropped, after it was counted (stream_news). */
void stream_set_idle(struct stream *stream, bool idle);

/* So many times the server has said so far that its folder changed. */
uint64_t stream_news(const struct stream *stream);

/* In IDLE: until that number is above seen (1), or the deadline has passed or this wait function
 * says so before (0). What is buffered here or in TLS is taken before the socket is waited for. -1:
 * the session is lost. */
int stream_idle(struct stream *stream, uint64_t seen, int64_t deadline_ms,
	const struct stream_wait *wait);

/* From an IMAP server: such responses go to this buffer from now on (imap_gate.h). */
void stream_take_lists(struct stream *stream, const char *response, struct buf *lists);

/* Refuse to read or write any more, for this reason, unless there is one already. */
void stream_stop(struct stream *stream, const struct err *why);

/* Why the last read or write failed; ERR_SESSION if nothing better is known. Returns -1. */
int stream_why(const struct stream *stream, struct err *err);

void stream_close(struct stream *stream);

#endif
