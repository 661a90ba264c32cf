/* SPDX-License-Identifier: ISC
 *
 * The parts of a message that its client allows by their hash: which they are, and the message
 * without what they hold. Pure. */
#ifndef SCANNER_EXEMPT_H
#define SCANNER_EXEMPT_H

#include "common/mime.h"

#include "scanner/allowance.h"

/* Zeroed: none. */
struct exempt {
	bool *parts; /* one for each part of the message; NULL: none */
};

/* Those leaves whose decoded bytes are allowed; they are said, and known again as text. */
int exempt_find(struct span message, const struct mime *mime, struct allowance *allowance,
	struct exempt *exempt_r, struct err *err);
void exempt_done(struct exempt *exempt);

bool exempt_has(const struct exempt *exempt, size_t index);

/* Append the message with blanks for their bodies: all else stays at its place. */
int exempt_blank(const struct exempt *exempt, struct span message,
	const struct mime *mime, struct buf *copy, struct err *err);

#endif
