/* SPDX-License-Identifier: ISC */
#include "mailfilter/imap_text.h"

#include "mailfilter/imap_utf7.h"

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
