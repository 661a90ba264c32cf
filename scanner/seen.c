/* SPDX-License-Identifier: ISC */
#include "scanner/seen.h"

#include <stdlib.h>
#include <string.h>

enum {
	SEEN_MIN = 64
};

void seen_done(struct seen *seen)
{
	free(seen->hashes);
	*seen = (struct seen){ 0 };
}

/* Where it stands, or the free place for it. */
static struct hash *place_for(const struct seen *seen, const struct hash *hash)
{
	static const struct hash none = { { 0 } };
	size_t at;

	memcpy(&at, hash->bytes, sizeof(at));
	for (;; at++) {
		struct hash *place = &seen->hashes[at % seen->size];

		if (hash_equal(place, hash) || hash_equal(place, &none))
			return place;
	}
}

/* At most half of the table is in use. */
static int grow(struct seen *seen, struct err *err)
{
	struct seen larger = { .size = seen->size ? 2 * seen->size : SEEN_MIN,
		.count = seen->count };
	static const struct hash none = { { 0 } };

	larger.hashes = calloc(larger.size, sizeof(*larger.hashes));
	if (!larger.hashes)
		return err_memory(err);
	for (size_t i = 0; i < seen->size; i++)
		if (!hash_equal(&seen->hashes[i], &none))
			*place_for(&larger, &seen->hashes[i]) = seen->hashes[i];
	free(seen->hashes);
	*seen = larger;
	return 0;
}

int seen_add(struct seen *seen, struct span bytes, bool *new_r, struct err *err)
{
	struct hash hash, *place;

	while (bytes.len > 0 &&
		(bytes.data[bytes.len - 1] == '\n' || bytes.data[bytes.len - 1] == '\r'))
		bytes.len--;
	if (hash_span(bytes, &hash, err) < 0 ||
		(2 * seen->count >= seen->size && seen->count < SEEN_MAX &&
			grow(seen, err) < 0))
		return -1;
	place = place_for(seen, &hash);
	*new_r = !hash_equal(place, &hash);
	if (*new_r && seen->count < SEEN_MAX) {
		*place = hash;
		seen->count++;
	}
	return 0;
}
