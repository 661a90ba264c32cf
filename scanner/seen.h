/* SPDX-License-Identifier: ISC
 *
 * The bytes that were looked at already, by their SHA-256. Bounded: what does not fit is forgotten,
 * and looked at again. */
#ifndef SCANNER_SEEN_H
#define SCANNER_SEEN_H

#include "common/hash.h"

enum {
	SEEN_MAX = 64 * 1024
};

struct seen {
	struct hash *slots; /* zeroed: free */
	size_t size, count;
};

void seen_add(struct seen *seen, const struct hash *hash);
bool seen_has(const struct seen *seen, const struct hash *hash);
/* Forget all; accepts a zeroed one. */
void seen_done(struct seen *seen);

#endif
