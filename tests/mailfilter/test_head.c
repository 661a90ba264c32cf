/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "mailfilter/head.h"

/* The head of len bytes, which come in pieces. */
static struct head head_of(const char *bytes, size_t len, size_t piece)
{
	struct head_reader reader;
	struct head head;

	assert_int_equal(head_init(&reader, NULL), 0);
	for (size_t at = 0; at < len; at += piece)
		assert_int_equal(
			head_add(&reader,
				span_part((struct span){ (const uint8_t *)bytes, len },
					at, piece),
				NULL),
			0);
	head = head_result(&reader);
	head_done(&reader);
	return head;
}

static void pieces_make_no_difference_and_what_is_behind_counts_nothing(void **state)
{
	static const size_t pieces[] = { 1, 7, 4096, HEAD_BYTES - 1, HEAD_BYTES,
		HEAD_BYTES + 1, (size_t)3 * HEAD_BYTES };
	static char bytes[3 * HEAD_BYTES];
	struct head whole, other;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	whole = head_of(bytes, HEAD_BYTES, HEAD_BYTES);
	assert_true(whole.known);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		other = head_of(bytes, sizeof(bytes), pieces[i]);
		assert_true(head_equal(&whole, &other));
	}
	bytes[HEAD_BYTES] = 'y';
	other = head_of(bytes, sizeof(bytes), 100);
	assert_true(head_equal(&whole, &other));
	bytes[HEAD_BYTES - 1] = 'y';
	other = head_of(bytes, sizeof(bytes), 100);
	assert_false(head_equal(&whole, &other));
	other = head_of(bytes, HEAD_BYTES - 1, 100);
	assert_false(head_equal(&whole, &other));
}

static void nothing_is_told_by_nothing(void **state)
{
	struct head none = head_of("", 0, 1), also = head_of("", 0, 1);

	(void)state;
	assert_false(none.known);
	assert_false(head_equal(&none, &also));
}

static void a_reader_starts_anew_after_each_result(void **state)
{
	struct head first, second, alone = head_of("two", 3, 3);
	struct head_reader reader;

	(void)state;
	assert_int_equal(head_init(&reader, NULL), 0);
	assert_int_equal(head_add(&reader, span_str("one"), NULL), 0);
	first = head_result(&reader);
	assert_int_equal(head_add(&reader, span_str("two"), NULL), 0);
	second = head_result(&reader);
	assert_false(head_result(&reader).known);
	head_done(&reader);
	head_done(&reader);
	assert_false(head_equal(&first, &second));
	assert_true(head_equal(&second, &alone));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			pieces_make_no_difference_and_what_is_behind_counts_nothing),
		cmocka_unit_test(nothing_is_told_by_nothing),
		cmocka_unit_test(a_reader_starts_anew_after_each_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
