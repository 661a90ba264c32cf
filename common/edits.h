/* SPDX-License-Identifier: ISC
 *
 * The difference between a message and its cleaned copy: byte ranges and what stands there
 * instead. Pure. Edits that come from another process are untrusted until edits_check. */
#ifndef COMMON_EDITS_H
#define COMMON_EDITS_H

#include "common/body.h"
#include "common/buf.h"

enum {
	EDITS_MAX = 4096,
	EDIT_TEXT_MAX = 4096,
	EDITS_BYTES_MAX = 4 * 1024 * 1024,
};

struct edit {
	uint64_t offset; /* in the original */
	uint64_t length; /* bytes taken out; 0 inserts */
	struct buf text; /* put in */
};

struct edits {
	struct edit *list;
	size_t count;
	size_t size;
	size_t bytes; /* of all texts */
};

/* A zeroed struct is an empty one. */
void edits_done(struct edits *edits);

/* Add one; the text is copied. They may come in any order. Past a limit: ERR_MESSAGE. */
int edits_add(struct edits *edits, uint64_t offset, uint64_t length, struct span text,
	struct err *err);

/* Order by offset; at one offset, insertions before a removal, in the order added. */
void edits_sort(struct edits *edits);

/* Sorted, apart from each other and inside a message of this size? ERR_MESSAGE says what is
 * not. Texts must be printable ASCII, tab, CR and LF: a notice, never a payload. */
int edits_check(const struct edits *edits, uint64_t size, struct err *err);

/* Append the edited message to out; edits_check's errors. */
int edits_apply(const struct edits *edits, struct span original, struct body *out,
	struct err *err);

/* The same of a message that need not be in memory. */
int edits_apply_body(const struct edits *edits, const struct body *original,
	struct body *out, struct err *err);

/* Give the edited message piece by piece, until each returns -1. Call edits_check first. */
int edits_each(const struct edits *edits, const struct body *original,
	int (*each)(void *arg, struct span piece, struct err *err), void *arg,
	struct err *err);

#endif
