/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "mailfilter/progress_line.h"

static const char *text_at(
	struct progress_line *line, const struct progress_total *total, int64_t now_ms)
{
	static char text[PROGRESS_LINE_MAX];

	return progress_line_text(line, total, now_ms, text);
}

static void counts_rate_and_what_is_left_are_said_as_they_become_known(void **state)
{
	struct progress_line line = { 0 };
	struct progress_total total = { .listed = 340 };

	(void)state;
	assert_string_equal(text_at(&line, &total, 1000), "0 of 340 messages");
	total.decided = 20;
	assert_string_equal(text_at(&line, &total, 2000), "20 of 340 messages");
	total.decided = 40;
	total.infected = 3;
	assert_string_equal(text_at(&line, &total, 5000),
		"40 of 340 messages, 3 infected, 600/min, 30 s left");
	total.more = true;
	assert_string_equal(
		text_at(&line, &total, 5000), "40 of 340 messages, 3 infected, 600/min");
	total.more = false;
	total.decided = 340;
	assert_string_equal(text_at(&line, &total, 6000),
		"340 of 340 messages, 3 infected, 4080/min");
}

static void the_rate_is_that_of_late_and_long_times_are_in_longer_units(void **state)
{
	struct progress_line line = { 0 };
	struct progress_total total = { .listed = 4000000000U };

	(void)state;
	(void)text_at(&line, &total, 1000);
	total.decided = 6000;
	assert_string_equal(text_at(&line, &total, 61000),
		"6000 of 4000000000 messages, 6000/min, 11112 h left");
	/* Nothing for some windows: the rate is 0, and no end is known. */
	(void)text_at(&line, &total, 80000);
	assert_string_equal(
		text_at(&line, &total, 100000), "6000 of 4000000000 messages, 0/min");
	total.listed = 6100;
	total.decided = 6001;
	assert_string_equal(text_at(&line, &total, 110000),
		"6001 of 6100 messages, 2/min, 50 min left");
}

static void a_listing_that_begins_again_begins_the_rate_again(void **state)
{
	struct progress_line line = { 0 };
	struct progress_total total = { .listed = 10, .decided = 5 };

	(void)state;
	(void)text_at(&line, &total, 1000);
	total.decided = 2;
	assert_string_equal(text_at(&line, &total, 9000), "2 of 10 messages");
	/* More are decided than were listed: nothing is left. */
	total.decided = 12;
	assert_string_equal(text_at(&line, &total, 11000), "12 of 10 messages, 300/min");
}

static void accounts_add_up(void **state)
{
	struct report one = { .listed = 5, .delivered = 2, .cleaned = 1, .held = 1 };
	struct report two = { .final = true };
	struct report three = { 0 };
	struct progress_total total = { 0 };

	(void)state;
	one.infected[ACTION_CLEAN] = 1;
	one.infected[ACTION_HOLD] = 1;
	progress_total_add(&total, &one);
	progress_total_add(&total, &two);
	assert_int_equal(total.listed, 5);
	assert_int_equal(total.decided, 4);
	assert_int_equal(total.infected, 2);
	assert_false(total.more);
	progress_total_add(&total, &three);
	assert_true(total.more);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			counts_rate_and_what_is_left_are_said_as_they_become_known),
		cmocka_unit_test(
			the_rate_is_that_of_late_and_long_times_are_in_longer_units),
		cmocka_unit_test(a_listing_that_begins_again_begins_the_rate_again),
		cmocka_unit_test(accounts_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
