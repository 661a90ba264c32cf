/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include "scanner/hosts.h"
#include "scanner/pulse.h"

enum {
	SCAN_MS = 60 * 1000
};

static const int64_t patience_ms = PULSE_MS + SCAN_MS;

static void without_mail_it_beats_however_long_nothing_is_done(void **state)
{
	struct pulse pulse = { 0 };

	(void)state;
	assert_true(pulse_beats(&pulse, false, 0, SCAN_MS, 0));
	assert_true(pulse_beats(&pulse, false, 0, SCAN_MS, 10 * patience_ms));
	/* What comes then has the whole time. */
	assert_true(pulse_beats(&pulse, true, 0, SCAN_MS, 11 * patience_ms));
}

static void mail_that_waits_beyond_all_deadlines_stops_it(void **state)
{
	struct pulse pulse = { 0 };

	(void)state;
	assert_true(pulse_beats(&pulse, false, 7, SCAN_MS, 1000));
	assert_true(pulse_beats(&pulse, true, 7, SCAN_MS, 1000 + patience_ms));
	assert_false(pulse_beats(&pulse, true, 7, SCAN_MS, 1001 + patience_ms));
	/* A longer scan is waited for. */
	assert_true(pulse_beats(&pulse, true, 7, SCAN_MS + 1, 1001 + patience_ms));
}

static void whatever_is_done_starts_the_time_anew(void **state)
{
	struct pulse pulse = { 0 };

	(void)state;
	assert_true(pulse_beats(&pulse, true, 1, SCAN_MS, 0));
	assert_true(pulse_beats(&pulse, true, 2, SCAN_MS, patience_ms));
	assert_true(pulse_beats(&pulse, true, 2, SCAN_MS, 2 * patience_ms));
	assert_false(pulse_beats(&pulse, true, 2, SCAN_MS, 2 * patience_ms + 1));
	/* A number that goes back is another one, too. */
	assert_true(pulse_beats(&pulse, true, 1, SCAN_MS, 2 * patience_ms + 2));
}

static void what_hosts_do_makes_another_number(void **state)
{
	struct hosts hosts = { 0 };
	uint64_t before = hosts_moved(&hosts);

	(void)state;
	assert_true(hosts_moved(&hosts) == before);
	hosts.list[1].pid = 4711;
	hosts.list[1].state = HOST_LOADING;
	assert_true(hosts_moved(&hosts) != before);
	before = hosts_moved(&hosts);
	hosts.list[1].state = HOST_SERVING;
	assert_true(hosts_moved(&hosts) != before);
	before = hosts_moved(&hosts);
	hosts.list[1].counts[HEALTH_WORKERS]++;
	assert_true(hosts_moved(&hosts) != before);
	before = hosts_moved(&hosts);
	/* One that does not load is followed by another one. */
	hosts.list[1] = (struct host){ 0 };
	assert_true(hosts_moved(&hosts) != before);
	before = hosts_moved(&hosts);
	hosts.deaths++;
	assert_true(hosts_moved(&hosts) != before);
	before = hosts_moved(&hosts);
	hosts.generation++;
	assert_true(hosts_moved(&hosts) != before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_mail_it_beats_however_long_nothing_is_done),
		cmocka_unit_test(mail_that_waits_beyond_all_deadlines_stops_it),
		cmocka_unit_test(whatever_is_done_starts_the_time_anew),
		cmocka_unit_test(what_hosts_do_makes_another_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
