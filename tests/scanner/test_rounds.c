/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include "scanner/rounds.h"

/* Does it alert now? Then it was told. */
static bool alerts(struct round *round, enum check_level level, int64_t now)
{
	round->result.level = level;
	if (!round_alerts(round, now))
		return false;
	if (level != CHECK_OK)
		round->told_at = now;
	round->told = level;
	return true;
}

static void alerts_come_once_an_hour_but_for_that_all_is_well(void **state)
{
	static const struct {
		int64_t minute;
		enum check_level level;
		bool alerts;
	} cases[] = {
		{ 0, CHECK_OK, false }, /* it always was */
		{ 1, CHECK_WARNING, true },
		{ 2, CHECK_WARNING, false },
		{ 3, CHECK_CRITICAL, false }, /* within the hour */
		{ 60, CHECK_CRITICAL, false },
		{ 61, CHECK_CRITICAL, true },
		{ 200, CHECK_CRITICAL, false }, /* nothing new */
		{ 201, CHECK_OK, true },
		{ 202, CHECK_OK, false },
		{ 203, CHECK_WARNING, true }, /* the last was long ago */
		{ 204, CHECK_OK, true },
		{ 205, CHECK_WARNING, false }, /* flaps */
		{ 206, CHECK_OK, false },
		{ 207, CHECK_CRITICAL, false },
		{ 263, CHECK_CRITICAL, true },
	};
	struct round round = { .told_at = -1 };

	(void)state;
	assert_false(alerts(&round, CHECK_CRITICAL, 0)); /* it has not run */
	round.known = true;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (alerts(&round, cases[i].level, cases[i].minute * 60 * 1000) !=
			cases[i].alerts)
			fail_msg("minute %d", (int)cases[i].minute);
}

/* It changes with each turn, for a day: twice in an hour it is told, that it is bad and that it is well. */
static void a_check_that_flaps_does_not_flood(void **state)
{
	struct round round = { .told_at = -1, .known = true };
	int told = 0;

	(void)state;
	for (int64_t now = 0; now < INT64_C(24) * 60 * 60 * 1000; now += 1000)
		told += alerts(
			&round, now / 1000 % 2 == 0 ? CHECK_CRITICAL : CHECK_OK, now);
	assert_int_equal(told, 24 * 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_check_that_flaps_does_not_flood),
		cmocka_unit_test(alerts_come_once_an_hour_but_for_that_all_is_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
