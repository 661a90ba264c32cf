/* SPDX-License-Identifier: ISC */
#include "mailfilter/imap_text.h"

#include <string.h>

#include "mailfilter/imap_utf7.h"

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

int imap_text_folder(const char *name, struct buf *buf, struct err *err)
{
	auto_buf struct buf encoded;
	const char *text;

	buf_init(&encoded, 4096);
	if (imap_utf7_encode(name, &encoded, err) < 0 ||
		buf_text(&encoded, &text, err) < 0)
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
