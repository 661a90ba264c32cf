/* SPDX-License-Identifier: ISC
 *
 * A connection to an SMTP or LMTP server: bytes out, lines in, each within a time of its own; plain,
 * or TLS from smtp_link_start_tls on. All that comes in is untrusted and bounded. */
#ifndef MAILFILTER_SMTP_LINK_H
#define MAILFILTER_SMTP_LINK_H

#include "common/buf.h"

#include "mailfilter/settings.h"
#include "mailfilter/stream.h"

enum {
	SMTP_LINE_MAX = 1024, /* RFC 5321 4.5.3.1.5: 512 */
	SMTP_READ_BYTES = 4096,
	SMTP_WRITE_BYTES = 64 * 1024,
};

struct smtp_link {
	int fd; /* -1: not connected */
	struct tls *tls;
	struct tls_trust *trust; /* NULL in plain text */
	const char *name;        /* of the peer, for error texts */
	struct stream_wait wait;
	int64_t timeout_ms, deadline_ms;
	uint8_t in[SMTP_READ_BYTES];
	size_t in_at, in_len;
	struct buf out; /* not sent yet */
	char line[SMTP_LINE_MAX];
};

/* To the account's host or socket. ERR_AGAIN. */
int smtp_link_open(struct smtp_link *link, const struct account_settings *account,
	const struct stream_wait *wait, struct err *err);
void smtp_link_close(struct smtp_link *link);

/* The handshake, with a certificate for the account's host. What came in plain text before it is an
 * error, as somebody in between may have sent it. */
int smtp_link_start_tls(
	struct smtp_link *link, const struct account_settings *account, struct err *err);

/* A new answer is waited for: timeout_ms from now. */
void smtp_link_begin(struct smtp_link *link);

/* Put bytes into the buffer, and send it when it is full; each such piece has timeout_ms, with more
 * for a slow line, but not without end. */
int smtp_link_add(struct smtp_link *link, struct span bytes, struct err *err);
int smtp_link_flush(struct smtp_link *link, struct err *err);

/* One line in link->line, without its end. A longer one, or a NUL in it, is ERR_AGAIN. */
int smtp_link_line(struct smtp_link *link, struct err *err);

/* Has the peer said something, or left, that nobody asked for? */
bool smtp_link_is_quiet(const struct smtp_link *link);

#endif
