/* SPDX-License-Identifier: ISC
 *
 * The text that stands where a part was taken out. Plain ASCII; no line of it starts with what came
 * from outside, so none can be taken for a boundary or a header. Pure. */
#ifndef SCANNER_NOTICE_H
#define SCANNER_NOTICE_H

#include "common/buf.h"
#include "common/verdict.h"

enum {
	NOTICE_FINDINGS_MAX = 6, /* named; the others are counted */
};

struct notice {
	const char *eol;
	const char *quarantine_id; /* "": no copy is kept */
	const struct finding *findings;
	const size_t *chosen; /* indexes of those in what is taken out */
	size_t count;
	bool enclosing; /* more than the infected parts themselves goes */
};

/* Append the Content-* fields of a text/plain part, each with its line end. */
int notice_add_header(const struct notice *notice, struct buf *out, struct err *err);

/* Append the text, without the line end of its last line. */
int notice_add_text(const struct notice *notice, struct buf *out, struct err *err);

#endif
