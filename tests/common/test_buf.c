/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "common/buf.h"

static struct span part(const char *text, size_t from, size_t len)
{
	return span_part(span_str(text), from, len);
}

static void part_is_cut_to_what_there_is(void **state)
{
	(void)state;
	assert_true(span_is(part("abcdef", 2, 3), "cde"));
	assert_true(span_is(part("abcdef", 4, 100), "ef"));
	assert_true(span_is(part("abcdef", 4, SIZE_MAX), "ef"));
	assert_int_equal(part("abcdef", 6, 1).len, 0);
	assert_int_equal(part("abcdef", SIZE_MAX, SIZE_MAX).len, 0);
	assert_int_equal(span_part((struct span){ NULL, 0 }, 3, 4).len, 0);
}

static void equal_compares_bytes_and_is_ignores_case(void **state)
{
	static const struct span with_nul = { (const uint8_t *)"a\0b", 3 };
	static const struct span none = { NULL, 0 };

	(void)state;
	assert_true(span_equal(span_str("abc"), span_str("abc")));
	assert_false(span_equal(span_str("abc"), span_str("abC")));
	assert_false(span_equal(span_str("abc"), span_str("ab")));
	assert_true(span_equal(none, span_str("")));
	assert_true(span_is(span_str("Content-Type"), "content-type"));
	assert_false(span_is(span_str("Content-Type"), "content-typ"));
	assert_false(span_is(with_nul, "a"));
	assert_false(span_is(with_nul, "axb"));
	assert_true(span_is(none, ""));
}

static void find_gives_the_first_place_or_minus_one(void **state)
{
	static const struct span none = { NULL, 0 };

	(void)state;
	assert_int_equal(span_find(span_str("abcabc"), span_str("bc")), 1);
	assert_int_equal(span_find(span_str("abcabc"), span_str("cb")), -1);
	assert_int_equal(span_find(span_str("ab"), span_str("abc")), -1);
	assert_int_equal(span_find(span_str("ab"), span_str("")), 0);
	assert_int_equal(span_find(none, span_str("a")), -1);
	assert_int_equal(span_find(none, none), 0);
	assert_int_equal(
		span_find(span_str("\x1a\x1a\x02Rar!\x1a\x07"), span_str("Rar!\x1a\x07")),
		3);
	assert_int_equal(span_find(span_str("aa\x1a\x07"), span_str("a\x1a\x07")), 1);
	assert_int_equal(span_find(span_str("\x1a"), span_str("a\x1a")), -1);
	assert_int_equal(span_find(span_str("a\x1b\x1a\x07"), span_str("a\x1a")), -1);
	assert_int_equal(span_find(span_str("ab\x1a"), span_str("\x1a")), 2);
}

static void trim_takes_blanks_from_both_ends_only(void **state)
{
	(void)state;
	assert_true(span_is(span_trim(span_str(" \t\r\na b\r\n ")), "a b"));
	assert_int_equal(span_trim(span_str(" \r\n\t ")).len, 0);
	assert_int_equal(span_trim((struct span){ NULL, 0 }).len, 0);
}

static void add_appends_and_grows(void **state)
{
	auto_buf struct buf buf = { 0 };
	struct err err = { 0 };

	(void)state;
	buf_init(&buf, 1000);
	for (int i = 0; i < 100; i++)
		assert_int_equal(buf_add_str(&buf, "0123456789", &err), 0);
	assert_int_equal(buf.len, 1000);
	assert_true(buf.size <= buf.max);
	for (size_t i = 0; i < buf.len; i++)
		assert_int_equal(buf.data[i], '0' + (int)(i % 10));
	assert_int_equal(buf_add(&buf, NULL, 0, &err), 0);
}

static void add_beyond_max_fails_and_changes_nothing(void **state)
{
	auto_buf struct buf buf = { 0 };
	struct err err = { 0 };
	uint8_t *room = NULL;

	(void)state;
	buf_init(&buf, 8);
	assert_int_equal(buf_add_str(&buf, "12345678", &err), 0);
	assert_int_equal(buf_add_str(&buf, "9", &err), -1);
	assert_int_equal(err.kind, ERR_MESSAGE);
	assert_string_equal(err.text, "more than 8 bytes");
	assert_int_equal(buf_reserve(&buf, SIZE_MAX, &room, &err), -1);
	assert_null(room);
	assert_true(span_is(buf_span(&buf), "12345678"));
}

static void a_buf_of_nothing_takes_nothing(void **state)
{
	auto_buf struct buf buf = { 0 };
	struct err err = { 0 };
	uint8_t *room = NULL;

	(void)state;
	buf_init(&buf, 0);
	assert_int_equal(buf_reserve(&buf, 0, &room, &err), 0);
	assert_non_null(room);
	assert_int_equal(buf_add_str(&buf, "x", &err), -1);
	assert_int_equal(buf.len, 0);
}

static void no_memory_is_fatal_and_changes_nothing(void **state)
{
	auto_buf struct buf buf = { 0 };
	struct err err = { 0 };
	uint8_t *room = NULL;

	(void)state;
	buf_init(&buf, PTRDIFF_MAX);
	assert_int_equal(buf_add_str(&buf, "kept", &err), 0);
	assert_int_equal(buf_reserve(&buf, PTRDIFF_MAX - 4, &room, &err), -1);
	assert_int_equal(err.kind, ERR_FATAL);
	assert_true(span_is(buf_span(&buf), "kept"));
}

static void printf_formats_or_leaves_all_as_it_was(void **state)
{
	auto_buf struct buf buf = { 0 };
	struct err err = { 0 };

	(void)state;
	buf_init(&buf, 8);
	assert_int_equal(buf_printf(&buf, &err, "%s=%d", "a", 12), 0);
	assert_true(span_is(buf_span(&buf), "a=12"));
	assert_int_equal(buf_printf(&buf, &err, "%s", "too long"), -1);
	assert_int_equal(err.kind, ERR_MESSAGE);
	assert_true(span_is(buf_span(&buf), "a=12"));
	assert_int_equal(buf_printf(&buf, &err, "%s", ""), 0);
	assert_int_equal(buf.len, 4);
}

static void consume_drops_from_the_front(void **state)
{
	auto_buf struct buf buf = { 0 };
	struct err err = { 0 };

	(void)state;
	buf_init(&buf, 100);
	buf_consume(&buf, 5);
	assert_int_equal(buf_add_str(&buf, "abcdef", &err), 0);
	buf_consume(&buf, 0);
	buf_consume(&buf, 2);
	assert_true(span_is(buf_span(&buf), "cdef"));
	buf_consume(&buf, SIZE_MAX);
	assert_int_equal(buf.len, 0);
}

static void clear_keeps_the_memory_and_done_may_come_twice(void **state)
{
	struct buf buf = { 0 };
	struct err err = { 0 };

	(void)state;
	buf_done(&buf);
	buf_init(&buf, 100);
	assert_int_equal(buf_add_str(&buf, "abc", &err), 0);
	buf_clear(&buf);
	assert_int_equal(buf.len, 0);
	assert_non_null(buf.data);
	buf_done(&buf);
	buf_done(&buf);
	assert_null(buf.data);
}

static void text_is_the_content_with_a_nul_behind_it(void **state)
{
	auto_buf struct buf buf = { 0 };
	struct err err = { 0 };
	const char *text = NULL;

	(void)state;
	buf_init(&buf, 4);
	assert_int_equal(buf_text(&buf, &text, &err), 0);
	assert_string_equal(text, "");
	assert_int_equal(buf_add_str(&buf, "abc", &err), 0);
	assert_int_equal(buf_text(&buf, &text, &err), 0);
	assert_string_equal(text, "abc");
	assert_int_equal(buf.len, 3);
	assert_int_equal(buf_add_str(&buf, "d", &err), 0);
	text = NULL;
	assert_int_equal(buf_text(&buf, &text, &err), -1);
	assert_null(text);
	assert_int_equal(buf.len, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(part_is_cut_to_what_there_is),
		cmocka_unit_test(equal_compares_bytes_and_is_ignores_case),
		cmocka_unit_test(find_gives_the_first_place_or_minus_one),
		cmocka_unit_test(trim_takes_blanks_from_both_ends_only),
		cmocka_unit_test(add_appends_and_grows),
		cmocka_unit_test(add_beyond_max_fails_and_changes_nothing),
		cmocka_unit_test(a_buf_of_nothing_takes_nothing),
		cmocka_unit_test(no_memory_is_fatal_and_changes_nothing),
		cmocka_unit_test(printf_formats_or_leaves_all_as_it_was),
		cmocka_unit_test(consume_drops_from_the_front),
		cmocka_unit_test(clear_keeps_the_memory_and_done_may_come_twice),
		cmocka_unit_test(text_is_the_content_with_a_nul_behind_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
