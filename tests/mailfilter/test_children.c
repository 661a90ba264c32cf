/* SPDX-License-Identifier: ISC
 *
 * When each account is served next. */
#include "tests/test.h"

#include "mailfilter/children.h"

#include <string.h>

#include "common/clock.h"

#define MINUTE (INT64_C(60) * 1000)
#define HOUR   (60 * MINUTE)

static const struct account_settings account = { .interval_ms = 5 * MINUTE,
	.idle_interval_ms = 30 * MINUTE };

static int64_t left_ms(const struct child *child)
{
	return child->due_ms - clock_ms();
}

/* Within a second, which a loaded machine may take. */
static void assert_near(int64_t is, int64_t should_be)
{
	assert_in_range(is, should_be - 1000, should_be);
}

static void failures_in_a_row_lengthen_the_wait_and_never_shorten_it(void **state)
{
	static const struct {
		int64_t interval_ms;
		uint32_t failures;
		int64_t wait_ms;
	} cases[] = {
		{ 5 * MINUTE, 0, 5 * MINUTE },
		{ 5 * MINUTE, 1, 10 * MINUTE },
		{ 5 * MINUTE, 3, 40 * MINUTE },
		{ 5 * MINUTE, 4, HOUR },
		{ 5 * MINUTE, UINT32_MAX, HOUR },
		{ 24 * HOUR, 0, 24 * HOUR },
		{ 24 * HOUR, 9, 24 * HOUR },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
			children_wait_ms(cases[i].interval_ms, cases[i].failures),
			cases[i].wait_ms);
}

static struct child after(enum err_kind kind, const struct child *before)
{
	struct child child = *before;

	child.report.err.kind = kind;
	child.report.final = true;
	children_schedule(&child, false);
	return child;
}

static void a_server_that_is_away_is_asked_soon_then_later_up_to_the_interval(
	void **state)
{
	struct child child = { .account = &account };

	(void)state;
	child = after(ERR_SESSION, &child);
	assert_in_range(left_ms(&child), CHILDREN_RETRY_MS / 2 - 1000, CHILDREN_RETRY_MS);
	for (int i = 0; i < 20; i++)
		child = after(ERR_SESSION, &child);
	assert_in_range(
		left_ms(&child), account.interval_ms / 2 - 1000, account.interval_ms);
	child = after(ERR_NONE, &child);
	assert_near(left_ms(&child), account.interval_ms);
	child = after(ERR_SESSION, &child);
	assert_in_range(left_ms(&child), 0, CHILDREN_RETRY_MS);
}

static void a_refused_login_is_not_tried_soon(void **state)
{
	struct child child = { .account = &account };

	(void)state;
	child = after(ERR_AUTH, &child);
	assert_near(left_ms(&child), 2 * account.interval_ms);
}

static void in_idle_visits_are_rare_unless_something_waits(void **state)
{
	struct child child = { .account = &account, .idles = true };

	(void)state;
	child = after(ERR_NONE, &child);
	assert_near(left_ms(&child), account.idle_interval_ms);
	child.report.held = 1;
	child = after(ERR_NONE, &child);
	assert_near(left_ms(&child), account.interval_ms);
}

static void news_are_looked_at_at_once_but_not_again_and_again_for_nothing(void **state)
{
	struct child child = { .account = &account, .idles = true, .pid = 1 };

	(void)state;
	child.idle_ms = clock_ms();
	child.due_ms = clock_ms() + HOUR;
	children_schedule_news(&child);
	assert_int_equal(clock_left(child.due_ms), 0);
	for (int i = 0; i < 4; i++) {
		child.due_ms = clock_ms() + HOUR;
		children_schedule_news(&child);
	}
	assert_in_range(left_ms(&child), 7000, 8000);
	/* As soon as there was mail. */
	child.report.delivered = 1;
	child = after(ERR_NONE, &child);
	child.idle_ms = clock_ms();
	children_schedule_news(&child);
	assert_int_equal(clock_left(child.due_ms), 0);
}

static void a_session_that_is_lost_again_and_again_in_idle_is_opened_less_often(
	void **state)
{
	struct child child = { .account = &account, .idles = true };

	(void)state;
	for (int i = 0; i < 12; i++) {
		child.idle_ms = clock_ms();
		children_schedule_lost(&child);
	}
	assert_true(left_ms(&child) > account.interval_ms / 2 - 1000);
	/* One that lasted. */
	child.idle_ms = clock_ms() - INT64_C(2) * CHILDREN_SOON_MS;
	children_schedule_lost(&child);
	assert_in_range(left_ms(&child), 0, CHILDREN_RETRY_MS);
	child.refused = true;
	children_schedule_lost(&child);
	assert_true(child.polls);
	assert_near(left_ms(&child), account.interval_ms);
}

static void only_those_that_do_not_idle_count_as_working_and_the_longest_due_is_next(
	void **state)
{
	struct child items[] = {
		{ .account = &account, .pid = 1, .due_ms = 1 },
		{ .account = &account, .pid = 2, .idles = true, .due_ms = 3 },
		{ .account = &account, .due_ms = 2 },
		{ .account = &account, .due_ms = -1, .failures = 1 },
		{ .pid = 3, .due_ms = 1 }, /* it is ending */
	};
	const struct children children = { items, 5 };
	char text[CHILDREN_STATUS_MAX];

	(void)state;
	assert_int_equal(children_working(&children), 2);
	assert_ptr_equal(children_due(&children), &items[2]);
	items[2].due_ms = clock_ms() + HOUR;
	assert_ptr_equal(children_due(&children), &items[1]);
	items[1].kill_ms = clock_ms() + HOUR;
	assert_null(children_due(&children));
	assert_string_equal(children_status(&children, text),
		"4 accounts, 1 idle, 2 fetching, 1 failed");
}

static void after_a_sleep_all_are_looked_at_within_seconds_but_not_at_one_time(
	void **state)
{
	struct child items[100];
	const struct children children = { items, 100 };
	int64_t first = INT64_MAX, last = 0;

	(void)state;
	for (size_t i = 0; i < 100; i++)
		items[i] = (struct child){ .account = &account,
			.pid = 1,
			.idles = true,
			.due_ms = clock_ms() + HOUR };
	children_look_after(&children, false);
	assert_true(left_ms(&items[0]) > HOUR / 2);
	children_look_after(&children, true);
	for (size_t i = 0; i < 100; i++) {
		first = items[i].due_ms < first ? items[i].due_ms : first;
		last = items[i].due_ms > last ? items[i].due_ms : last;
	}
	assert_true(last <= clock_ms() + CHILDREN_AWAKE_MS);
	assert_true(last - first > CHILDREN_AWAKE_MS / 10);
	/* A new address is for those that reached nobody. */
	items[0] = (struct child){
		.account = &account, .unreached = 5, .due_ms = clock_ms() + HOUR
	};
	children_look_after(&children, false);
	assert_true(left_ms(&items[0]) <= CHILDREN_AWAKE_MS);
}

static void asked_for_while_it_works_an_account_is_served_once_more(void **state)
{
	struct child child = { .account = &account, .pid = 1 };

	(void)state;
	children_look(&child);
	child = after(ERR_NONE, &child);
	assert_int_equal(clock_left(child.due_ms), 0);
	child = after(ERR_NONE, &child);
	assert_near(left_ms(&child), account.interval_ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			failures_in_a_row_lengthen_the_wait_and_never_shorten_it),
		cmocka_unit_test(
			a_server_that_is_away_is_asked_soon_then_later_up_to_the_interval),
		cmocka_unit_test(a_refused_login_is_not_tried_soon),
		cmocka_unit_test(in_idle_visits_are_rare_unless_something_waits),
		cmocka_unit_test(
			news_are_looked_at_at_once_but_not_again_and_again_for_nothing),
		cmocka_unit_test(
			a_session_that_is_lost_again_and_again_in_idle_is_opened_less_often),
		cmocka_unit_test(
			only_those_that_do_not_idle_count_as_working_and_the_longest_due_is_next),
		cmocka_unit_test(
			after_a_sleep_all_are_looked_at_within_seconds_but_not_at_one_time),
		cmocka_unit_test(asked_for_while_it_works_an_account_is_served_once_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
