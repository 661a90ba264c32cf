/* SPDX-License-Identifier: ISC */
#include "common/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct span span_str(const char *text)
{
	return (struct span){ (const uint8_t *)text, strlen(text) };
}

struct span span_part(struct span span, size_t from, size_t len)
{
	if (from > span.len)
		from = span.len;
	if (len > span.len - from)
		len = span.len - from;
	return (struct span){ span.data ? span.data + from : NULL, len };
}

bool span_equal(struct span left, struct span right)
{
	return left.len == right.len &&
	       (left.len == 0 || memcmp(left.data, right.data, left.len) == 0);
}

bool span_is(struct span span, const char *text)
{
	return span.len == strlen(text) &&
	       (span.len == 0 ||
		       strncasecmp((const char *)span.data, text, span.len) == 0);
}

/* The first byte of a needle that text has not, and other bytes seldom; its length if there is none. */
static size_t rare_byte(struct span needle)
{
	size_t at = 0;

	while (at < needle.len &&
		(needle.data[at] == 0 || needle.data[at] == '\t' ||
			needle.data[at] == '\n' || needle.data[at] == '\r' ||
			(needle.data[at] >= ' ' && needle.data[at] < 0x7f)))
		at++;
	return at;
}

ptrdiff_t span_find(struct span span, struct span needle)
{
	size_t rare = rare_byte(needle);
	const uint8_t *found;

	if (needle.len == 0)
		return 0;
	if (span.len < needle.len)
		return -1;
	if (rare == needle.len) {
		found = memmem(span.data, span.len, needle.data, needle.len);
		return found ? found - span.data : -1;
	}
	/* Where that byte may stand. */
	for (size_t at = rare, end = span.len - needle.len + rare + 1; at < end; at++) {
		found = memchr(span.data + at, needle.data[rare], end - at);
		if (!found)
			return -1;
		at = (size_t)(found - span.data);
		if (memcmp(found - rare, needle.data, needle.len) == 0)
			return (ptrdiff_t)(at - rare);
	}
	return -1;
}

static bool blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span span_trim(struct span span)
{
	while (span.len > 0 && blank(span.data[0]))
		span = span_part(span, 1, span.len - 1);
	while (span.len > 0 && blank(span.data[span.len - 1]))
		span.len--;
	return span;
}

void buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){ .max = max };
}

void buf_done(struct buf *buf)
{
	free(buf->data);
	buf->data = NULL;
	buf->len = buf->size = 0;
}

void buf_wipe(struct buf *buf)
{
	if (buf->data)
		explicit_bzero(buf->data, buf->size);
	buf_done(buf);
}

int buf_reserve(struct buf *buf, size_t len, uint8_t **room_r, struct err *err)
{
	size_t need, size;
	uint8_t *data;

	if (buf->len > buf->max || len > buf->max - buf->len)
		return err_set(err, ERR_MESSAGE, "more than %zu bytes", buf->max);
	need = buf->len + len;
	if (need > buf->size || !buf->data) {
		size = buf->size < 64 ? 64 : buf->size;
		while (size < need)
			size = size > SIZE_MAX / 2 ? need : size * 2;
		if (size > buf->max && need <= buf->max)
			size = buf->max ? buf->max : 1;
		data = realloc(buf->data, size);
		if (!data)
			return err_memory(err);
		buf->data = data;
		buf->size = size;
	}
	*room_r = buf->data + buf->len;
	return 0;
}

int buf_add(struct buf *buf, const void *data, size_t len, struct err *err)
{
	uint8_t *room;

	if (len == 0)
		return 0;
	if (buf_reserve(buf, len, &room, err) < 0)
		return -1;
	memcpy(room, data, len);
	buf->len += len;
	return 0;
}

int buf_add_str(struct buf *buf, const char *text, struct err *err)
{
	return buf_add(buf, text, strlen(text), err);
}

int buf_printf(struct buf *buf, struct err *err, const char *format, ...)
{
	va_list args;
	uint8_t *room;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return err_set(err, ERR_FATAL, "cannot format text");
	/* One more for the NUL of vsnprintf; a buf one byte short of its maximum refuses. */
	if (buf_reserve(buf, (size_t)len + 1, &room, err) < 0)
		return -1;
	va_start(args, format);
	(void)vsnprintf((char *)room, (size_t)len + 1, format, args);
	va_end(args);
	buf->len += (size_t)len;
	return 0;
}

void buf_consume(struct buf *buf, size_t len)
{
	if (len >= buf->len) {
		buf->len = 0;
		return;
	}
	memmove(buf->data, buf->data + len, buf->len - len);
	buf->len -= len;
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
}

struct span buf_span(const struct buf *buf)
{
	return (struct span){ buf->data, buf->len };
}

int buf_text(struct buf *buf, const char **text_r, struct err *err)
{
	uint8_t *room;

	if (buf_reserve(buf, 1, &room, err) < 0)
		return -1;
	*room = '\0';
	*text_r = (const char *)buf->data;
	return 0;
}
