/* SPDX-License-Identifier: ISC */
#include "mailfilter/imap_utf7.h"

#include <stdio.h>
#include <string.h>

#include "common/utf8.h"

static const char digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

/* One character of valid UTF-8; returns how many bytes it took. */
static size_t character(const uint8_t *text, uint32_t *code_r)
{
	if (text[0] < 0x80) {
		*code_r = text[0];
		return 1;
	}
	if (text[0] < 0xe0) {
		*code_r = (text[0] & 0x1fU) << 6 | (text[1] & 0x3fU);
		return 2;
	}
	if (text[0] < 0xf0) {
		*code_r = (text[0] & 0x0fU) << 12 | (text[1] & 0x3fU) << 6 |
			  (text[2] & 0x3fU);
		return 3;
	}
	*code_r = (text[0] & 0x07U) << 18 | (text[1] & 0x3fU) << 12 |
		  (text[2] & 0x3fU) << 6 | (text[3] & 0x3fU);
	return 4;
}

/* Sixteen bits at a time into base64 digits, with ',' for '/' (RFC 3501). */
struct shift {
	uint32_t bits;
	unsigned count;
	bool open;
};

static int shift_unit(
	struct shift *shift, uint32_t unit, struct buf *buf, struct err *err)
{
	shift->bits = (shift->bits << 16 | unit) & 0x3fffffU;
	shift->count += 16;
	while (shift->count >= 6) {
		char digit = digits[shift->bits >> (shift->count - 6) & 0x3fU];

		if (buf_add(buf, &digit, 1, err) < 0)
			return -1;
		shift->count -= 6;
	}
	return 0;
}

static int shift_in(struct shift *shift, uint32_t code, struct buf *buf, struct err *err)
{
	if (!shift->open && buf_add_str(buf, "&", err) < 0)
		return -1;
	shift->open = true;
	if (code < 0x10000)
		return shift_unit(shift, code, buf, err);
	code -= 0x10000;
	if (shift_unit(shift, 0xd800U | code >> 10, buf, err) < 0)
		return -1;
	return shift_unit(shift, 0xdc00U | (code & 0x3ffU), buf, err);
}

static int shift_out(struct shift *shift, struct buf *buf, struct err *err)
{
	char digit;

	if (!shift->open)
		return 0;
	if (shift->count > 0) {
		digit = digits[shift->bits << (6 - shift->count) & 0x3fU];
		if (buf_add(buf, &digit, 1, err) < 0)
			return -1;
	}
	*shift = (struct shift){ 0 };
	return buf_add_str(buf, "-", err);
}

int imap_utf7_encode(const char *name, struct buf *buf, struct err *err)
{
	const uint8_t *at = (const uint8_t *)name;
	struct shift shift = { 0 };

	if (!utf8_valid(span_str(name)))
		return err_set(err, ERR_ACCOUNT,
			"the folder name \"%.100s\" is not UTF-8", name);
	while (*at) {
		uint32_t code;

		at += character(at, &code);
		if (code < 0x20 || code > 0x7e) {
			if (shift_in(&shift, code, buf, err) < 0)
				return -1;
			continue;
		}
		if (shift_out(&shift, buf, err) < 0 ||
			buf_printf(buf, err, "%c%s", (int)code, code == '&' ? "-" : "") <
				0)
			return -1;
	}
	return shift_out(&shift, buf, err);
}

/* A name as it grows. */
struct name {
	char *text;
	size_t len, size;
};

static bool add_byte(struct name *name, uint32_t byte)
{
	if (name->len + 1 >= name->size)
		return false;
	name->text[name->len++] = (char)byte;
	return true;
}

static bool add_code(struct name *name, uint32_t code)
{
	if (code == 0)
		return false;
	if (code < 0x80)
		return add_byte(name, code);
	if (code < 0x800)
		return add_byte(name, 0xc0U | code >> 6) &&
		       add_byte(name, 0x80U | (code & 0x3fU));
	if (code < 0x10000)
		return add_byte(name, 0xe0U | code >> 12) &&
		       add_byte(name, 0x80U | (code >> 6 & 0x3fU)) &&
		       add_byte(name, 0x80U | (code & 0x3fU));
	return add_byte(name, 0xf0U | code >> 18) &&
	       add_byte(name, 0x80U | (code >> 12 & 0x3fU)) &&
	       add_byte(name, 0x80U | (code >> 6 & 0x3fU)) &&
	       add_byte(name, 0x80U | (code & 0x3fU));
}

/* Sixteen bits; high is the first half of a pair that waits for its second, or 0. */
static bool add_unit(struct name *name, uint32_t unit, uint32_t *high)
{
	uint32_t first = *high;

	*high = 0;
	if (unit >= 0xdc00U && unit <= 0xdfffU)
		return first > 0 && add_code(name, 0x10000U + ((first & 0x3ffU) << 10) +
							   (unit & 0x3ffU));
	if (first > 0)
		return false;
	if (unit >= 0xd800U && unit <= 0xdbffU) {
		*high = unit;
		return true;
	}
	return add_code(name, unit);
}

/* What stands between "&" and "-". */
static bool add_shifted(struct name *name, struct span text)
{
	uint32_t bits = 0, high = 0;
	unsigned count = 0;

	for (size_t i = 0; i < text.len; i++) {
		const char *digit = text.data[i] ? strchr(digits, text.data[i]) : NULL;

		if (!digit)
			return false;
		bits = (bits << 6 | (uint32_t)(digit - digits)) & 0x3fffffU;
		count += 6;
		if (count < 16)
			continue;
		count -= 16;
		if (!add_unit(name, bits >> count & 0xffffU, &high))
			return false;
	}
	return high == 0;
}

static bool decode(struct span wire, struct name *name)
{
	static const struct span minus = { (const uint8_t *)"-", 1 };

	for (size_t i = 0; i < wire.len; i++) {
		struct span rest = span_part(wire, i + 1, wire.len);
		ptrdiff_t end;

		if (wire.data[i] != '&') {
			if (!add_byte(name, wire.data[i]))
				return false;
			continue;
		}
		end = span_find(rest, minus);
		if (end < 0)
			return false;
		if (end == 0 ? !add_byte(name, '&')
			     : !add_shifted(name, span_part(rest, 0, (size_t)end)))
			return false;
		i += (size_t)end + 1;
	}
	name->text[name->len] = '\0';
	return name->len > 0;
}

int imap_utf7_decode(struct span wire, char *name, size_t size, struct err *err)
{
	struct name decoded = { .text = name, .size = size };
	auto_buf struct buf again;

	buf_init(&again, size * 4 + 8);
	/* Only what is encoded in the one way that there is comes back as it was: no printable
	 * character in base64, no two runs of it behind each other, no bits left, no 8-bit. */
	if (size == 0 || wire.len == 0 || memchr(wire.data, '\0', wire.len) ||
		!decode(wire, &decoded) || imap_utf7_encode(name, &again, NULL) < 0 ||
		!span_equal(buf_span(&again), wire))
		return err_set(err, ERR_MESSAGE,
			"\"%.*s\" is no name in modified UTF-7 of at most %zu bytes",
			(int)(wire.len < 100 ? wire.len : 100), (const char *)wire.data,
			size - 1);
	return 0;
}
