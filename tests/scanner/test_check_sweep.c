/* SPDX-License-Identifier: ISC */
#include "tests/scanner/checked.h"

/* A sweep that rests since three hours. */
static void rested_start(struct checked *at)
{
	checked_start(at);
	at->settings.sweep_interval_ms = DAY_S * 1000;
	at->facts.swept = (struct swept){ .on = true,
		.pass = 2,
		.last = { .began_s = NOW - 4 * HOUR_S,
			.ended_s = NOW - 3 * HOUR_S,
			.files = 50000 } };
	at->facts.swept.now = at->facts.swept.last;
}

static void one_that_is_off_or_well_is_ok(void **state)
{
	struct checked at;

	(void)state;
	rested_start(&at);
	says(&at, check_sweep, CHECK_OK,
		"the last full pass ended 3 hours ago: 50000 files, 0 of them infected");
	at.facts.swept.last = (struct swept_pass){ 0 };
	at.facts.swept.now = (struct swept_pass){ .began_s = NOW - 10, .files = 7 };
	says(&at, check_sweep, CHECK_OK, "the first pass is at work: 7 files so far");
	at.facts.swept.pass = 0;
	says(&at, check_sweep, CHECK_OK, "no pass has begun yet");
	/* Off, nothing else counts. */
	at.facts.swept.on = false;
	at.facts.up_ms = 365 * DAY_S * 1000;
	at.facts.counts[HEALTH_SWEEP] = 99;
	says(&at, check_sweep, CHECK_OK, "no directories are named");
	checked_stop(&at);
}

static void a_pass_that_does_not_end_is_told_of(void **state)
{
	struct checked at;

	(void)state;
	rested_start(&at);
	at.facts.swept.last.ended_s = at.facts.swept.now.ended_s = NOW - 3 * DAY_S;
	says(&at, check_sweep, CHECK_OK, "ended 3 days ago");
	at.facts.swept.last.ended_s--;
	says(&at, check_sweep, CHECK_WARNING, "should have ended 2 days ago");
	at.facts.swept.last.ended_s = NOW - 8 * DAY_S - 1;
	says(&at, check_sweep, CHECK_CRITICAL, "should have ended 7 days ago");
	/* The longer it may rest the later that is. */
	at.settings.sweep_interval_ms = 10 * DAY_S * 1000;
	says(&at, check_sweep, CHECK_OK, "ended 8 days ago");
	/* The first one. */
	at.facts.swept.last = (struct swept_pass){ 0 };
	at.facts.swept.now = (struct swept_pass){ .began_s = NOW - 3 * DAY_S };
	says(&at, check_sweep, CHECK_WARNING, "no pass has ended yet, for 3 days");
	limit_is(&at, "sweep-late off");
	says(&at, check_sweep, CHECK_OK, "the first pass is at work");
	at.settings.check_limits.count = 0;
	/* None begins. */
	at.facts.swept.pass = 0;
	at.facts.up_ms = 2 * DAY_S * 1000;
	says(&at, check_sweep, CHECK_OK, "no pass has begun");
	at.facts.up_ms++;
	says(&at, check_sweep, CHECK_WARNING, "no pass has ended yet");
	checked_stop(&at);
}

static void a_clock_that_was_set_back_is_not_late(void **state)
{
	struct checked at;

	(void)state;
	rested_start(&at);
	at.facts.wall_s = 0;
	says(&at, check_sweep, CHECK_OK, "ended 0 seconds ago");
	at.facts.swept.last = (struct swept_pass){ 0 };
	at.facts.swept.now.ended_s = 0;
	says(&at, check_sweep, CHECK_OK, "the first pass");
	checked_stop(&at);
}

static void finds_are_told_of_until_a_pass_ends_without(void **state)
{
	struct checked at;
	struct swept *swept = &at.facts.swept;

	(void)state;
	rested_start(&at);
	swept->now.infected = swept->last.infected = 1;
	says(&at, check_sweep, CHECK_WARNING, "1 found infected: mailfilter-scanner");
	swept->pass++;
	swept->now = (struct swept_pass){ .began_s = NOW };
	says(&at, check_sweep, CHECK_WARNING, "1 found infected");
	swept->now.infected = 51;
	says(&at, check_sweep, CHECK_CRITICAL, "51 found infected");
	limit_is(&at, "sweep-found 51 60");
	says(&at, check_sweep, CHECK_OK, "1 of them infected");
	at.settings.check_limits.count = 0;
	swept->now.infected = 0;
	swept->now.ended_s = NOW;
	swept->last = swept->now;
	says(&at, check_sweep, CHECK_OK, "0 of them infected");
	checked_stop(&at);
}

static void what_cannot_be_read_is_told_of(void **state)
{
	struct checked at;
	struct swept *swept = &at.facts.swept;

	(void)state;
	rested_start(&at);
	swept->now.unreadable = 1;
	says(&at, check_sweep, CHECK_WARNING, "1 could not be read");
	swept->now.unreadable = 100001;
	says(&at, check_sweep, CHECK_CRITICAL, "100001 could not be read");
	limit_is(&at, "sweep-unreadable off");
	says(&at, check_sweep, CHECK_OK, "full pass");
	checked_stop(&at);
}

static void one_that_cannot_work_is_critical(void **state)
{
	struct checked at;

	(void)state;
	rested_start(&at);
	at.facts.counts[HEALTH_SWEEP] = 4;
	says(&at, check_sweep, CHECK_WARNING, "4 of its processes died");
	at.facts.counts[HEALTH_SWEEP] = 31;
	says(&at, check_sweep, CHECK_CRITICAL, "31 of its processes died");
	at.facts.counts[HEALTH_SWEEP] = 0;
	at.facts.swept.now.infected = 1;
	(void)snprintf(at.facts.swept.trouble, sizeof(at.facts.swept.trouble),
		"cannot write /var/lib/x: No space left on device");
	says(&at, check_sweep, CHECK_CRITICAL, "cannot write /var/lib/x: No space");
	memset(at.facts.swept.trouble, 'x', sizeof(at.facts.swept.trouble) - 1);
	says(&at, check_sweep, CHECK_CRITICAL, "xxx");
	checked_stop(&at);
}

static void little_room_for_what_it_moves_is_told_of(void **state)
{
	static char none[] = "/nonexistent";
	struct checked at;

	(void)state;
	checked_start(&at);
	at.signatures[0] = at.test;
	at.settings.sweep_state = none;
	at.settings.sweep_quarantine = at.folder;
	limit_is(&at, "disk-left 1048576G 1");
	says(&at, check_disk, CHECK_OK, "nothing is written");
	at.settings.sweep.count = 1;
	says(&at, check_disk, CHECK_WARNING, "MB are left for what the sweep moves");
	at.settings.sweep_quarantine = NULL;
	says(&at, check_disk, CHECK_OK, "nothing is written");
	checked_stop(&at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_is_off_or_well_is_ok),
		cmocka_unit_test(a_pass_that_does_not_end_is_told_of),
		cmocka_unit_test(a_clock_that_was_set_back_is_not_late),
		cmocka_unit_test(finds_are_told_of_until_a_pass_ends_without),
		cmocka_unit_test(what_cannot_be_read_is_told_of),
		cmocka_unit_test(one_that_cannot_work_is_critical),
		cmocka_unit_test(little_room_for_what_it_moves_is_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
