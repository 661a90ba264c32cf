/* SPDX-License-Identifier: ISC
 *
 * The machine slept, or did not. */
#include "tests/test.h"

#include "mailfilter/wake.h"

static void only_time_that_runs_while_asleep_counts_and_only_once(void **state)
{
	struct wake wake = { .fds = { -1, -1 }, .asleep_ms = 1000 };

	(void)state;
	assert_false(wake_slept_by(&wake, 1000));
	assert_false(wake_slept_by(&wake, 1000 + WAKE_SLEPT_MS - 1));
	assert_true(wake_slept_by(&wake, 1000 + 3600 * 1000));
	assert_false(wake_slept_by(&wake, 1000 + 3600 * 1000));
}

static void awake_nothing_is_said_and_what_the_kernel_denies_does_no_harm(void **state)
{
	struct wake wake, none = { .fds = { -1, -1 } };

	(void)state;
	wake_open(&wake);
	assert_true(wake.fds[0] >= 0);
	assert_false(wake_slept(&wake));
	(void)wake_network(&wake);
	assert_false(wake_network(&wake));
	wake_close(&wake);
	none.asleep_ms = wake.asleep_ms;
	assert_false(wake_slept(&none));
	assert_false(wake_network(&none));
	wake_close(&none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_time_that_runs_while_asleep_counts_and_only_once),
		cmocka_unit_test(
			awake_nothing_is_said_and_what_the_kernel_denies_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
