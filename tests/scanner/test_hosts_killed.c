/* SPDX-License-Identifier: ISC
 *
 * A worker or an engine host that dies or hangs at work. */
#include "tests/scanner/processes.h"

static void a_worker_killed_at_work_costs_no_verdict(void **state)
{
	static const int signals[] = { SIGKILL, SIGSEGV };
	struct scanner scanner;

	(void)state;
	start_ready(&scanner, ONE_WORKER);
	for (size_t i = 1; i <= sizeof(signals) / sizeof(*signals); i++) {
		pid_t worker = stop_worker_with(&scanner, i, span_str(CLEAN_MAIL));

		assert_int_equal(kill(worker, signals[i - 1]), 0);
		(void)kill(worker, SIGCONT); /* it may be dead and reaped already */
		assert_verdict(&scanner, i, VERDICT_CLEAN);
		await_end(worker);
	}
	assert_true(log_says(&scanner, "during a scan"));
	assert_int_equal(stop(&scanner), 0);
}

static void a_worker_that_hangs_is_killed_and_the_mail_scanned_by_another(void **state)
{
	struct scanner scanner;
	pid_t worker;

	(void)state;
	start_ready(&scanner, ONE_WORKER "scan-timeout = 1s\n");
	worker = stop_worker_with(&scanner, 1, span_str(INFECTED_MAIL));
	assert_verdict(&scanner, 1, VERDICT_INFECTED);
	await_end(worker);
	assert_int_equal(stop(&scanner), 0);
}

static void an_engine_host_killed_at_work_costs_no_verdict(void **state)
{
	struct scanner scanner;
	pid_t host, worker;

	(void)state;
	start_ready(&scanner, ONE_WORKER);
	host = engine_host(&scanner);
	worker = stop_worker_with(&scanner, 1, span_str(INFECTED_MAIL));
	assert_int_equal(kill(host, SIGKILL), 0);
	assert_verdict(&scanner, 1, VERDICT_INFECTED);
	await_end(worker);
	assert_int_equal(await_generation(&scanner, 2).generation, 2);
	assert_int_equal(stop(&scanner), 0);
}

/* The restart of one that did its work is not put off. */
static void an_engine_host_that_served_is_replaced_at_once(void **state)
{
	int64_t least = PATIENCE_MS;
	struct scanner scanner;
	uint64_t id = 1;

	(void)state;
	start(&scanner, ONE_WORKER);
	request(&scanner, id, span_str(INFECTED_MAIL));
	assert_verdict(&scanner, id, VERDICT_INFECTED);
	for (int i = 0; i < 4; i++) {
		int64_t from = clock_ms();

		assert_int_equal(kill(engine_host(&scanner), SIGKILL), 0);
		request(&scanner, ++id, span_str(INFECTED_MAIL));
		assert_verdict(&scanner, id, VERDICT_INFECTED);
		if (clock_ms() - from < least)
			least = clock_ms() - from;
	}
	assert_true(least < 1000);
	assert_int_equal(stop(&scanner), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_killed_at_work_costs_no_verdict),
		cmocka_unit_test(
			a_worker_that_hangs_is_killed_and_the_mail_scanned_by_another),
		cmocka_unit_test(an_engine_host_killed_at_work_costs_no_verdict),
		cmocka_unit_test(an_engine_host_that_served_is_replaced_at_once),
	};

	return RUN_OR_SERVE(argc, argv, tests);
}
