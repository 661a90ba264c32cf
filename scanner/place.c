/* SPDX-License-Identifier: ISC */
#include "scanner/place.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
	DECODED_SPARE = 1024 /* no decoding makes more of its input than this */
};

static const char *const outside[] = { "", "PREAMBLE", "EPILOGUE" };

size_t place_count(const struct mime *mime)
{
	return 3 * mime->count;
}

void place_range(const struct mime *mime, size_t place, size_t *start_r, size_t *end_r)
{
	const struct mime_part *part;

	assert(mime->count > 0 && place < place_count(mime));
	part = &mime->parts[place % mime->count];
	*start_r = part->header_start;
	*end_r = part->end;
	if (place < mime->count)
		return;
	*start_r = part->body_start;
	*end_r = part->preamble_end;
	if (place >= 2 * mime->count) {
		*start_r = part->epilogue_start;
		*end_r = part->end;
	}
	if (!part->is_multipart || *end_r < *start_r)
		*end_r = *start_r;
}

int place_hash(struct span message, const struct mime *mime, size_t place,
	struct hash *hash_r, struct err *err)
{
	auto_buf struct buf bytes;
	size_t start, end;

	buf_init(&bytes, message.len + DECODED_SPARE);
	if (place < mime->count && place_is_leaf(mime, place)) {
		if (mime_decode(message, &mime->parts[place], &bytes, err) < 0)
			return -1;
		return hash_span(buf_span(&bytes), hash_r, err);
	}
	if (place == PLACE_ROOT)
		return hash_span(message, hash_r, err);
	place_range(mime, place, &start, &end);
	return hash_span(span_part(message, start, end - start), hash_r, err);
}

size_t place_parent(const struct mime *mime, size_t place)
{
	if (place >= mime->count)
		return place % mime->count;
	return place == PLACE_ROOT ? PLACE_ROOT : (size_t)mime->parts[place].parent;
}

bool place_is_leaf(const struct mime *mime, size_t place)
{
	return place >= mime->count || !mime->parts[place].is_composite;
}

void place_name(const struct mime *mime, size_t place, char name[static FINDING_PART_MAX])
{
	size_t index = place % mime->count;
	const char *path = mime->parts[index].path, *what = outside[place / mime->count];
	int len;

	len = snprintf(name, FINDING_PART_MAX, "%s%s%s", path,
		path[0] && what[0] ? "." : "", what);
	if (len >= FINDING_PART_MAX)
		(void)snprintf(name, FINDING_PART_MAX, "#%zu.%s", index, what);
}

size_t place_find(const struct mime *mime, const char *name)
{
	char other[FINDING_PART_MAX];
	size_t len = strlen(name);
	bool is_part = len < 8 || (strcmp(name + len - 8, outside[1]) != 0 &&
					  strcmp(name + len - 8, outside[2]) != 0);

	for (size_t i = 0; name[0] && i < mime->count && is_part; i++)
		if (strcmp(mime->parts[i].path, name) == 0)
			return i;
	for (size_t i = mime->count; i < place_count(mime) && !is_part; i++) {
		place_name(mime, i, other);
		if (strcmp(other, name) == 0)
			return i;
	}
	return PLACE_ROOT;
}

size_t place_of(const struct mime *mime, struct span message, size_t start, size_t end)
{
	struct span bytes = span_part(message, start, end - start);
	size_t found = PLACE_ROOT, best = SIZE_MAX;

	bytes = span_trim(bytes);
	start = bytes.data ? (size_t)(bytes.data - message.data) : start;
	end = start + bytes.len;
	for (size_t i = 0; i < place_count(mime); i++) {
		size_t from, to;

		place_range(mime, i, &from, &to);
		/* Of two alike the inner one. */
		if (from > start || to < end || to - from > best)
			continue;
		found = i;
		best = to - from;
	}
	return found;
}

int place_prune(const struct mime *mime, struct verdict *verdict, struct err *err)
{
	auto_free bool *around = calloc(mime->count, sizeof(*around));
	size_t kept = 0;

	if (!around)
		return err_memory(err);
	for (size_t i = 0; i < verdict->finding_count; i++) {
		size_t at = place_find(mime, verdict->findings[i].part);

		while (at != PLACE_ROOT) {
			at = place_parent(mime, at);
			around[at] = true;
		}
	}
	for (size_t i = 0; i < verdict->finding_count; i++) {
		size_t at = place_find(mime, verdict->findings[i].part);

		if (at >= mime->count || !around[at])
			verdict->findings[kept++] = verdict->findings[i];
	}
	verdict->finding_count = kept;
	return 0;
}
