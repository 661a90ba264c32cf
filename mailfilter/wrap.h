/* SPDX-License-Identifier: ISC
 *
 * Sentences as paragraphs for a terminal, at most 80 columns wide. A character counts as one column.
 * A word that is longer, as a path may be, stays whole. */
#ifndef MAILFILTER_WRAP_H
#define MAILFILTER_WRAP_H

#include "common/buf.h"

enum {
	WRAP_COLUMNS = 80
};

/* Append text, with first before its first line and rest before the others. */
int wrap_add(struct buf *out, const char *first, const char *rest, const char *text,
	struct err *err);

#endif
