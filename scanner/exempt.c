/* SPDX-License-Identifier: ISC */
#include "scanner/exempt.h"

#include <stdlib.h>

enum {
	DECODED_SPARE = 1024 /* no decoding makes more of its input than this */
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

int exempt_leave_out(const struct exempt *exempt, struct span message,
	const struct mime *mime, struct buf *rest, struct err *err)
{
	size_t at = 0;

	/* Leaves stand in the order of the message, apart from each other. */
	for (size_t i = 0; i < mime->count; i++) {
		const struct mime_part *part = &mime->parts[i];

		if (!exempt_has(exempt, i) || part->body_start < at)
			continue;
		if (buf_add(rest, message.data + at, part->body_start - at, err) < 0)
			return -1;
		at = part->end;
	}
	return buf_add(rest, message.data + at, message.len - at, err);
}
