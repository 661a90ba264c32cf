/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"

static void the_monotonic_clock_never_goes_back(void **state)
{
	int64_t last = clock_ms();

	(void)state;
	for (int i = 0; i < 10000; i++) {
		int64_t now = clock_ms();
		assert_true(now >= last);
		last = now;
	}
}

static void the_wall_clock_is_that_of_the_system(void **state)
{
	int64_t before = (int64_t)time(NULL);
	int64_t now_s = clock_wall_s();
	int64_t now_us = clock_wall_us();

	(void)state;
	/* time(2) may lag by a tick of the kernel's coarse clock. */
	assert_in_range(now_s, before, before + 2);
	assert_in_range(now_us / 1000000, now_s, now_s + 2);
}

static void left_is_what_poll_wants(void **state)
{
	(void)state;
	assert_int_equal(clock_left(-1), -1);
	assert_int_equal(clock_left(INT64_MIN), -1);
	assert_int_equal(clock_left(0), 0);
	assert_int_equal(clock_left(clock_ms()), 0);
	assert_in_range(clock_left(clock_ms() + 5000), 4000, 5000);
	assert_int_equal(clock_left(INT64_MAX), 3600 * 1000);
}

static void dates_are_utc_and_english(void **state)
{
	static const struct {
		int64_t wall_s;
		const char *iso, *mail;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 +0000" },
		{ 951782400, "2000-02-29T00:00:00Z", "Tue, 29 Feb 2000 00:00:00 +0000" },
		{ 1769860800, "2026-01-31T12:00:00Z", "Sat, 31 Jan 2026 12:00:00 +0000" },
		{ 4102444799, "2099-12-31T23:59:59Z", "Thu, 31 Dec 2099 23:59:59 +0000" },
		{ -1, "1969-12-31T23:59:59Z", "Wed, 31 Dec 1969 23:59:59 +0000" },
	};
	char text[CLOCK_TEXT_MAX];

	(void)state;
	assert_int_equal(setenv("TZ", "America/New_York", 1), 0);
	tzset();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(clock_iso(cases[i].wall_s, text), cases[i].iso);
		assert_string_equal(
			clock_mail_date(cases[i].wall_s, text), cases[i].mail);
	}
}

static void a_time_beyond_all_calendars_stays_within_its_text(void **state)
{
	static const int64_t cases[] = { INT64_MAX, INT64_MIN, 253402300800,
		-99999999999 };
	char text[CLOCK_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(strlen(clock_iso(cases[i], text)) < CLOCK_TEXT_MAX);
		assert_true(strlen(clock_mail_date(cases[i], text)) < CLOCK_TEXT_MAX);
	}
}

static void a_clock_before_2020_is_wrong(void **state)
{
	static const struct {
		int64_t wall_s;
		const char *begin;
	} cases[] = {
		{ -1, "the clock says 1969-12-31T23:59:59Z: set it" },
		{ 0, "the clock says 1970-01-01T00:00:00Z: set it" },
		{ 1577836799, "the clock says 2019-12-31T23:59:59Z: set it" },
		{ 1577836800, "" },
		{ 1767225600, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[CLOCK_WRONG_MAX];
		bool wrong = cases[i].begin[0] != '\0';

		assert_int_equal(clock_is_wrong(cases[i].wall_s, text), wrong);
		assert_int_equal(text[0] != '\0', wrong);
		assert_int_equal(
			strncmp(text, cases[i].begin, strlen(cases[i].begin)), 0);
		assert_true(strlen(text) < CLOCK_WRONG_MAX - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_monotonic_clock_never_goes_back),
		cmocka_unit_test(the_wall_clock_is_that_of_the_system),
		cmocka_unit_test(left_is_what_poll_wants),
		cmocka_unit_test(dates_are_utc_and_english),
		cmocka_unit_test(a_time_beyond_all_calendars_stays_within_its_text),
		cmocka_unit_test(a_clock_before_2020_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
