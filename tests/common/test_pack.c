/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "common/pack.h"

static void what_is_packed_is_unpacked(void **state)
{
	static const uint8_t expected[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
		0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0, 2, 'h', 'i', 'x' };
	auto_buf struct buf out = { .max = 100 };
	struct unpack unpack;
	struct pack pack;
	struct err err;
	char text[3], byte;

	(void)state;
	pack_init(&pack, &out, &err);
	pack_u8(&pack, 0x01);
	pack_u16(&pack, 0x0203);
	pack_u32(&pack, 0x04050607);
	pack_u64(&pack, 0x08090a0b0c0d0e0f);
	pack_text(&pack, "hi", 3);
	pack_bytes(&pack, "x", 1);
	assert_int_equal(pack_result(&pack), 0);
	assert_int_equal(out.len, sizeof(expected));
	assert_memory_equal(out.data, expected, sizeof(expected));
	unpack = (struct unpack){ .rest = buf_span(&out) };
	assert_int_equal(unpack_u8(&unpack), 0x01);
	assert_int_equal(unpack_u16(&unpack), 0x0203);
	assert_int_equal(unpack_u32(&unpack), 0x04050607);
	assert_int_equal(unpack_u64(&unpack), 0x08090a0b0c0d0e0f);
	unpack_text(&unpack, text, sizeof(text));
	assert_string_equal(text, "hi");
	unpack_bytes(&unpack, &byte, 1);
	assert_int_equal(byte, 'x');
	assert_null(unpack.wrong);
	assert_int_equal(unpack.rest.len, 0);
}

static void the_first_failure_of_packing_stays_and_takes_all_back(void **state)
{
	auto_buf struct buf out = { .max = 8 };
	struct pack pack;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(buf_add_str(&out, "ab", &err), 0);
	pack_init(&pack, &out, &err);
	pack_u32(&pack, 1);
	pack_u32(&pack, 2); /* too long */
	pack_u8(&pack, 3);  /* would fit, but has no place */
	pack_refuse(&pack, "later");
	assert_int_equal(pack_result(&pack), -1);
	assert_non_null(strstr(err.text, "more than 8 bytes"));
	assert_true(span_is(buf_span(&out), "ab"));
}

static void a_text_without_an_end_is_not_packed(void **state)
{
	static const char text[3] = { 'a', 'b', 'c' };
	auto_buf struct buf out = { .max = 100 };
	struct pack pack;
	struct err err = { 0 };

	(void)state;
	pack_init(&pack, &out, &err);
	pack_text(&pack, text, sizeof(text));
	assert_int_equal(pack_result(&pack), -1);
	assert_int_equal(err.kind, ERR_MESSAGE);
	assert_int_equal(out.len, 0);
}

static void after_a_failure_nothing_is_read(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3 };
	struct unpack unpack = { .rest = { bytes, sizeof(bytes) } };
	uint8_t copy[2] = { 9, 9 };
	char text[4] = "old";

	(void)state;
	assert_int_equal(unpack_u32(&unpack), 0);
	assert_non_null(unpack.wrong);
	assert_int_equal(unpack_u8(&unpack), 0);
	unpack_bytes(&unpack, copy, 2);
	assert_int_equal(copy[0], 0);
	unpack_text(&unpack, text, sizeof(text));
	assert_string_equal(text, "");
	assert_int_equal(unpack.rest.len, sizeof(bytes));
}

static void texts_that_do_not_fit_or_hold_a_nul_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		bool fits;
	} cases[] = { { "\0\0", 2, true }, { "\0\3abc", 5, true },
		{ "\0\4abcd", 6, false }, { "\0\3a\0b", 5, false },
		{ "\0\3ab", 4, false }, { "\xff\xff", 2, false }, { "\0", 1, false } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct unpack unpack = { .rest = { (const uint8_t *)cases[i].bytes,
						 cases[i].len } };
		char text[4];

		unpack_text(&unpack, text, sizeof(text));
		assert_int_equal(unpack.wrong == NULL, cases[i].fits);
		if (!cases[i].fits)
			assert_string_equal(text, "");
	}
}

static void a_time_beyond_its_limit_is_refused(void **state)
{
	static const struct {
		int64_t max_s;
		uint8_t bytes[8];
		bool fits;
	} cases[] = {
		{ 0, { 0 }, true },
		{ 0, { 0, 0, 0, 0, 0, 0, 0, 1 }, false },
		{ 256, { 0, 0, 0, 0, 0, 0, 1, 0 }, true },
		{ 255, { 0, 0, 0, 0, 0, 0, 1, 0 }, false },
		{ INT64_MAX, { 0x7f, 255, 255, 255, 255, 255, 255, 255 }, true },
		{ INT64_MAX, { 0x80 }, false },
		{ INT64_MAX, { 255, 255, 255, 255, 255, 255, 255, 255 }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct unpack unpack = { .rest = { cases[i].bytes, 8 } };
		const int64_t time_s = unpack_time(&unpack, cases[i].max_s, "late");

		assert_int_equal(time_s, cases[i].fits ? cases[i].max_s : 0);
		if (cases[i].fits)
			assert_null(unpack.wrong);
		else
			assert_string_equal(unpack.wrong, "late");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_packed_is_unpacked),
		cmocka_unit_test(the_first_failure_of_packing_stays_and_takes_all_back),
		cmocka_unit_test(a_text_without_an_end_is_not_packed),
		cmocka_unit_test(after_a_failure_nothing_is_read),
		cmocka_unit_test(a_time_beyond_its_limit_is_refused),
		cmocka_unit_test(texts_that_do_not_fit_or_hold_a_nul_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
