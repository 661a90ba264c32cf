/* SPDX-License-Identifier: ISC
 *
 * Infected parts out, a notice in: bytes and findings to edits. Pure. Surgery is a splice: each
 * infected part is replaced at its own byte range, every other byte stays. Never re-serialised. */
#ifndef SCANNER_CLEAN_H
#define SCANNER_CLEAN_H

#include "common/edits.h"
#include "common/mime.h"
#include "common/verdict.h"

/* What is to go. Each finding's part names a part of the message; "" or one that is not there means
 * the whole body. level: 0 takes the part itself, n its n-th enclosing part, past the root the whole
 * body. */
struct clean_order {
	const struct finding *findings;
	size_t count;
	uint32_t level;
	const char *quarantine_id; /* for the notice; "": no copy is kept */
};

/* Plan the edits that take the findings out of message. Parts inside multipart/signed or
 * multipart/encrypted take the enclosing whole; an encoded message/rfc822 is one part anyway. Of a
 * root part the Content-* fields go and the body, other fields stay. Nested choices merge into the
 * outer one. The notice (notice.h) uses the message's line end. Status headers
 * (common/headers.h) are part of the edits; no finding, no edit. More edits than edits.h allows:
 * ERR_MESSAGE. */
int clean_plan(struct span message, const struct mime *mime,
	const struct clean_order *order, struct edits *edits_r, struct err *err);

#endif
