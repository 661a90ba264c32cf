/* SPDX-License-Identifier: ISC
 *
 * Which messages were scanned and clean, by SHA-256, under one digest of signatures, engine and
 * options: with another it is empty. Clean ones only: what was found is always found anew. Bounded;
 * the oldest makes room. Everything in constant time, whatever a sender chooses. Pure. */
#ifndef SCANNER_CACHE_H
#define SCANNER_CACHE_H

#include "common/hash.h"

enum {
	CACHE_MAX = 16 * 1024 * 1024 /* messages */
};

struct cache_entry {
	struct hash message;
	uint32_t next; /* in its chain: index + 1, 0: none */
};

struct cache {
	struct cache_entry *entries; /* a ring */
	uint32_t *chains;            /* first of each: index + 1 */
	uint32_t max, chain_count;
	uint32_t count, oldest;
	uint64_t key; /* which chain a message is in, nobody can tell */
	struct hash digest;
};

/* max 0: it stays empty. key is random. */
int cache_init(struct cache *cache, uint64_t max, uint64_t key, struct err *err);
void cache_done(struct cache *cache);

/* Scans are under this digest from now on. */
void cache_use(struct cache *cache, const struct hash *digest);

/* What is remembered may be wrong. */
void cache_empty(struct cache *cache);

bool cache_has(const struct cache *cache, const struct hash *message);

/* It is clean, by a scan under the digest in use. One that is there already keeps its age. */
void cache_add(struct cache *cache, const struct hash *message);

#endif
