/* SPDX-License-Identifier: ISC
 *
 * Infected parts out, a notice in: bytes and findings to edits. Pure. Surgery is a splice: each
 * infected part is replaced at its own byte range, every other byte stays. Never re-serialised. */
#ifndef SCANNER_CLEAN_H
#define SCANNER_CLEAN_H

#include "common/edits.h"
#include "common/mime.h"
#include "common/verdict.h"

/* Plan the edits that take the findings out of message. Each finding's part names a part of mime;
 * "" or one that is not there means the whole body. level: 0 takes the part itself, n its n-th
 * enclosing part, past the root the whole body. Parts inside multipart/signed, multipart/encrypted
 * or an encoded message/rfc822 take the enclosing whole. Of a root part the Content-* fields go
 * and the body, other fields stay. Nested choices merge into the outer one. The notice is plain
 * ASCII text with name, type, size, signature and quarantine id; it uses the message's line
 * end. Status headers (common/headers.h) are part of the edits. */
int clean_plan(struct span message, const struct mime *mime,
	const struct finding *findings, size_t finding_count, uint32_t level,
	const char *quarantine_id, struct edits *edits_r, struct err *err);

#endif
