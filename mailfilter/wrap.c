/* SPDX-License-Identifier: ISC */
#include "mailfilter/wrap.h"

#include <string.h>

/* Characters, not bytes: what continues one does not count. */
static size_t columns(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return count;
}

int wrap_add(struct buf *out, const char *first, const char *rest, const char *text,
	struct err *err)
{
	size_t used = columns(first, strlen(first));
	bool begun = false;

	if (buf_add_str(out, first, err) < 0)
		return -1;
	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		size_t len = strcspn(text, " "), width = columns(text, len);
		bool fits = used + begun + width <= WRAP_COLUMNS;

		if (begun && !fits) {
			if (buf_add_str(out, "\n", err) < 0 ||
				buf_add_str(out, rest, err) < 0)
				return -1;
			used = columns(rest, strlen(rest));
		} else if (begun) {
			if (buf_add_str(out, " ", err) < 0)
				return -1;
			used++;
		}
		if (buf_add(out, text, len, err) < 0)
			return -1;
		used += width;
		begun = true;
		text += len;
	}
	return buf_add_str(out, "\n", err);
}
