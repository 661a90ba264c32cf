/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include "scanner/engine_sscanf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The C library's. */
__attribute__((format(scanf, 2, 3))) static int theirs(
	const char *text, const char *format, ...)
{
	va_list args;
	int count;

	va_start(args, format);
	count = vsscanf(text, format, args);
	va_end(args);
	return count;
}

static void a_number_is_read_as_the_c_library_reads_it(void **state)
{
	static const char *const texts[] = { "0", "7", "42&1", "00012", "999999999",
		"1000000000", "4294967295", "4294967296", "99999999999999999999",
		"0000000000000000001", "12 34", " 5", "\t6", "+8", "-1", "-", "", "x",
		"x1", "1x", "0x10" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		unsigned here = 77, there = 77;

		assert_int_equal(engine_sscanf(texts[i], "%u", &here),
			theirs(texts[i], "%u", &there));
		assert_int_equal(here, there);
	}
}

static void any_other_format_is_the_c_librarys(void **state)
{
	char word[8], close;
	unsigned a, b;
	size_t count;
	int n;

	(void)state;
	assert_int_equal(engine_sscanf("12-34", "%u-%u", &a, &b), 2);
	assert_int_equal(a, 12);
	assert_int_equal(b, 34);
	assert_int_equal(engine_sscanf("ff", "%x", &a), 1);
	assert_int_equal(a, 0xff);
	assert_int_equal(engine_sscanf("12", "%u%n", &a, &n), 1);
	assert_int_equal(n, 2);
	assert_int_equal(engine_sscanf("-40}abc", "%d%c%7s", &n, &close, word), 3);
	assert_int_equal(n, -40);
	assert_int_equal(close, '}');
	assert_string_equal(word, "abc");
	assert_int_equal(engine_sscanf("123", "%zu", &count), 1);
	assert_int_equal(count, 123);
	assert_int_equal(engine_sscanf("", "%d", &n), EOF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_read_as_the_c_library_reads_it),
		cmocka_unit_test(any_other_format_is_the_c_librarys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
