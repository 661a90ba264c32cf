/* SPDX-License-Identifier: ISC */
#include "mailfilter/head.h"

int head_init(struct head_reader *reader, struct err *err)
{
	*reader = (struct head_reader){ 0 };
	return hasher_init(&reader->hasher, err);
}

int head_add(struct head_reader *reader, struct span bytes, struct err *err)
{
	struct span part = span_part(bytes, 0, HEAD_BYTES - reader->taken);

	if (part.len == 0)
		return 0;
	reader->taken += part.len;
	return hasher_add(&reader->hasher, part, err);
}

struct head head_result(struct head_reader *reader)
{
	struct head head = { .known = reader->taken > 0 };

	hasher_result(&reader->hasher, &head.hash);
	reader->taken = 0;
	return head;
}

void head_done(struct head_reader *reader)
{
	hasher_done(&reader->hasher);
}

bool head_equal(const struct head *left, const struct head *right)
{
	return left->known && right->known && hash_equal(&left->hash, &right->hash);
}
