/* SPDX-License-Identifier: ISC
 *
 * A stream from within, for stream.c and stream_idle.c alone. */
#ifndef MAILFILTER_STREAM_INSIDE_H
#define MAILFILTER_STREAM_INSIDE_H

#include "mailfilter/stream.h"

#include "mailfilter/imap_gate.h"
#include "mailfilter/pace.h"
#include "mailfilter/tls.h"

struct stream {
	const struct account_settings *account;
	struct stream_wait wait;
	int fd;
	struct tls *tls;         /* NULL in plain text */
	struct tls_trust *trust; /* our own, where the account brings none */
	mailstream *mailstream;
	bool gated;
	struct imap_gate gate;
	uint8_t passed[STREAM_BUFFER_SIZE + IMAP_GATE_HEAD_MAX]; /* by the gate */
	size_t passed_at, passed_len;
	int64_t deadline_ms;
	int64_t paused_ms; /* since when, or -1 */
	struct pace pace;  /* of what is received */
	struct err why;    /* of the first failure; all after it fail the same */
};

/* Bytes as they come from the wire, without waiting: 0: wait for *events_r; -1, with why. */
ssize_t stream_receive(struct stream *stream, void *data, size_t size, short *events_r);

/* Why the server ended the session: -1, with its words as why. */
int stream_bye(struct stream *stream);

#endif
