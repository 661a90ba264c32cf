/* SPDX-License-Identifier: ISC
 *
 * Where something stands in a message: a part, or what stands before or behind the parts of a
 * multipart. Each is named in a finding, and can be cut alone. A place is a number: the index of
 * a part, then as many for what stands before their parts, then behind. Pure. */
#ifndef SCANNER_PLACE_H
#define SCANNER_PLACE_H

#include "common/mime.h"
#include "common/verdict.h"

enum {
	PLACE_ROOT = 0 /* parents come before children: index 0 is the root */
};

size_t place_count(const struct mime *mime);

/* Its bytes: of a part with its header. Empty where there is nothing. */
void place_range(const struct mime *mime, size_t place, size_t *start_r, size_t *end_r);

/* SHA-256 of what somebody has who saves it: a leaf decoded, the root as the whole message, anything
 * else as it stands there. */
int place_hash(struct span message, const struct mime *mime, size_t place,
	struct hash *hash_r, struct err *err);

/* The part that holds it; the root is its own. */
size_t place_parent(const struct mime *mime, size_t place);

/* Nothing but itself? */
bool place_is_leaf(const struct mime *mime, size_t place);

/* A part's path, or that of its multipart and "PREAMBLE" or "EPILOGUE". */
void place_name(
	const struct mime *mime, size_t place, char name[static FINDING_PART_MAX]);

/* The place of this name; the root where there is none. */
size_t place_find(const struct mime *mime, const char *name);

/* The smallest one that holds these bytes; line ends around them do not count. */
size_t place_of(const struct mime *mime, struct span message, size_t start, size_t end);

/* A find that belongs to more than one part may be what was found in one of them: cut that first,
 * the scan of what remains will tell. Drops the others from the verdict. */
int place_prune(const struct mime *mime, struct verdict *verdict, struct err *err);

#endif
