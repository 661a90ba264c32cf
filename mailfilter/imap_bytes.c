/* SPDX-License-Identifier: ISC
 *
 * Which message of a folder has certain bytes? */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mailfilter/imap.h"
#include "mailfilter/imap_facts.h"

/* One message's bytes as a sum. */
struct digest {
	struct hasher hasher;
	uint64_t bytes, size; /* so far; of the whole one */
	struct hash hash;
	bool whole;
};

static void digest_done(struct digest *digest)
{
	hasher_done(&digest->hasher);
}

static int take_bytes(void *arg, struct span bytes, struct err *err)
{
	struct digest *digest = arg;

	digest->bytes += bytes.len;
	return hasher_add(&digest->hasher, bytes, err);
}

static int take_end(
	void *arg, const char *uid, enum source_outcome outcome, struct err *err)
{
	struct digest *digest = arg;
	struct hash hash;

	(void)uid;
	(void)err;
	hasher_result(&digest->hasher, &hash);
	if (outcome == SOURCE_FETCHED) {
		digest->hash = hash;
		digest->size = digest->bytes;
		digest->whole = true;
	}
	digest->bytes = 0;
	return 0;
}

/* One message of the current folder; not whole if it is gone. */
static int sum_up(struct imap *imap, const struct source_item *item,
	struct digest *digest, struct err *err)
{
	const struct source_sink sink = {
		.data = take_bytes, .done = take_end, .arg = digest
	};

	if (hasher_init(&digest->hasher, err) < 0)
		return -1;
	return imap_fetch(&imap->source, item, 1, &sink, err);
}

int imap_find_bytes(struct imap *imap, uint32_t after_uid, uint64_t size,
	const struct hash *hash, uint32_t *uid_r, struct err *err)
{
	auto_free struct source_item *items = NULL;
	size_t count = 0;

	if (imap_list(&imap->source, after_uid, &items, &count, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		DEFER(digest_done) struct digest digest = { 0 };

		if (items[i].size != size)
			continue;
		if (sum_up(imap, &items[i], &digest, err) < 0)
			return -1;
		if (!digest.whole || digest.size != size ||
			!hash_equal(&digest.hash, hash))
			continue;
		*uid_r = imap_facts_uid(items[i].uid);
		return 1;
	}
	return 0;
}
