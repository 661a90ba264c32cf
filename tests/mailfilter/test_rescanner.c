/* SPDX-License-Identifier: ISC
 *
 * Whose delivered mail is scanned again, and when. The processes themselves are tried end to end. */
#include "tests/test.h"

#include "mailfilter/rescanner.h"

#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

#define MINUTE (INT64_C(60) * 1000)

static const struct account_settings maildir = { .deliver_kind = DELIVER_MAILDIR };
static const struct account_settings mbox = { .deliver_kind = DELIVER_MBOX };

/* Two accounts that were served, and whose turn it is, the second one's for longer. */
struct world {
	struct rescanner rescanner;
	struct child items[2];
	struct children children;
};

static struct world *make(void)
{
	static struct world world;

	world = (struct world){ .children = { world.items, 2 } };
	rescanner_init(&world.rescanner);
	for (int i = 0; i < 2; i++)
		world.items[i] = (struct child){ .account = &maildir,
			.last.last_s = 1,
			.due_ms = clock_ms() + 60 * MINUTE,
			.rescan.due_ms = clock_ms() - INT64_C(1000) * (i + 1) };
	return &world;
}

static struct child *due(const struct world *world)
{
	return rescanner_due(&world->rescanner, &world->children);
}

static int64_t left_ms(int64_t at_ms)
{
	return at_ms - clock_ms();
}

/* Within a second, which a loaded machine may take. */
static void assert_near(int64_t is, int64_t should_be)
{
	assert_in_range(is, should_be - 1000, should_be);
}

static void the_account_that_waits_longest_is_first(void **state)
{
	struct world *world = make();

	(void)state;
	assert_ptr_equal(due(world), &world->items[1]);
	world->items[1].rescan.due_ms = clock_ms() + MINUTE;
	assert_ptr_equal(due(world), &world->items[0]);
	world->items[0].rescan.due_ms = clock_ms() + 2 * MINUTE;
	assert_null(due(world));
	assert_near(
		left_ms(rescanner_next_ms(&world->rescanner, &world->children)), MINUTE);
}

static void an_account_that_is_new_is_looked_at_in_a_moment(void **state)
{
	struct world *world = make();

	(void)state;
	for (int i = 0; i < 2; i++)
		world->items[i].rescan.due_ms = 0;
	assert_null(due(world));
	assert_near(left_ms(world->items[0].rescan.due_ms), RESCANNER_FIRST_MS);
}

static void an_account_that_cannot_be_served_is_left_alone(void **state)
{
	(void)state;
	for (int i = 0; i < 6; i++) {
		struct world *world = make();
		struct child *child = &world->items[1];

		switch (i) {
		case 0:
			child->account = &mbox;
			break;
		case 1:
			child->failures = 1;
			break;
		case 2:
			child->unreached = 1;
			break;
		case 3:
			child->last.last_s = 0;
			break;
		case 4:
			child->kill_ms = 1;
			break;
		default:
			child->account = NULL;
			break;
		}
		assert_ptr_equal(due(world), &world->items[0]);
	}
}

static void while_an_account_is_served_none_is_begun_but_not_for_ever(void **state)
{
	struct world *world = make();

	(void)state;
	world->items[0].pid = 1;
	assert_null(due(world));
	assert_near(left_ms(rescanner_next_ms(&world->rescanner, &world->children)),
		RESCAN_YIELD_MS - 2000);
	world->items[1].rescan.due_ms = clock_ms() - RESCAN_YIELD_MS;
	assert_ptr_equal(due(world), &world->items[1]);
	/* One in IDLE is served by nobody. */
	world = make();
	world->items[0].pid = 1;
	world->items[0].idles = true;
	assert_ptr_equal(due(world), &world->items[1]);
}

static void one_process_runs_at_a_time(void **state)
{
	struct world *world = make();

	(void)state;
	world->rescanner.process.pid = 1;
	assert_null(due(world));
	assert_int_equal(rescanner_next_ms(&world->rescanner, &world->children), -1);
}

static void whoever_has_had_these_signatures_needs_no_process(void **state)
{
	struct world *world = make();
	struct rescan_report report = { .told = true, .all = true, .known = true };

	(void)state;
	memset(report.signatures.bytes, 7, sizeof(report.signatures.bytes));
	rescanner_note(&world->rescanner, &world->items[0], &report);
	assert_near(left_ms(world->items[0].rescan.due_ms), RESCANNER_LOOK_MS);
	assert_ptr_equal(due(world), &world->items[1]);
	rescanner_note(&world->rescanner, &world->items[1], &report);
	world->items[0].rescan.due_ms = world->items[1].rescan.due_ms = clock_ms();
	assert_null(due(world));
	assert_near(left_ms(world->items[1].rescan.due_ms), RESCANNER_LOOK_MS);
	/* Others have come since. */
	report.signatures.bytes[0] = 8;
	rescanner_note(&world->rescanner, &world->items[0], &report);
	world->items[1].rescan.due_ms = clock_ms();
	assert_ptr_equal(due(world), &world->items[1]);
	rescanner_look(&world->rescanner, &world->children);
	assert_non_null(due(world));
}

static void without_a_scanner_all_hold_and_then_go_on(void **state)
{
	struct world *world = make();
	const struct rescan_report report = { .asked = true, .err.kind = ERR_AGAIN };

	(void)state;
	rescanner_note(&world->rescanner, &world->items[1], &report);
	assert_null(due(world));
	assert_near(left_ms(rescanner_next_ms(&world->rescanner, &world->children)),
		RESCANNER_HOLD_MS);
	assert_int_equal(world->items[1].rescan.failures, 0);
	world->rescanner.hold_ms = clock_ms() - 1;
	assert_ptr_equal(due(world), &world->items[0]);
}

/* A disk that is full, or a process that died at once: of that account alone, and again and again. */
static void what_fails_before_the_scanners_were_asked_holds_nobody_else(void **state)
{
	struct world *world = make();
	struct child *child = &world->items[1];
	const struct rescan_report died = { .err.kind = ERR_AGAIN },
				   busy = { .busy = true, .err.kind = ERR_AGAIN };

	(void)state;
	for (int i = 0; i < 3; i++)
		rescanner_note(&world->rescanner, child, &died);
	assert_near(left_ms(child->rescan.due_ms), INT64_C(4) * RESCANNER_HOLD_MS);
	assert_true(child->rescan.said);
	assert_int_equal(world->rescanner.tries, 0);
	assert_ptr_equal(due(world), &world->items[0]);
	/* Somebody else is at it. */
	child->rescan.failures = 0;
	child->rescan.said = false;
	rescanner_note(&world->rescanner, child, &busy);
	assert_near(left_ms(child->rescan.due_ms), RESCANNER_LOOK_MS);
	assert_int_equal(child->rescan.failures, 0);
	assert_false(child->rescan.said);
	assert_ptr_equal(due(world), &world->items[0]);
}

static void what_fails_is_tried_again_later_and_later(void **state)
{
	struct world *world = make();
	struct child *child = &world->items[1];
	const struct rescan_report refused = { .told = true, .err.kind = ERR_AUTH },
				   broken = { .told = true, .err.kind = ERR_AGAIN },
				   fine = { .told = true };

	(void)state;
	rescanner_note(&world->rescanner, child, &broken);
	assert_near(left_ms(child->rescan.due_ms), RESCANNER_HOLD_MS);
	rescanner_note(&world->rescanner, child, &broken);
	assert_near(left_ms(child->rescan.due_ms), INT64_C(2) * RESCANNER_HOLD_MS);
	rescanner_note(&world->rescanner, child, &fine);
	rescanner_note(&world->rescanner, child, &refused);
	assert_near(left_ms(child->rescan.due_ms), RESCANNER_LOOK_MS);
	for (int i = 0; i < 9; i++)
		rescanner_note(&world->rescanner, child, &refused);
	assert_near(left_ms(child->rescan.due_ms), CHILDREN_BACKOFF_MAX_MS);
	assert_false(child->rescan.done);
	assert_ptr_equal(due(world), &world->items[0]);
}

static void what_is_marked_in_place_is_visited_now(void **state)
{
	struct world *world = make();
	const struct rescan_report report = { .told = true, .marked = 1 };

	(void)state;
	rescanner_note(&world->rescanner, &world->items[0], &report);
	assert_true(left_ms(world->items[0].due_ms) <= 0);
	assert_true(left_ms(world->items[1].due_ms) > MINUTE);
	/* One that is being visited is visited once more. */
	world->items[1].pid = 1;
	rescanner_note(&world->rescanner, &world->items[1], &report);
	assert_true(world->items[1].again);
}

static void what_was_told_to_end_goes_on_at_once(void **state)
{
	struct world *world = make();
	const struct rescan_report report = { .told = true, .err.kind = ERR_AGAIN };

	(void)state;
	world->rescanner.kicked = true;
	rescanner_note(&world->rescanner, &world->items[1], &report);
	assert_true(left_ms(world->items[1].rescan.due_ms) <= 0);
	assert_int_equal(world->items[1].rescan.failures, 0);
}

/* Those signatures may be newer than what the process has asked for. */
static void a_look_asked_for_while_a_process_runs_follows_it(void **state)
{
	struct world *world = make();
	const struct rescan_report report = { .told = true, .all = true, .known = true },
				   away = { .err.kind = ERR_AGAIN };

	(void)state;
	rescanner_look(&world->rescanner, &world->children);
	rescanner_note(&world->rescanner, &world->items[1], &report);
	assert_true(left_ms(world->items[1].rescan.due_ms) <= 0);
	world->items[0].rescan = world->items[1].rescan;
	assert_non_null(due(world));
	rescanner_note(&world->rescanner, &world->items[1], &away);
	assert_non_null(due(world));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_account_that_waits_longest_is_first),
		cmocka_unit_test(an_account_that_is_new_is_looked_at_in_a_moment),
		cmocka_unit_test(an_account_that_cannot_be_served_is_left_alone),
		cmocka_unit_test(
			while_an_account_is_served_none_is_begun_but_not_for_ever),
		cmocka_unit_test(one_process_runs_at_a_time),
		cmocka_unit_test(whoever_has_had_these_signatures_needs_no_process),
		cmocka_unit_test(without_a_scanner_all_hold_and_then_go_on),
		cmocka_unit_test(
			what_fails_before_the_scanners_were_asked_holds_nobody_else),
		cmocka_unit_test(what_fails_is_tried_again_later_and_later),
		cmocka_unit_test(what_is_marked_in_place_is_visited_now),
		cmocka_unit_test(what_was_told_to_end_goes_on_at_once),
		cmocka_unit_test(a_look_asked_for_while_a_process_runs_follows_it),
	};

	/* What goes wrong on purpose is logged. */
	log_start("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
