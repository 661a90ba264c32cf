/* SPDX-License-Identifier: ISC
 *
 * Which bytes were scanned for this message: a set of SHA-256, bounded. Line ends behind the last
 * byte do not count. One owner, emptied by its end. */
#ifndef SCANNER_SEEN_H
#define SCANNER_SEEN_H

#include "common/hash.h"

enum {
	SEEN_MAX = 32768
};

struct seen {
	struct hash *hashes; /* a table with open addressing; zeroed is free */
	size_t size, count;
};

/* A zeroed struct is an empty set. */
void seen_done(struct seen *seen);

/* Put them in. *new_r: they were not there (or the set is full, and forgets). */
int seen_add(struct seen *seen, struct span bytes, bool *new_r, struct err *err);

#endif
