/* SPDX-License-Identifier: ISC */
#include "scanner/cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int cache_init(struct cache *cache, uint64_t max, uint64_t key, struct err *err)
{
	assert(max <= CACHE_MAX);
	*cache = (struct cache){ .max = (uint32_t)max, .chain_count = 1, .key = key | 1 };
	if (max == 0)
		return 0;
	while (cache->chain_count < max)
		cache->chain_count *= 2;
	cache->entries = calloc(max, sizeof(*cache->entries));
	cache->chains = calloc(cache->chain_count, sizeof(*cache->chains));
	if (cache->entries && cache->chains)
		return 0;
	cache_done(cache);
	return err_memory(err);
}

void cache_done(struct cache *cache)
{
	free(cache->entries);
	free(cache->chains);
	*cache = (struct cache){ .max = 0 };
}

void cache_empty(struct cache *cache)
{
	cache->count = 0;
	cache->oldest = 0;
	if (cache->chains)
		memset(cache->chains, 0, cache->chain_count * sizeof(*cache->chains));
}

void cache_use(struct cache *cache, const struct hash *digest)
{
	if (hash_equal(&cache->digest, digest))
		return;
	cache->digest = *digest;
	cache_empty(cache);
}

/* Multiplied with an odd secret the upper bits depend on all below (Dietzfelbinger's scheme). */
static uint32_t *chain_of(const struct cache *cache, const struct hash *message)
{
	uint64_t number;

	memcpy(&number, message->bytes, sizeof(number));
	return &cache->chains[(number * cache->key >> 32) & (cache->chain_count - 1)];
}

bool cache_has(const struct cache *cache, const struct hash *message)
{
	if (cache->count == 0)
		return false;
	for (uint32_t at = *chain_of(cache, message); at > 0;
		at = cache->entries[at - 1].next)
		if (hash_equal(&cache->entries[at - 1].message, message))
			return true;
	return false;
}

/* It is the last of its chain: those in front of it are younger. */
static void forget(struct cache *cache, uint32_t index)
{
	uint32_t *link = chain_of(cache, &cache->entries[index].message);

	while (*link != index + 1)
		link = &cache->entries[*link - 1].next;
	*link = cache->entries[index].next;
}

void cache_add(struct cache *cache, const struct hash *message)
{
	uint32_t index, *chain;

	if (cache->max == 0 || cache_has(cache, message))
		return;
	if (cache->count < cache->max) {
		index = cache->count++;
	} else {
		index = cache->oldest;
		cache->oldest = (cache->oldest + 1) % cache->max;
		forget(cache, index);
	}
	chain = chain_of(cache, message);
	cache->entries[index] = (struct cache_entry){ *message, *chain };
	*chain = index + 1;
}
