/* SPDX-License-Identifier: ISC */
#include "scanner/exempt.h"

#include <stdlib.h>
#include <string.h>

enum {
	DECODED_SPARE = 1024, /* no decoding makes more of its input than this */
	LINE_LEN = 64,
};

/* One leaf. */
static int look_at(struct span message, const struct mime_part *part,
	struct allowance *allowance, bool *allowed_r, struct err *err)
{
	struct hash hash;
	auto_buf struct buf bytes;

	buf_init(&bytes, part->end - part->body_start + DECODED_SPARE);
	if (mime_decode(message, part, &bytes, err) < 0 ||
		hash_span(buf_span(&bytes), &hash, err) < 0)
		return -1;
	*allowed_r = allowance_hash(allowance, &hash);
	if (*allowed_r)
		allowance_add_text(allowance, buf_span(&bytes));
	return 0;
}

int exempt_find(struct span message, const struct mime *mime, struct allowance *allowance,
	struct exempt *exempt_r, struct err *err)
{
	auto_free bool *parts = NULL;
	bool any = false;

	if (!allowance_has_hashes(allowance))
		return 0;
	parts = calloc(mime->count, sizeof(*parts));
	if (!parts)
		return err_memory(err);
	for (size_t i = 0; i < mime->count; i++) {
		if (mime->parts[i].is_composite)
			continue;
		if (look_at(message, &mime->parts[i], allowance, &parts[i], err) < 0)
			return -1;
		any = any || parts[i];
	}
	if (any)
		exempt_r->parts = take_ptr(&parts);
	return 0;
}

void exempt_done(struct exempt *exempt)
{
	free(exempt->parts);
	*exempt = (struct exempt){ 0 };
}

bool exempt_has(const struct exempt *exempt, size_t index)
{
	return exempt->parts && exempt->parts[index];
}

/* Nothing to be found, in any encoding, in lines as mail has them. */
static void blank(uint8_t *bytes, size_t len)
{
	memset(bytes, ' ', len);
	for (size_t i = LINE_LEN - 1; i < len; i += LINE_LEN)
		bytes[i] = '\n';
}

int exempt_blank(const struct exempt *exempt, struct span message,
	const struct mime *mime, struct buf *copy, struct err *err)
{
	size_t start = copy->len;

	if (buf_add(copy, message.data, message.len, err) < 0)
		return -1;
	for (size_t i = 0; i < mime->count; i++) {
		const struct mime_part *part = &mime->parts[i];

		if (exempt_has(exempt, i))
			blank(copy->data + start + part->body_start,
				part->end - part->body_start);
	}
	return 0;
}
