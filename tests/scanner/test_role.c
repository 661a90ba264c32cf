/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

#include "scanner/role.h"

enum {
	LONG_MS = 20 * 1000
};

static void who_does_not_end_in_its_time_is_killed(void **state)
{
	int64_t from = clock_ms();
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	role_end(pid, 10);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_in_range(clock_ms() - from, 10, LONG_MS / 2);
}

static void who_ends_in_its_time_is_not_waited_for_any_longer(void **state)
{
	int64_t from = clock_ms();
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(0);
	role_end(pid, LONG_MS);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_in_range(clock_ms() - from, 0, LONG_MS / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_does_not_end_in_its_time_is_killed),
		cmocka_unit_test(who_ends_in_its_time_is_not_waited_for_any_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
