/* SPDX-License-Identifier: ISC */
#include "common/utf8.h"

#include <assert.h>
#include <string.h>

enum {
	SHORTEN_MIN = 16,
	TAIL_SHARE = 3 /* a third of the room is for the end */
};

static const char gap[] = "...";

size_t utf8_decode(struct span text, uint32_t *code_r)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len;
	uint32_t code;

	if (text.len == 0)
		return 0;
	if (text.data[0] < 0x80) {
		*code_r = text.data[0];
		return 1;
	}
	if ((text.data[0] & 0xe0) == 0xc0)
		len = 2;
	else if ((text.data[0] & 0xf0) == 0xe0)
		len = 3;
	else if ((text.data[0] & 0xf8) == 0xf0)
		len = 4;
	else
		return 0;
	if (text.len < len)
		return 0;
	code = text.data[0] & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		if ((text.data[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text.data[i] & 0x3fU);
	}
	if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*code_r = code;
	return len;
}

size_t utf8_printable(struct span text)
{
	uint32_t code = 0;
	size_t len = utf8_decode(text, &code);

	if (len == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0))
		return 0;
	if ((code >= 0x200e && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
		(code >= 0x2066 && code <= 0x2069) || code == 0x061c || code == 0xfeff)
		return 0;
	return len;
}

bool utf8_valid(struct span text)
{
	while (text.len > 0) {
		uint32_t code;
		size_t len = utf8_decode(text, &code);
		if (len == 0)
			return false;
		text = span_part(text, len, text.len);
	}
	return true;
}

/* Where a character begins, at or before pos. */
static size_t start_before(struct span text, size_t pos)
{
	while (pos > 0 && pos < text.len && (text.data[pos] & 0xc0) == 0x80)
		pos--;
	return pos;
}

/* Where one begins, at or behind pos. */
static size_t start_behind(struct span text, size_t pos)
{
	while (pos < text.len && (text.data[pos] & 0xc0) == 0x80)
		pos++;
	return pos;
}

const char *utf8_shorten(struct span text, char *out, size_t size)
{
	size_t head = text.len, gap_len = 0, tail = text.len;

	assert(size >= SHORTEN_MIN);
	if (text.len >= size) {
		gap_len = sizeof(gap) - 1;
		tail = start_behind(text, text.len - size / TAIL_SHARE);
		head = start_before(text, size - 1 - gap_len - (text.len - tail));
	}
	if (head > 0)
		memcpy(out, text.data, head);
	memcpy(out + head, gap, gap_len);
	if (tail < text.len)
		memcpy(out + head + gap_len, text.data + tail, text.len - tail);
	out[head + gap_len + (text.len - tail)] = '\0';
	return out;
}
