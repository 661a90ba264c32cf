/* SPDX-License-Identifier: ISC */
#include "mailfilter/smtp_text.h"

#include <string.h>

struct writer {
	int (*sink)(void *arg, struct span bytes, struct err *err);
	void *arg;
	struct err *err;
};

static int give(const struct writer *writer, struct span bytes)
{
	return bytes.len > 0 ? writer->sink(writer->arg, bytes, writer->err) : 0;
}

/* A line without its end, in which every CR is a lone one. */
static int write_inside(const struct writer *writer, struct span line)
{
	while (line.len > 0) {
		const uint8_t *cr = memchr(line.data, '\r', line.len);
		const size_t len = cr ? (size_t)(cr - line.data) : line.len;

		if (give(writer, span_part(line, 0, len)) < 0 ||
			(cr && give(writer, span_str(" ")) < 0))
			return -1;
		line = span_part(line, cr ? len + 1 : len, line.len);
	}
	return 0;
}

static int write_line(const struct writer *writer, struct span line)
{
	if (line.len > 0 && line.data[0] == '.' && give(writer, span_str(".")) < 0)
		return -1;
	if (write_inside(writer, line) < 0)
		return -1;
	return give(writer, span_str("\r\n"));
}

/* The next line without its end, *pos behind it. */
static struct span next_line(struct span message, size_t *pos)
{
	struct span line = span_part(message, *pos, message.len);
	const uint8_t *end = memchr(line.data, '\n', line.len);

	if (end)
		line.len = (size_t)(end - line.data);
	*pos += line.len + (end != NULL);
	if (end && line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	return line;
}

int smtp_text_write(struct span message,
	int (*sink)(void *arg, struct span bytes, struct err *err), void *arg,
	struct err *err)
{
	const struct writer writer = { .sink = sink, .arg = arg, .err = err };
	size_t pos = 0;

	while (pos < message.len)
		if (write_line(&writer, next_line(message, &pos)) < 0)
			return -1;
	return 0;
}

uint64_t smtp_text_size(struct span message)
{
	uint64_t size = 0;
	size_t pos = 0;

	while (pos < message.len)
		size += next_line(message, &pos).len + 2;
	return size;
}

bool smtp_text_is_8bit(struct span message)
{
	for (size_t i = 0; i < message.len; i++)
		if (message.data[i] >= 0x80)
			return true;
	return false;
}
