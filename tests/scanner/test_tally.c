/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "scanner/tally.h"

static struct tally tally;

static int start(void **state)
{
	(void)state;
	memset(&tally, 0, sizeof(tally));
	return 0;
}

static struct request request_of(enum verdict_kind kind, enum verdict_reason reason)
{
	return (struct request){ .verdict = { .kind = kind, .reason = reason },
		.body = { .size = 20000 },
		.started = 1,
		.took_ms = 30,
		.work_ms = 20 };
}

static void verdicts_are_counted_by_kind_and_reason(void **state)
{
	static const struct {
		enum verdict_kind kind;
		enum verdict_reason reason;
		enum health_count count, also;
	} cases[] = {
		{ VERDICT_RETRY, REASON_NONE, HEALTH_RETRY, HEALTH_RETRY },
		{ VERDICT_CLEAN, REASON_NONE, HEALTH_CLEAN, HEALTH_CLEAN },
		{ VERDICT_INFECTED, REASON_NONE, HEALTH_INFECTED, HEALTH_INFECTED },
		/* What else remained is no verdict of its own. */
		{ VERDICT_INFECTED, REASON_ENCRYPTED, HEALTH_INFECTED, HEALTH_INFECTED },
		{ VERDICT_UNSCANNABLE, REASON_ENCRYPTED, HEALTH_UNSCANNABLE,
			HEALTH_ENCRYPTED },
		{ VERDICT_UNSCANNABLE, REASON_UNSUPPORTED, HEALTH_UNSCANNABLE,
			HEALTH_UNSUPPORTED },
		{ VERDICT_UNSCANNABLE, REASON_LIMIT, HEALTH_UNSCANNABLE, HEALTH_LIMIT },
		{ VERDICT_UNSCANNABLE, REASON_TIMEOUT, HEALTH_UNSCANNABLE,
			HEALTH_TIMEOUT },
		{ VERDICT_UNSCANNABLE, REASON_CRASH, HEALTH_UNSCANNABLE, HEALTH_CRASH },
		{ VERDICT_UNSCANNABLE, REASON_MALFORMED, HEALTH_UNSCANNABLE,
			HEALTH_MALFORMED },
		{ VERDICT_UNSCANNABLE, REASON_ERROR, HEALTH_UNSCANNABLE, HEALTH_ERROR },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct request request = request_of(cases[i].kind, cases[i].reason);
		struct health health = { 0 };
		uint64_t sum = 0;

		assert_int_equal(start(state), 0);
		tally_add(&tally, 0, &request);
		tally_fill(&tally, 0, &health);
		for (size_t j = 0; j < HEALTH_COUNTS; j++)
			sum += health.counts[j];
		assert_int_equal(health.counts[cases[i].count], 1);
		assert_int_equal(health.counts[cases[i].also], 1);
		assert_int_equal(sum, cases[i].count == cases[i].also ? 1 : 2);
	}
}

static void scans_that_ended_are_timed_and_nothing_else(void **state)
{
	struct request clean = request_of(VERDICT_CLEAN, REASON_NONE);
	struct request held = request_of(VERDICT_RETRY, REASON_NONE);
	struct request known = request_of(VERDICT_CLEAN, REASON_NONE);
	struct health health = { .counts = { [HEALTH_CLEAN] = 5, [HEALTH_AGAIN] = 4 } };

	(void)state;
	known.started = 0;
	tally_add(&tally, 0, &clean);
	tally_add(&tally, 0, &held);
	tally_add(&tally, 0, &known);
	tally_fill(&tally, 0, &health);
	/* Added to what others counted. */
	assert_int_equal(health.counts[HEALTH_CLEAN], 7);
	assert_int_equal(health.counts[HEALTH_RETRY], 1);
	assert_int_equal(health.counts[HEALTH_AGAIN], 4);
	assert_int_equal(health.times[1].scans, 1);
	assert_int_equal(health.times[1].all.p50, 30);
	assert_int_equal(health.times[1].work.p50, 20);
	assert_int_equal(health.times[0].scans, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(verdicts_are_counted_by_kind_and_reason, start),
		cmocka_unit_test_setup(
			scans_that_ended_are_timed_and_nothing_else, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
