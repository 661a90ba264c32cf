/* SPDX-License-Identifier: ISC
 *
 * A message parsed, what must hold for any bytes, and tables of messages with the parts and the
 * doubts that they have. */
#ifndef TESTS_COMMON_PARSED_H
#define TESTS_COMMON_PARSED_H

#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "common/mime.h"

enum {
	ROOM = 64 * 1024 * 1024
};

#define MIXED "Content-Type: multipart/mixed; boundary=\"b\"\n\n"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static inline struct mime *parse(struct span message)
{
	struct mime *mime = NULL;
	struct err err = { 0 };

	assert_int_equal(0, mime_parse(message, &mime, &err));
	assert_non_null(mime);
	return mime;
}

static inline struct span body_of(struct span message, const struct mime_part *part)
{
	return span_part(message, part->body_start, part->end - part->body_start);
}

/* "PATH type <body>" for each leaf, "PATH type *" for what has parts; LF for all line ends. */
static inline void describe(struct span message, const struct mime *mime, struct buf *out)
{
	struct err err = { 0 };

	for (size_t i = 0; i < mime->count; i++) {
		const struct mime_part *part = &mime->parts[i];
		struct span body = body_of(message, part);

		assert_int_equal(
			0, buf_printf(out, &err, "%s %s ", part->path, part->type));
		if (part->is_composite)
			body = span_str("*");
		else
			assert_int_equal(0, buf_add_str(out, "<", &err));
		for (size_t at = 0; at < body.len; at++)
			if (body.data[at] != '\r')
				assert_int_equal(
					0, buf_add(out, body.data + at, 1, &err));
		assert_int_equal(
			0, buf_add_str(out, part->is_composite ? "\n" : ">\n", &err));
	}
}

/* What must hold for any bytes. */
static inline void check_shape(struct span message, const struct mime *mime)
{
	assert_true(mime->count >= 1 && mime->count <= MIME_PARTS_MAX);
	for (size_t i = 0; i < mime->count; i++) {
		const struct mime_part *part = &mime->parts[i];
		const struct mime_part *parent =
			part->parent >= 0 ? &mime->parts[part->parent] : NULL;

		assert_true(part->header_start <= part->body_start);
		assert_true(part->body_start <= part->end && part->end <= message.len);
		assert_true(part->parent < (ptrdiff_t)i && (i == 0) == !parent);
		assert_true(part->depth == (parent ? parent->depth + 1 : 0));
		assert_true(part->depth <= MIME_DEPTH_MAX);
		if (!parent)
			continue;
		assert_true(parent->is_composite);
		assert_true(part->header_start >= parent->body_start);
		assert_true(part->end <= parent->end);
		if (mime->parts[i - 1].parent == part->parent)
			assert_true(mime->parts[i - 1].end <= part->header_start);
	}
}

/* The same with CRLF in place of LF. */
static inline void to_crlf(const char *text, struct buf *out)
{
	struct err err = { 0 };

	for (; *text; text++)
		assert_int_equal(0, *text == '\n' ? buf_add_str(out, "\r\n", &err)
						  : buf_add(out, text, 1, &err));
}

struct example {
	const char *message, *parts;
	unsigned doubts;
};

static inline void expect_parts(struct span message, const char *wanted, unsigned doubts)
{
	struct mime *mime = parse(message);
	auto_buf struct buf got;

	buf_init(&got, ROOM);
	check_shape(message, mime);
	describe(message, mime, &got);
	if (!span_equal(buf_span(&got), span_str(wanted)))
		fail_msg("<%.*s>\ngot:\n%.*swanted:\n%s", (int)message.len, message.data,
			(int)got.len, got.data, wanted);
	if (mime->doubts != doubts)
		fail_msg("<%.*s>\ndoubts %#x, wanted %#x", (int)message.len, message.data,
			mime->doubts, doubts);
	mime_free(mime);
}

/* As they stand, and with CRLF: the parts are the same. */
static inline void expect_all(const struct example *table, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		auto_buf struct buf crlf;

		buf_init(&crlf, ROOM);
		to_crlf(table[i].message, &crlf);
		expect_parts(span_str(table[i].message), table[i].parts, table[i].doubts);
		expect_parts(buf_span(&crlf), table[i].parts, table[i].doubts);
	}
}

static inline struct buf repeated(
	const char *before, const char *each, size_t count, const char *after)
{
	struct buf text;
	struct err err = { 0 };

	buf_init(&text, ROOM);
	assert_int_equal(0, buf_add_str(&text, before, &err));
	for (size_t i = 0; i < count; i++)
		assert_int_equal(0, buf_add_str(&text, each, &err));
	assert_int_equal(0, buf_add_str(&text, after, &err));
	return text;
}

static inline struct buf read_sample(const char *name)
{
	char path[512];
	auto_fclose FILE *file = NULL;
	struct buf data;
	struct err err = { 0 };
	uint8_t *room;

	(void)snprintf(path, sizeof(path), "tests/data/mime/%s", name);
	file = fopen(path, "rbe");
	assert_non_null(file);
	buf_init(&data, 65536);
	assert_int_equal(0, buf_reserve(&data, 65536, &room, &err));
	data.len = fread(room, 1, 65536, file);
	assert_true(data.len > 0 && data.len < 65536);
	return data;
}

#endif
