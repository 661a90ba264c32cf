/* SPDX-License-Identifier: ISC */
#include "scanner/seen.h"

#include <string.h>

enum {
	SIZE_LEAST = 64 /* a power of two */
};

/* Where it is, or where it would be. A hash spreads by itself: its first bytes will do. */
static size_t slot_of(const struct seen *seen, const struct hash *hash)
{
	static const struct hash none;
	size_t at;

	memcpy(&at, hash->bytes, sizeof(at));
	for (at &= seen->size - 1; !hash_equal(&seen->slots[at], &none) &&
				   !hash_equal(&seen->slots[at], hash);
		at = (at + 1) & (seen->size - 1))
		;
	return at;
}

/* At most half full, so that a search is short and ends. */
static bool has_room(struct seen *seen)
{
	struct seen larger = { .size = seen->size > 0 ? 2 * seen->size : SIZE_LEAST };
	static const struct hash none;

	if (2 * (seen->count + 1) <= seen->size)
		return true;
	if (seen->count >= SEEN_MAX)
		return false;
	larger.slots = calloc(larger.size, sizeof(*larger.slots));
	if (!larger.slots)
		return false;
	for (size_t i = 0; i < seen->size; i++)
		if (!hash_equal(&seen->slots[i], &none))
			larger.slots[slot_of(&larger, &seen->slots[i])] = seen->slots[i];
	larger.count = seen->count;
	free(seen->slots);
	*seen = larger;
	return true;
}

void seen_add(struct seen *seen, const struct hash *hash)
{
	if (seen_has(seen, hash) || !has_room(seen))
		return;
	seen->slots[slot_of(seen, hash)] = *hash;
	seen->count++;
}

bool seen_has(const struct seen *seen, const struct hash *hash)
{
	return seen->size > 0 && hash_equal(&seen->slots[slot_of(seen, hash)], hash);
}

void seen_done(struct seen *seen)
{
	free(seen->slots);
	*seen = (struct seen){ 0 };
}
