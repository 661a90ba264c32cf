/* SPDX-License-Identifier: ISC
 *
 * BinHex 4.0 (RFC 1741). */
#include <string.h>

#include "common/embedded.h"
#include "common/embedded_inside.h"

enum {
	REPEAT = 0x90,
	HEADER_FIXED = 1 + 4 + 4 + 2, /* version, type, creator, flags */
	CRC_SIZE = 2,
};

int binhex_value(uint8_t c)
{
	static const char alphabet[] =
		"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr";
	const char *found = c ? strchr(alphabet, c) : NULL;

	return found ? (int)(found - alphabet) : -1;
}

/* One byte of the run-length code. */
struct unpacking {
	struct buf *out;
	bool is_count; /* the next byte says how often */
	uint8_t last;
};

static int unpack(struct unpacking *unpacking, uint8_t byte, struct err *err)
{
	uint8_t run[UINT8_MAX];
	size_t count = 1;

	if (!unpacking->is_count && byte == REPEAT) {
		unpacking->is_count = true;
		return 0;
	}
	if (!unpacking->is_count)
		unpacking->last = byte;
	else if (byte == 0)
		unpacking->last = REPEAT;
	else
		count = byte - 1U;
	unpacking->is_count = false;
	memset(run, unpacking->last, count);
	return buf_add(unpacking->out, run, count, err);
}

int binhex_decode(struct span data, struct buf *out, struct err *err)
{
	struct unpacking unpacking = { .out = out };
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < data.len; i++) {
		int value = binhex_value(data.data[i]);

		if (value < 0)
			continue;
		bits = (bits << 6 | (uint32_t)value) & 0xffff;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		if (unpack(&unpacking, (uint8_t)(bits >> have), err) < 0)
			return -1;
	}
	return 0;
}

static uint32_t number(struct span span, size_t at)
{
	uint32_t value = 0;

	for (size_t i = 0; i < 4; i++)
		value = value << 8 | (at + i < span.len ? span.data[at + i] : 0);
	return value;
}

void binhex_forks(struct span decoded, struct span *data_r, struct span *resource_r)
{
	size_t at = decoded.len > 0 ? 1U + decoded.data[0] + HEADER_FIXED : 0;
	size_t data = number(decoded, at), resource = number(decoded, at + 4);

	at += 8 + CRC_SIZE;
	*data_r = span_part(decoded, at, data);
	*resource_r = span_part(decoded, at + data + CRC_SIZE, resource);
}
