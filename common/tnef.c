/* SPDX-License-Identifier: ISC */
#include "common/tnef.h"

enum {
	SIGNATURE = 0x223e9f78,
	START = 6, /* signature and key */
	ATTRIBUTE_HEAD = 9,
	CHECKSUM = 2,
	MESSAGE_PROPERTIES = 0x00069003,
	ATTACH_DATA = 0x0006800f,
	ATTACH_PROPERTIES = 0x00069005,
	PROPERTY_HEAD = 12, /* tag, count, length */
	OBJECT_ID = 16,     /* before the bytes of an object */
};

/* Properties that hold a file: PR_ATTACH_DATA_BIN, PR_ATTACH_DATA_OBJ, PR_BODY_HTML. */
static const uint32_t files[] = { 0x37010102, 0x3701000d, 0x10130102 };

static uint32_t number(struct span span, size_t at)
{
	uint32_t value = 0;

	for (size_t i = 0; i < 4; i++)
		if (at + i < span.len)
			value |= (uint32_t)span.data[at + i] << (8 * i);
	return value;
}

bool tnef_open(struct span bytes, struct tnef *tnef_r)
{
	if (bytes.len < START || number(bytes, 0) != SIGNATURE)
		return false;
	*tnef_r = (struct tnef){ .stream = bytes, .attribute = START };
	return true;
}

static bool holds_file(uint32_t tag)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (files[i] == tag)
			return true;
	return false;
}

/* The tags stand at multiples of four; looking for them, not at every property between, finds them
 * also where one of those lies about its length. */
static bool next_property(struct tnef *tnef, struct span *file_r)
{
	struct span *rest = &tnef->properties;

	for (; rest->len > PROPERTY_HEAD; *rest = span_part(*rest, 4, rest->len)) {
		uint32_t tag = number(*rest, 0);

		if (!holds_file(tag))
			continue;
		*file_r = span_part(*rest, PROPERTY_HEAD, number(*rest, 8));
		if (tag == files[1])
			*file_r = span_part(*file_r, OBJECT_ID, file_r->len);
		*rest = span_part(*rest, 4, rest->len);
		return true;
	}
	return false;
}

bool tnef_next(struct tnef *tnef, struct span *file_r)
{
	while (!next_property(tnef, file_r)) {
		struct span rest =
			span_part(tnef->stream, tnef->attribute, tnef->stream.len);
		uint32_t id = number(rest, 1), len = number(rest, 5);
		struct span value = span_part(rest, ATTRIBUTE_HEAD, len);

		if (rest.len <= ATTRIBUTE_HEAD)
			return false;
		tnef->attribute += (size_t)ATTRIBUTE_HEAD + len + CHECKSUM;
		if (id == ATTACH_PROPERTIES || id == MESSAGE_PROPERTIES)
			tnef->properties = value;
		if (id == ATTACH_DATA) {
			*file_r = value;
			return true;
		}
	}
	return true;
}
