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

/* Gives it piece by piece to sink as it comes in piece by piece, cut anywhere. */
struct smtp_text {
	int (*sink)(void *arg, struct span bytes, struct err *err);
	void *arg;
	bool inside; /* of a line */
	bool cr;     /* the last byte was one: it depends on the next what it is */
};

/* All of it but its end, which smtp_text_end adds where the last line has none. -1: sink's error. */
int smtp_text_add(struct smtp_text *text, struct span piece, struct err *err);
int smtp_text_end(struct smtp_text *text, struct err *err);

/* What is said of a message before it is sent, as it comes in piece by piece. Zeroed at first. */
struct smtp_facts {
	/* Bytes without what stands at its end and without the doubled dots (RFC 1870). */
	uint64_t size;
	bool bit8; /* there are bytes that are not ASCII */
	uint8_t last;
};
void smtp_facts_add(struct smtp_facts *facts, struct span piece);
void smtp_facts_end(struct smtp_facts *facts);

bool smtp_text_is_8bit(struct span text);

#endif
