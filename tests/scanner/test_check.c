/* SPDX-License-Identifier: ISC
 *
 * The table, and the checks that look at facts alone. */
#include "tests/scanner/checked.h"

#include "scanner/facts.h"

static void the_table_fits_the_wire_and_its_names_are_unique(void **state)
{
	size_t count = 0;

	(void)state;
	for (const struct check *check = check_table; check->name; check++) {
		assert_true(++count <= CHECKS_MAX);
		assert_true(strlen(check->name) < CHECK_NAME_MAX);
		assert_int_equal(strspn(check->name, "abcdefghijklmnopqrstuvwxyz-"),
			strlen(check->name));
		assert_true(check->interval_ms > 0);
		for (const struct check *other = check_table; other < check; other++)
			assert_string_not_equal(other->name, check->name);
	}
}

static void the_worst_is_what_is_said(void **state)
{
	struct check_result result = { 0 };

	(void)state;
	check_say(&result, CHECK_OK, "first");
	check_say(&result, CHECK_OK, "second");
	assert_string_equal(result.text, "first");
	check_say(&result, CHECK_CRITICAL, "%d", 3);
	check_say(&result, CHECK_WARNING, "fourth");
	assert_string_equal(result.text, "3");
	assert_int_equal(result.level, CHECK_CRITICAL);
}

static void a_span_is_told_in_a_unit_of_which_there_are_two(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = { { 0, "0 seconds" }, { 1999, "1 second" }, { 119999, "119 seconds" },
		{ 120000, "2 minutes" }, { 7199999, "119 minutes" },
		{ 7200000, "2 hours" }, { INT64_C(172800000), "2 days" } };
	char text[CHECK_SPAN_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(check_span(cases[i].ms, text), cases[i].text);
}

static void dead_workers_are_told_of(void **state)
{
	struct checked at;

	(void)state;
	checked_start(&at);
	says(&at, check_workers, CHECK_OK, "being loaded");
	at.facts.serving = true;
	at.facts.workers_wanted = 4;
	says(&at, check_workers, CHECK_OK, "the first of 4 is being tested");
	at.facts.workers_able = 3;
	at.facts.probed_ago_ms = 180000;
	says(&at, check_workers, CHECK_OK, "3 of 4 serve");
	at.facts.counts[HEALTH_CRASHES] = 2;
	at.facts.counts[HEALTH_LATE] = 1;
	says(&at, check_workers, CHECK_OK, "3 of 4 serve");
	at.facts.counts[HEALTH_KILLED] = 1;
	says(&at, check_workers, CHECK_WARNING,
		"2 crashed, 1 took too long, 1 were killed, and their host ended 0 times");
	at.facts.counts[HEALTH_HOSTS] = 27;
	says(&at, check_workers, CHECK_CRITICAL, "their host ended 27 times");
	memset(at.facts.counts, 0, sizeof(at.facts.counts));
	at.facts.workers_able = 0;
	at.facts.waiting = 1;
	says(&at, check_workers, CHECK_WARNING, "no worker is there");
	at.facts.serving = false;
	(void)snprintf(at.facts.trouble, sizeof(at.facts.trouble), "no signatures");
	says(&at, check_workers, CHECK_CRITICAL, "mail waits: no signatures");
	checked_stop(&at);
}

static void a_self_test_that_fails_is_told_of(void **state)
{
	struct checked at;

	(void)state;
	checked_start(&at);
	says(&at, check_selftest, CHECK_OK, "no worker has passed");
	at.facts.probed_ago_ms = at.facts.test_passed_ago_ms = 1000;
	at.facts.proved_for_ms = 180000;
	says(&at, check_selftest, CHECK_OK, "in the last 3 minutes");
	(void)snprintf(at.facts.test_why, sizeof(at.facts.test_why), "no room");
	at.facts.test_failed_ago_ms = 5000;
	says(&at, check_selftest, CHECK_WARNING, "5 seconds ago a worker did not pass");
	at.facts.test_failed_ago_ms = 500;
	says(&at, check_selftest, CHECK_CRITICAL,
		"no worker passes, and mail waits: no room");
	at.facts.test_failed_ago_ms = at.facts.test_wrong_ago_ms = 599000;
	says(&at, check_selftest, CHECK_CRITICAL, "see what else it let pass");
	at.facts.test_failed_ago_ms = at.facts.test_wrong_ago_ms = 600000;
	says(&at, check_selftest, CHECK_OK, "in the last 3 minutes");
	/* Nobody passed since, however long ago that is. */
	at.facts.probed_ago_ms = at.facts.test_passed_ago_ms = 700000;
	says(&at, check_selftest, CHECK_CRITICAL, "no worker passes");
	checked_stop(&at);
}

static void a_failure_of_the_past_is_none_of_today(void **state)
{
	struct checked at;

	(void)state;
	checked_start(&at);
	/* Days ago one failed; since then others passed, and now the signatures are loaded anew. */
	at.facts.test_failed_ago_ms = 3 * DAY_S * 1000;
	at.facts.test_passed_ago_ms = 60000;
	says(&at, check_selftest, CHECK_OK, "no worker has passed its self-test yet");
	/* None of the new ones passes. */
	at.facts.test_failed_ago_ms = 1000;
	says(&at, check_selftest, CHECK_CRITICAL, "no worker passes");
	/* While others serve, or the old ones, no mail waits for it. */
	at.facts.workers_able = 1;
	at.facts.probed_ago_ms = 60000;
	says(&at, check_selftest, CHECK_WARNING, "ago a worker did not pass");
	checked_stop(&at);
}

static void what_happened_is_news_for_ten_turns(void **state)
{
	struct settings settings = { .check_interval_ms = 1000 };

	(void)state;
	assert_int_equal(check_news_ms(&settings), 10000);
	settings.check_interval_ms = 86400000;
	assert_int_equal(check_news_ms(&settings), 600000);
}

static void mail_that_waits_is_told_of(void **state)
{
	struct checked at;

	(void)state;
	checked_start(&at);
	says(&at, check_queue, CHECK_OK, "no mail waits");
	at.facts.waiting = 5;
	at.facts.oldest_for_ms = 59000;
	says(&at, check_queue, CHECK_OK,
		"5 messages wait, the first of them for 59 seconds");
	at.facts.oldest_for_ms = 61000;
	says(&at, check_queue, CHECK_WARNING, "61 seconds");
	at.facts.oldest_for_ms = 601000;
	says(&at, check_queue, CHECK_CRITICAL, "10 minutes");
	limit_is(&at, "queue-age off");
	says(&at, check_queue, CHECK_OK, "10 minutes");
	checked_stop(&at);
}

static void slow_scans_are_told_of(void **state)
{
	struct checked at;

	(void)state;
	checked_start(&at);
	says(&at, check_times, CHECK_OK, "nothing was scanned");
	at.facts.times[1] = (struct health_times){ 5, { 1, 31000, 99000 }, { 0 } };
	says(&at, check_times, CHECK_WARNING, "to 100 KB takes more than 31 seconds");
	at.facts.times[4] = (struct health_times){ 5, { 1, 200000, 300000 }, { 0 } };
	says(&at, check_times, CHECK_CRITICAL, "of more takes more than 3 minutes");
	at.facts.times[1].scans = at.facts.times[4].scans = 4;
	says(&at, check_times, CHECK_OK, "in time");
	checked_stop(&at);
}

static void unscannable_mail_is_told_of_unless_it_is_encrypted(void **state)
{
	struct checked at;

	(void)state;
	checked_start(&at);
	says(&at, check_unscannable, CHECK_OK, "0 of 0");
	at.facts.counts[HEALTH_CLEAN] = 9;
	at.facts.counts[HEALTH_UNSCANNABLE] = 10;
	says(&at, check_unscannable, CHECK_OK, "10 of 19");
	at.facts.counts[HEALTH_INFECTED] = 1;
	says(&at, check_unscannable, CHECK_WARNING, "10 of 20");
	at.facts.counts[HEALTH_UNSCANNABLE] = 12;
	says(&at, check_unscannable, CHECK_CRITICAL, "12 of 22");
	at.facts.counts[HEALTH_ENCRYPTED] = 10;
	says(&at, check_unscannable, CHECK_OK, "2 of 22");
	checked_stop(&at);
}

static void a_clock_that_jumps_is_told_of_for_a_while(void **state)
{
	struct checked at;
	struct facts facts = { .jumped_at = -1 };

	(void)state;
	checked_start(&at);
	facts_note_offset(&facts, 500000, 10);
	facts_note_offset(&facts, 500900, 20);
	facts_note_offset(&facts, 500000, 30);
	assert_int_equal(facts.jumped_at, -1);
	facts_note_offset(&facts, 440000, 40);
	assert_int_equal(facts.jumped_at, 40);
	assert_int_equal(facts.jump_ms, -60000);
	says(&at, check_clock, CHECK_OK, "does not jump");
	at.facts.jump_ms = facts.jump_ms;
	at.facts.jumped_ago_ms = 5000;
	says(&at, check_clock, CHECK_WARNING, "jumped back by 60 seconds, 5 seconds ago");
	at.facts.jump_ms = 3601000;
	says(&at, check_clock, CHECK_CRITICAL, "jumped ahead by 60 minutes");
	at.facts.jumped_ago_ms = 600001;
	says(&at, check_clock, CHECK_OK, "does not jump");
	at.facts.wall_s = 86400;
	says(&at, check_clock, CHECK_CRITICAL, "before 2020");
	checked_stop(&at);
}

static void an_inspector_that_does_not_live_is_told_of(void **state)
{
	struct checked at;

	(void)state;
	checked_start(&at);
	says(&at, check_inspector, CHECK_OK, "the checks run");
	at.facts.inspector_died_ago_ms = 1000;
	says(&at, check_inspector, CHECK_WARNING, "ended on its own 1 second ago");
	(void)snprintf(at.facts.inspector, sizeof(at.facts.inspector), "cannot start");
	says(&at, check_inspector, CHECK_CRITICAL, "cannot start");
	at.facts.inspector[0] = '\0';
	at.facts.inspector_hung = true;
	says(&at, check_inspector, CHECK_WARNING, "hung, and was replaced, 1 second ago");
	at.facts.inspector_died_ago_ms = 600000;
	says(&at, check_inspector, CHECK_OK, "the checks run");
	checked_stop(&at);
}

static void an_hour_forgets_what_is_older(void **state)
{
	struct hour hour = { 0 };
	uint64_t counts[HEALTH_COUNTS] = { [HEALTH_CRASHES] = 7 }, delta[HEALTH_COUNTS];

	(void)state;
	hour_turn(&hour, 1000, counts, delta);
	assert_int_equal(delta[HEALTH_CRASHES], 0);
	counts[HEALTH_CRASHES] = 10;
	hour_turn(&hour, 2000, counts, delta);
	assert_int_equal(delta[HEALTH_CRASHES], 3);
	for (int64_t now = 2000; now < INT64_C(60) * 60 * 1000; now += 10000)
		hour_turn(&hour, now, counts, delta);
	assert_int_equal(delta[HEALTH_CRASHES], 3);
	for (int64_t now = INT64_C(60) * 60 * 1000; now < INT64_C(66) * 60 * 1000;
		now += 10000)
		hour_turn(&hour, now, counts, delta);
	assert_int_equal(delta[HEALTH_CRASHES], 0);
	counts[HEALTH_CRASHES] = 11;
	hour_turn(&hour, INT64_C(66) * 60 * 1000, counts, delta);
	assert_int_equal(delta[HEALTH_CRASHES], 1);
	/* Nobody looked for a week. */
	hour_turn(&hour, INT64_C(7) * 24 * 3600 * 1000, counts, delta);
	assert_int_equal(delta[HEALTH_CRASHES], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_fits_the_wire_and_its_names_are_unique),
		cmocka_unit_test(the_worst_is_what_is_said),
		cmocka_unit_test(a_span_is_told_in_a_unit_of_which_there_are_two),
		cmocka_unit_test(dead_workers_are_told_of),
		cmocka_unit_test(a_self_test_that_fails_is_told_of),
		cmocka_unit_test(a_failure_of_the_past_is_none_of_today),
		cmocka_unit_test(what_happened_is_news_for_ten_turns),
		cmocka_unit_test(mail_that_waits_is_told_of),
		cmocka_unit_test(slow_scans_are_told_of),
		cmocka_unit_test(unscannable_mail_is_told_of_unless_it_is_encrypted),
		cmocka_unit_test(a_clock_that_jumps_is_told_of_for_a_while),
		cmocka_unit_test(an_inspector_that_does_not_live_is_told_of),
		cmocka_unit_test(an_hour_forgets_what_is_older),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
