/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "mailfilter/wrap.h"

enum {
	ROOM = 4096
};

static const char *wrapped(struct buf *out, const char *text)
{
	const char *result = NULL;

	buf_init(out, ROOM);
	assert_int_equal(wrap_add(out, "- ", "  ", text, NULL), 0);
	assert_int_equal(buf_text(out, &result, NULL), 0);
	return result;
}

static void short_text_is_one_line(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "", "- \n" },
		{ "one", "- one\n" },
		{ "  one  two ", "- one two\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_buf struct buf out = { 0 };

		assert_string_equal(wrapped(&out, cases[i].text), cases[i].expected);
	}
}

/* With "- " before it 78 columns are left: 75 of the first word, a blank, and the next. */
static void a_line_has_80_columns_and_not_one_more(void **state)
{
	char text[160];
	auto_buf struct buf fits = { 0 };
	auto_buf struct buf next = { 0 };

	(void)state;
	memset(text, 'x', 75);
	(void)snprintf(text + 75, sizeof(text) - 75, " ab c");
	assert_string_equal(strchr(wrapped(&fits, text), '\n'), "\n  c\n");
	(void)snprintf(text + 75, sizeof(text) - 75, " abc d");
	assert_string_equal(strchr(wrapped(&next, text), '\n'), "\n  abc d\n");
}

static void characters_count_and_not_bytes(void **state)
{
	char text[400] = "";
	auto_buf struct buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < 75; i++)
		(void)strncat(text, "\xc3\xa4", sizeof(text) - strlen(text) - 1);
	(void)strncat(text, " ab", sizeof(text) - strlen(text) - 1);
	assert_string_equal(strchr(wrapped(&out, text), '\n'), "\n");
}

static void a_word_that_is_too_long_stays_whole(void **state)
{
	char text[200];
	auto_buf struct buf out = { 0 };
	const char *result;

	(void)state;
	(void)snprintf(text, sizeof(text), "at %0100d now", 0);
	result = wrapped(&out, text);
	assert_true(strncmp(result, "- at\n  00", 9) == 0);
	assert_string_equal(result + 7 + 100, "\n  now\n");
}

static void a_buffer_that_is_full_is_an_error(void **state)
{
	struct err err = { 0 };
	auto_buf struct buf out;

	(void)state;
	buf_init(&out, 10);
	assert_int_equal(wrap_add(&out, "- ", "  ", "more than there is room", &err), -1);
	assert_int_not_equal(err.kind, ERR_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_text_is_one_line),
		cmocka_unit_test(a_line_has_80_columns_and_not_one_more),
		cmocka_unit_test(characters_count_and_not_bytes),
		cmocka_unit_test(a_word_that_is_too_long_stays_whole),
		cmocka_unit_test(a_buffer_that_is_full_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
