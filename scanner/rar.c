/* SPDX-License-Identifier: ISC */
#include "scanner/rar.h"

#include <string.h>

#include "scanner/crc.h"
#include "scanner/little.h"

enum {
	RAR4_START = 7, /* behind the magic numbers */
	RAR5_START = 8,
	FIRST_BLOCK_MAX = 1024, /* it has neither name nor data */
	MAIN_4 = 0x73,
	MAIN_5 = 1,
	FILE_5 = 2,
	SERVICE_5 = 3,
	CRYPT_5 = 4,
	VOLUME = 1, /* a flag of the main block in both */
	HAS_EXTRA = 1,
	HAS_DATA = 2,
	EXTRA_CRYPT = 1,
	FILE_HAS_TIME = 2,
	FILE_HAS_CRC = 4,
	SERVICE_4 = 0x7a,
	HEAD_4 = 7, /* of every block of version 4 */
	HAS_DATA_4 = 0x8000,
	LARGE_4 = 0x100,
	NAME_SIZE_AT_4 = 26,
	NAME_AT_4 = 32,
	SIZES_HIGH_4 = 8, /* before the name of a large one */
	BLOCKS_MAX = 100 * 1000,
};

static bool is_version_4(struct span bytes)
{
	return bytes.len > RAR4_START && memcmp(bytes.data, "Rar!\x1a\x07\x00", 7) == 0;
}

static bool is_version_5(struct span bytes)
{
	return bytes.len > RAR5_START &&
	       memcmp(bytes.data, "Rar!\x1a\x07\x01\x00", 8) == 0;
}

/* Version 5's numbers: seven bits a byte, the eighth says that more follow. */
static bool number(struct span bytes, size_t *at, uint64_t *value_r)
{
	*value_r = 0;
	for (unsigned shift = 0; shift < 63; shift += 7) {
		if (*at >= bytes.len)
			return false;
		*value_r |= (uint64_t)(bytes.data[*at] & 0x7f) << shift;
		if (!(bytes.data[(*at)++] & 0x80))
			return true;
	}
	return false;
}

static bool starts_4(struct span bytes)
{
	size_t size = (size_t)little(bytes, RAR4_START + 5, 2);
	struct span head = span_part(bytes, RAR4_START + 2, size < 7 ? 0 : size - 2);

	return size >= 7 && size <= FIRST_BLOCK_MAX && head.len == size - 2 &&
	       (crc_of(head) & 0xffff) == little(bytes, RAR4_START, 2);
}

static bool starts_5(struct span bytes)
{
	const size_t start = RAR5_START + 4;
	size_t at = start;
	struct span head;
	uint64_t size;

	if (!number(bytes, &at, &size) || size < 2 || size > FIRST_BLOCK_MAX)
		return false;
	head = span_part(bytes, start, at - start + (size_t)size);
	return head.len == at - start + size &&
	       crc_of(head) == little(bytes, RAR5_START, 4);
}

size_t rar_length(struct span bytes)
{
	bool starts = (is_version_4(bytes) && starts_4(bytes)) ||
		      (is_version_5(bytes) && starts_5(bytes));

	return starts ? bytes.len : 0;
}

/* A block's header of version 5. */
struct block {
	uint64_t type, flags, extra, data;
	struct span body; /* what stands behind those */
	size_t end;       /* of the header */
};

static bool read_block(struct span bytes, size_t at, struct block *block_r)
{
	struct block block = { 0 };
	uint64_t size;

	at += 4; /* the checksum */
	if (!number(bytes, &at, &size) || size > bytes.len - at)
		return false;
	block.end = at + (size_t)size;
	bytes = span_part(bytes, 0, block.end);
	if (!number(bytes, &at, &block.type) || !number(bytes, &at, &block.flags) ||
		((block.flags & HAS_EXTRA) && !number(bytes, &at, &block.extra)) ||
		((block.flags & HAS_DATA) && !number(bytes, &at, &block.data)))
		return false;
	block.body = span_part(bytes, at, bytes.len);
	*block_r = block;
	return true;
}

bool rar_is_volume(struct span bytes)
{
	struct block block;
	uint64_t flags;
	size_t at = 0;

	if (is_version_4(bytes))
		return bytes.len > RAR4_START + 3 &&
		       bytes.data[RAR4_START + 2] == MAIN_4 &&
		       (bytes.data[RAR4_START + 3] & VOLUME);
	return is_version_5(bytes) && read_block(bytes, RAR5_START, &block) &&
	       block.type == MAIN_5 && number(block.body, &at, &flags) &&
	       (flags & VOLUME);
}

/* The extra records are the end of the header: size, type, and what the type says. */
static bool has_crypt_record(const struct block *block)
{
	struct span rest = block->body;
	uint64_t size, type;

	if (block->extra > rest.len)
		return false;
	rest = span_part(rest, rest.len - (size_t)block->extra, rest.len);
	while (rest.len > 0) {
		size_t at = 0, type_at;

		if (!number(rest, &at, &size))
			return false;
		type_at = at;
		if (!number(rest, &type_at, &type) || size == 0 || size > rest.len - at)
			return false;
		if (type == EXTRA_CRYPT)
			return true;
		rest = span_part(rest, at + (size_t)size, rest.len);
	}
	return false;
}

bool rar5_is_encrypted(struct span bytes)
{
	size_t at = RAR5_START;
	struct block block;

	if (!is_version_5(bytes))
		return false;
	for (int i = 0; i < BLOCKS_MAX && read_block(bytes, at, &block); i++) {
		if (block.type == CRYPT_5 ||
			((block.type == FILE_5 || block.type == SERVICE_5) &&
				has_crypt_record(&block)))
			return true;
		if (block.data > bytes.len - block.end)
			return false;
		at = block.end + (size_t)block.data;
	}
	return false;
}

/* The data of a service block is a file's stream of NTFS. */
static bool is_stream(struct span name)
{
	return span_is(name, "STM");
}

static bool skip_numbers(struct span bytes, size_t *at, int count)
{
	uint64_t skipped;

	while (count > 0 && number(bytes, at, &skipped))
		count--;
	return count == 0;
}

/* Flags, size, attributes, perhaps time and checksum, method, system, and the name. */
static bool is_stream_5(const struct block *block)
{
	uint64_t flags, len;
	size_t at = 0;

	if (block->type != SERVICE_5 || !number(block->body, &at, &flags) ||
		!skip_numbers(block->body, &at, 2))
		return false;
	at += (flags & FILE_HAS_TIME ? 4U : 0U) + (flags & FILE_HAS_CRC ? 4U : 0U);
	if (!skip_numbers(block->body, &at, 2) || !number(block->body, &at, &len) ||
		len > block->body.len)
		return false;
	return is_stream(span_part(block->body, at, (size_t)len));
}

static bool has_streams_5(struct span bytes)
{
	size_t at = RAR5_START;
	struct block block;

	for (int i = 0; i < BLOCKS_MAX && read_block(bytes, at, &block); i++) {
		if (is_stream_5(&block))
			return true;
		if (block.data > bytes.len - block.end)
			return false;
		at = block.end + (size_t)block.data;
	}
	return false;
}

static bool has_streams_4(struct span bytes)
{
	size_t at = RAR4_START;

	for (int i = 0; i < BLOCKS_MAX && bytes.len - at > HEAD_4; i++) {
		struct span here = span_part(bytes, at, bytes.len);
		uint64_t flags = little(here, 3, 2), size = little(here, 5, 2);
		size_t name_at = NAME_AT_4 + (flags & LARGE_4 ? SIZES_HIGH_4 : 0);

		if (size < HEAD_4)
			return false;
		if (little(here, 2, 1) == SERVICE_4 &&
			is_stream(span_part(
				here, name_at, (size_t)little(here, NAME_SIZE_AT_4, 2))))
			return true;
		if (flags & HAS_DATA_4)
			size += little(here, HEAD_4, 4);
		if (size > here.len)
			return false;
		at += (size_t)size;
	}
	return false;
}

bool rar_has_streams(struct span bytes)
{
	return is_version_4(bytes) ? has_streams_4(bytes)
				   : is_version_5(bytes) && has_streams_5(bytes);
}
