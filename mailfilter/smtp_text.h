/* SPDX-License-Identifier: ISC
 *
 * A message as it goes through an SMTP connection: every line ends in CR LF, a dot at its start is
 * doubled, and behind the last one SMTP_TEXT_END ends it. A lone LF ends a line in every reader's eyes
 * and becomes CR LF; a CR that ends none becomes a blank, because servers differ on what it means and
 * that is how mail is smuggled in. So CR LF . CR LF cannot come about but at the end, nor any
 * other form of it that some server takes for one. Nothing else is changed. Pure. */
#ifndef MAILFILTER_SMTP_TEXT_H
#define MAILFILTER_SMTP_TEXT_H

#include "common/buf.h"

#define SMTP_TEXT_END ".\r\n"

/* Give all of it but its end to sink, piece by piece. -1: sink's error. */
int smtp_text_write(struct span message,
	int (*sink)(void *arg, struct span bytes, struct err *err), void *arg,
	struct err *err);

/* Bytes of it without what stands at its end and without the doubled dots (RFC 1870). */
uint64_t smtp_text_size(struct span message);

/* Has it bytes that are not ASCII? */
bool smtp_text_is_8bit(struct span message);

#endif
