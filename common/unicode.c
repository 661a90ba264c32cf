/* SPDX-License-Identifier: ISC */
#include "common/unicode.h"

#include "common/mime.h"

enum {
	HIGH = 0xd800,
	LOW = 0xdc00,
	BEYOND = 0xe000,
	MARK = 0xfeff,
};

/* Half of a pair of surrogates may wait for the other. */
struct writer {
	struct buf *out;
	struct err *err;
	uint32_t high;
};

static int put_character(struct writer *writer, uint32_t c)
{
	uint8_t bytes[4];
	size_t len = 0;

	if (c < 0x80) {
		bytes[len++] = (uint8_t)c;
	} else if (c < 0x800) {
		bytes[len++] = (uint8_t)(0xc0 | c >> 6);
		bytes[len++] = (uint8_t)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		bytes[len++] = (uint8_t)(0xe0 | c >> 12);
		bytes[len++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		bytes[len++] = (uint8_t)(0x80 | (c & 0x3f));
	} else {
		bytes[len++] = (uint8_t)(0xf0 | c >> 18);
		bytes[len++] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
		bytes[len++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		bytes[len++] = (uint8_t)(0x80 | (c & 0x3f));
	}
	return buf_add(writer->out, bytes, len, writer->err);
}

static int put_unit(struct writer *writer, uint32_t unit)
{
	uint32_t high = writer->high;

	writer->high = 0;
	if (unit >= HIGH && unit < LOW) {
		writer->high = unit;
		return 0;
	}
	if (unit >= LOW && unit < BEYOND)
		return high ? put_character(writer,
				      0x10000 + ((high - HIGH) << 10) + (unit - LOW))
			    : 0;
	return unit == MARK ? 0 : put_character(writer, unit);
}

bool unicode_has_mark(struct span text)
{
	return text.len >= 2 && ((text.data[0] == 0xfe && text.data[1] == 0xff) ||
					(text.data[0] == 0xff && text.data[1] == 0xfe));
}

int unicode_from_utf16(
	struct span text, bool is_big_endian, struct buf *out, struct err *err)
{
	struct writer writer = { out, err, 0 };

	if (unicode_has_mark(text))
		is_big_endian = text.data[0] == 0xfe;
	for (size_t i = 0; i + 1 < text.len; i += 2) {
		uint32_t first = text.data[i], second = text.data[i + 1];
		uint32_t unit = is_big_endian ? first << 8 | second : second << 8 | first;

		if (put_unit(&writer, unit) < 0)
			return -1;
	}
	return 0;
}

/* The digits of base64 from the start of rest, as units of 16 bits; how many in *len_r. */
static int put_shifted(struct writer *writer, struct span rest, size_t *len_r)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t len = 0;

	for (; len < rest.len; len++) {
		int value = mime_base64_digit(rest.data[len]);

		if (value < 0)
			break;
		bits = bits << 6 | (uint32_t)value;
		have += 6;
		if (have < 16)
			continue;
		have -= 16;
		if (put_unit(writer, bits >> have & 0xffff) < 0)
			return -1;
		bits &= (1U << have) - 1;
	}
	writer->high = 0;
	*len_r = len;
	return 0;
}

int unicode_from_utf7(struct span text, struct buf *out, struct err *err)
{
	struct writer writer = { out, err, 0 };

	for (size_t i = 0; i < text.len;) {
		struct span rest = span_part(text, i + 1, text.len);
		size_t len;

		if (text.data[i] != '+') {
			if (buf_add(out, text.data + i, 1, err) < 0)
				return -1;
			i++;
			continue;
		}
		if (put_shifted(&writer, rest, &len) < 0)
			return -1;
		rest = span_part(rest, len, 1);
		if (len == 0 && buf_add_str(out, "+", err) < 0)
			return -1;
		/* "-" ends the digits and is not shown. */
		i += 1 + len + (rest.len > 0 && rest.data[0] == '-');
	}
	return 0;
}
