/* SPDX-License-Identifier: ISC */
#include "mailfilter/imap_text.h"

#include <string.h>

#include "common/utf8.h"

enum {
	PLAIN_MAX = 16 * 1024 /* of user and password */
};

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int imap_text_quoted(const char *text, struct buf *buf, struct err *err)
{
	if (buf_add_str(buf, "\"", err) < 0)
		return -1;
	for (; *text; text++) {
		if (*text == '\r' || *text == '\n')
			return err_set(err, ERR_ACCOUNT,
				"a line break in a name or password cannot be sent");
		if ((*text == '"' || *text == '\\') && buf_add_str(buf, "\\", err) < 0)
			return -1;
		if (buf_add(buf, text, 1, err) < 0)
			return -1;
	}
	return buf_add_str(buf, "\"", err);
}

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
		char digit = alphabet[shift->bits >> (shift->count - 6) & 0x3fU];

		if (digit == '/')
			digit = ',';
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
		digit = alphabet[shift->bits << (6 - shift->count) & 0x3fU];
		if (digit == '/')
			digit = ',';
		if (buf_add(buf, &digit, 1, err) < 0)
			return -1;
	}
	*shift = (struct shift){ 0 };
	return buf_add_str(buf, "-", err);
}

static int utf7(const char *name, struct buf *buf, struct err *err)
{
	const uint8_t *at = (const uint8_t *)name;
	struct shift shift = { 0 };

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

int imap_text_folder(const char *name, struct buf *buf, struct err *err)
{
	auto_buf struct buf encoded;
	const char *text;

	buf_init(&encoded, 4096);
	if (!utf8_valid(span_str(name)))
		return err_set(
			err, ERR_ACCOUNT, "the folder name \"%s\" is not UTF-8", name);
	if (utf7(name, &encoded, err) < 0 || buf_text(&encoded, &text, err) < 0)
		return -1;
	return imap_text_quoted(text, buf, err);
}

static int base64(struct span bytes, struct buf *buf, struct err *err)
{
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t have = bytes.len - i;
		uint32_t group = (uint32_t)bytes.data[i] << 16;
		char text[4];

		if (have > 1)
			group |= (uint32_t)bytes.data[i + 1] << 8;
		if (have > 2)
			group |= bytes.data[i + 2];
		for (unsigned j = 0; j < 4; j++)
			text[j] = alphabet[group >> (18 - 6 * j) & 0x3fU];
		if (have < 3)
			text[3] = '=';
		if (have < 2)
			text[2] = '=';
		if (buf_add(buf, text, sizeof(text), err) < 0)
			return -1;
	}
	return 0;
}

int imap_text_plain(
	const char *user, const char *password, struct buf *buf, struct err *err)
{
	auto_buf struct buf answer;
	uint8_t *room;
	int result;

	buf_init(&answer, PLAIN_MAX);
	/* Room at once: growing would leave the password in freed memory. */
	if (buf_reserve(&answer, strlen(user) + strlen(password) + 2, &room, err) < 0)
		return -1;
	result = buf_add(&answer, "", 1, err);
	if (result == 0)
		result = buf_add_str(&answer, user, err);
	if (result == 0)
		result = buf_add(&answer, "", 1, err);
	if (result == 0)
		result = buf_add_str(&answer, password, err);
	if (result == 0)
		result = base64(buf_span(&answer), buf, err);
	explicit_bzero(answer.data, answer.size);
	return result;
}
