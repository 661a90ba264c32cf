/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "common/parse.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What no form accepts. */
static const char *const refused[] = { "", " ", "-1", "+1", " 1", "1 ", "1.5", "0x10",
	"1e3", "one", "1,000", "18446744073709551616", "99999999999999999999999", "K",
	"s" };

static void number_reads_decimal_within_its_range(void **state)
{
	static const struct {
		const char *text;
		uint64_t number;
	} cases[] = { { "0", 0 }, { "7", 7 }, { "007", 7 }, { "4294967296", 4294967296 },
		{ "18446744073709551615", UINT64_MAX } };
	struct err err = { 0 };
	uint64_t number;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		number = 1;
		assert_int_equal(
			parse_number(cases[i].text, 0, UINT64_MAX, &number, &err), 0);
		assert_int_equal(number, cases[i].number);
	}
	assert_int_equal(parse_number("3", 3, 5, &number, &err), 0);
	assert_int_equal(parse_number("5", 3, 5, &number, &err), 0);
}

static void number_refuses_the_rest_and_leaves_the_result(void **state)
{
	struct err err = { 0 };
	uint64_t number = 42;

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		assert_int_equal(
			parse_number(refused[i], 0, UINT64_MAX, &number, &err), -1);
		assert_int_equal(err.kind, ERR_SETTINGS);
		assert_int_equal(number, 42);
	}
	assert_int_equal(parse_number("2", 3, 5, &number, &err), -1);
	assert_int_equal(parse_number("6", 3, 5, &number, &err), -1);
	assert_string_equal(err.text, "\"6\": expected a number from 3 to 5");
	assert_int_equal(number, 42);
}

static void size_reads_powers_of_1024_up_to_its_maximum(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} cases[] = { { "0", 0 }, { "500", 500 }, { "64K", 65536 }, { "50M", 52428800 },
		{ "2G", 2147483648 } };
	struct err err = { 0 };
	uint64_t bytes;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(parse_size(cases[i].text, UINT64_MAX, &bytes, &err), 0);
		assert_int_equal(bytes, cases[i].bytes);
		assert_int_equal(
			parse_size(cases[i].text, cases[i].bytes, &bytes, &err), 0);
		if (cases[i].bytes)
			assert_int_equal(parse_size(cases[i].text, cases[i].bytes - 1,
						 &bytes, &err),
				-1);
	}
}

static void size_refuses_the_rest_and_never_wraps(void **state)
{
	static const char *const more[] = { "1k", "1KB", "1T", "1 M", "M1",
		"17179869184G", "18446744073709551615G" };
	struct err err = { 0 };
	uint64_t bytes = 42;

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++)
		assert_int_equal(parse_size(refused[i], UINT64_MAX, &bytes, &err), -1);
	for (size_t i = 0; i < COUNT(more); i++)
		assert_int_equal(parse_size(more[i], UINT64_MAX, &bytes, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_int_equal(bytes, 42);
}

static void duration_needs_its_unit(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = { { "250ms", 250 }, { "30s", 30000 }, { "5m", 300000 },
		{ "12h", 43200000 }, { "7d", 604800000 }, { "0s", 0 } };
	static const char *const more[] = { "5", "5min", "1w", "5M", "1h30m", "m5",
		"9223372036854775807d" };
	struct err err = { 0 };
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(parse_duration(cases[i].text, INT64_MAX, &ms, &err), 0);
		assert_int_equal(ms, cases[i].ms);
	}
	ms = 42;
	for (size_t i = 0; i < COUNT(more); i++)
		assert_int_equal(parse_duration(more[i], INT64_MAX, &ms, &err), -1);
	for (size_t i = 0; i < COUNT(refused); i++)
		assert_int_equal(parse_duration(refused[i], INT64_MAX, &ms, &err), -1);
	assert_int_equal(parse_duration("8d", 604800000, &ms, &err), -1);
	assert_string_equal(err.text,
		"\"8d\": expected a time such as 30s, 5m or 7d, at most 604800 s");
	assert_int_equal(ms, 42);
}

static void a_long_text_is_cut_in_the_message(void **state)
{
	char text[5000];
	struct err err = { 0 };
	uint64_t number;

	(void)state;
	memset(text, '9', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(parse_number(text, 0, 9, &number, &err), -1);
	assert_non_null(strstr(err.text, "9\": expected a number from 0 to 9"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(number_reads_decimal_within_its_range),
		cmocka_unit_test(number_refuses_the_rest_and_leaves_the_result),
		cmocka_unit_test(size_reads_powers_of_1024_up_to_its_maximum),
		cmocka_unit_test(size_refuses_the_rest_and_never_wraps),
		cmocka_unit_test(duration_needs_its_unit),
		cmocka_unit_test(a_long_text_is_cut_in_the_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
