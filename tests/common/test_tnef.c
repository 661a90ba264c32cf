/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "common/tnef.h"

enum {
	ROOM = 4096
};

static void put(struct buf *out, uint32_t value, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t byte = (uint8_t)(value >> (8 * i));

		assert_int_equal(buf_add(out, &byte, 1, NULL), 0);
	}
}

static void put_attribute(struct buf *out, uint32_t id, struct span value)
{
	put(out, 2, 1);
	put(out, id, 4);
	put(out, (uint32_t)value.len, 4);
	assert_int_equal(buf_add(out, value.data, value.len, NULL), 0);
	put(out, 0, 2);
}

static void put_start(struct buf *out)
{
	put(out, 0x223e9f78, 4);
	put(out, 1, 2);
}

/* Two attachments, one as a property, and an object that is a stream itself. */
static void make(struct buf *out)
{
	auto_buf struct buf properties;

	buf_init(&properties, ROOM);
	put_start(out);
	put_attribute(out, 0x00069002, span_str("rendering"));
	put_attribute(out, 0x0006800f, span_str("first file"));
	put(&properties, 2, 4);
	put(&properties, 0x37050003, 4);
	put(&properties, 1, 4);
	put(&properties, 0x37010102, 4);
	put(&properties, 1, 4);
	put(&properties, 11, 4);
	assert_int_equal(buf_add_str(&properties, "second file.", NULL), 0);
	put(&properties, 0x3701000d, 4);
	put(&properties, 1, 4);
	put(&properties, 16 + 6, 4);
	assert_int_equal(buf_add_str(&properties, "0123456789abcdef", NULL), 0);
	put_start(&properties);
	put_attribute(out, 0x00069005, buf_span(&properties));
	put_attribute(out, 0x0006800f, span_str("last"));
}

static void files_come_from_attributes_and_properties(void **state)
{
	auto_buf struct buf stream;
	struct tnef tnef, inner;
	struct span file;

	(void)state;
	buf_init(&stream, ROOM);
	make(&stream);
	assert_true(tnef_open(buf_span(&stream), &tnef));
	assert_true(tnef_next(&tnef, &file));
	assert_true(span_equal(file, span_str("first file")));
	assert_true(tnef_next(&tnef, &file));
	assert_true(span_equal(file, span_str("second file")));
	assert_true(tnef_next(&tnef, &file));
	assert_true(tnef_open(file, &inner));
	assert_false(tnef_next(&inner, &file));
	assert_true(tnef_next(&tnef, &file));
	assert_true(span_equal(file, span_str("last")));
	assert_false(tnef_next(&tnef, &file));
}

static void cut_and_changed_streams_end(void **state)
{
	auto_buf struct buf stream;
	unsigned seed = 3;

	(void)state;
	buf_init(&stream, ROOM);
	make(&stream);
	for (size_t round = 0; round < 20000; round++) {
		size_t len = round % (stream.len + 1), count = 0;
		uint8_t *copy = malloc(len + 1);
		struct tnef tnef;
		struct span file;

		memcpy(copy, stream.data, len);
		for (int n = 0; len > 6 && n < 2; n++) {
			seed = seed * 1103515245 + 12345;
			copy[6 + (seed >> 8) % (len - 6)] = (uint8_t)(seed >> 16);
		}
		if (tnef_open((struct span){ copy, len }, &tnef))
			while (tnef_next(&tnef, &file)) {
				assert_true(file.len <= len);
				assert_true(++count <= len);
			}
		free(copy);
	}
	assert_false(tnef_open(span_str("no TNEF"), &(struct tnef){ 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_come_from_attributes_and_properties),
		cmocka_unit_test(cut_and_changed_streams_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
