/* SPDX-License-Identifier: ISC
 *
 * When a crew asks for workers. */
#include "tests/scanner/puppet.h"

static void workers_are_asked_for_until_all_are_there(void **state)
{
	(void)state;
	crew_fill(&f.host, 2, false);
	assert_int_equal(order(), HOST_FORK);
	assert_int_equal(order(), HOST_FORK);
	assert_int_equal(order(), 0);
	crew_fill(&f.host, 2, false);
	assert_int_equal(order(), 0);
	f.host.forks = 0;
	join();
	crew_fill(&f.host, 1, false);
	assert_int_equal(order(), 0);
}

static void workers_that_cannot_serve_are_tried_again_more_and_more_slowly(void **state)
{
	int64_t before = 0;

	(void)state;
	for (int i = 0; i < 12; i++) {
		int64_t wait;

		join();
		from_worker(JOB_FAILED, span_str("the probe is not found"));
		assert_string_equal(f.host.trouble, "the probe is not found");
		reap(KILLED_BY(SIGKILL));
		(void)close(f.worker_end);
		assert_int_equal(order(), HOST_KILL);
		crew_fill(&f.host, 1, false);
		assert_int_equal(order(), 0);
		wait = f.host.fork_after - clock_ms();
		assert_true(wait >= before - 100 && wait <= 60000);
		before = wait;
	}
	assert_true(before > 50000);
	f.host.fork_after = 0;
	crew_fill(&f.host, 4, false);
	assert_int_equal(order(), HOST_FORK);
	assert_int_equal(order(), 0);
	f.host.forks = 0;
	join();
	from_worker(JOB_READY, (struct span){ 0 });
	assert_string_equal(f.host.trouble, "");
	assert_int_equal(f.host.failures, 0);
}

/* Short of temp space none can start, and once there is some all can. */
static void workers_without_temp_space_are_tried_again_at_one_pace(void **state)
{
	static char none[] = "/nonexistent/temp";

	(void)state;
	f.settings.temp_dir = none;
	for (int i = 0; i < 12; i++) {
		join();
		from_worker(JOB_FAILED, span_str("no room"));
		reap(KILLED_BY(SIGKILL));
		(void)close(f.worker_end);
		assert_true(f.host.fork_after - clock_ms() <= 500);
	}
	assert_int_equal(f.host.failures, 0);
}

static void a_worker_that_dies_before_it_is_ready_counts_as_one_that_cannot_serve(
	void **state)
{
	(void)state;
	join();
	reap(KILLED_BY(SIGSEGV));
	assert_int_equal(f.host.failures, 1);
	assert_true(f.host.fork_after > clock_ms());
	assert_non_null(strstr(f.host.trouble, "signal 11"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CREW_TEST(workers_are_asked_for_until_all_are_there),
		CREW_TEST(workers_that_cannot_serve_are_tried_again_more_and_more_slowly),
		CREW_TEST(workers_without_temp_space_are_tried_again_at_one_pace),
		CREW_TEST(
			a_worker_that_dies_before_it_is_ready_counts_as_one_that_cannot_serve),
	};

	/* Warnings are what is tested. */
	log_start("test", (enum log_level) - 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
