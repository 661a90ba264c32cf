/* SPDX-License-Identifier: ISC */
#include "scanner/zip.h"

#include <string.h>

#include "scanner/little.h"

enum {
	MAGIC_LAST = 3,
	END_SIZE = 22, /* of the record at the end, up to the comment */
	COUNT_AT = 10,
	LIST_SIZE_AT = 12,
	LIST_START_AT = 16,
	COMMENT_SIZE_AT = 20,
	TAIL_MAX = 1024 *
		   1024,   /* bytes: a comment, and what some programs allow behind it */
	LOCATOR_SIZE = 20, /* of zip64, before the record */
	END64_SIZE = 56,   /* before that */
	LIST_SIZE64_AT = 40,
	LIST_START64_AT = 48,
};

static bool stands(struct span bytes, uint64_t at, const char *magic)
{
	return at < bytes.len && bytes.len - at >= 4 &&
	       memcmp(bytes.data + at, magic, 4) == 0;
}

/* The list stands right before the record; where it says it starts tells where the zip does. */
static bool place_of(struct span bytes, size_t end, struct zip_place *place_r)
{
	uint64_t size = little(bytes, end + LIST_SIZE_AT, 4);
	uint64_t start = little(bytes, end + LIST_START_AT, 4);
	uint64_t list_end = end;

	if (little(bytes, end + COUNT_AT, 2) == 0)
		return false;
	place_r->end = end + END_SIZE;
	if (end >= LOCATOR_SIZE + END64_SIZE &&
		stands(bytes, end - LOCATOR_SIZE, "PK\x06\x07") &&
		stands(bytes, end - LOCATOR_SIZE - END64_SIZE, "PK\x06\x06")) {
		list_end = end - LOCATOR_SIZE - END64_SIZE;
		size = little(bytes, (size_t)list_end + LIST_SIZE64_AT, 8);
		start = little(bytes, (size_t)list_end + LIST_START64_AT, 8);
	}
	if (size <= list_end && start <= list_end - size &&
		stands(bytes, list_end - size, "PK\x01\x02")) {
		place_r->start = (size_t)(list_end - size - start);
		return true;
	}
	place_r->start = 0;
	return stands(bytes, start, "PK\x01\x02");
}

size_t zip_places(struct span bytes, struct zip_place places[static ZIP_PLACES_MAX])
{
	size_t lowest = bytes.len > TAIL_MAX ? bytes.len - TAIL_MAX : 0;
	size_t count = 0;
	struct zip_place place;

	if (bytes.len < END_SIZE)
		return 0;
	for (size_t at = bytes.len - END_SIZE + 1; at > lowest;) {
		/* Of the four bytes of the magic the last is the rarest. */
		const uint8_t *found =
			memrchr(bytes.data + lowest + MAGIC_LAST, '\x06', at - lowest);
		bool is_last;

		if (!found)
			break;
		at = (size_t)(found - bytes.data) - MAGIC_LAST;
		if (!stands(bytes, at, "PK\x05\x06") || !place_of(bytes, at, &place))
			continue;
		is_last = place.end + little(bytes, at + COMMENT_SIZE_AT, 2) == bytes.len;
		if (count == 0 || is_last)
			places[count++] = place;
		if (is_last || count == ZIP_PLACES_MAX)
			break;
	}
	return count;
}
