/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <sched.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/idle.h"

enum {
	NICE_LEAST = 19,
	/* ioprio_get(2): of this process; class << 13 | level, of the idle class any level. */
	IO_WHO_PROCESS = 1,
	IO_CLASS_SHIFT = 13,
	IO_CLASS_IDLE = 3,
	IO_LOWEST = 2 << IO_CLASS_SHIFT | 7
};

static bool is_idle(void)
{
	return getpriority(PRIO_PROCESS, 0) == NICE_LEAST &&
	       sched_getscheduler(0) == SCHED_IDLE &&
	       syscall(SYS_ioprio_get, IO_WHO_PROCESS, 0) >> IO_CLASS_SHIFT ==
		       IO_CLASS_IDLE;
}

static bool is_nearly_idle(void)
{
	return getpriority(PRIO_PROCESS, 0) == NICE_LEAST &&
	       sched_getscheduler(0) != SCHED_IDLE &&
	       syscall(SYS_ioprio_get, IO_WHO_PROCESS, 0) == IO_LOWEST;
}

static int exit_code(pid_t pid)
{
	int status = 0;

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* In a process of its own: there is no way back. */
static int comes_to(void (*enter)(void), bool (*is)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		enter();
		_exit(is() ? EX_OK : EX_SOFTWARE);
	}
	return exit_code(pid);
}

static void processor_and_disk_are_had_last(void **state)
{
	(void)state;
	assert_int_equal(comes_to(idle_enter, is_idle), EX_OK);
}

static void who_holds_locks_has_some_of_both(void **state)
{
	(void)state;
	assert_int_equal(comes_to(idle_nearly, is_nearly_idle), EX_OK);
}

static void enter_twice(void)
{
	idle_enter();
	idle_enter();
}

static void entered_twice_it_is_the_same(void **state)
{
	(void)state;
	assert_int_equal(comes_to(enter_twice, is_idle), EX_OK);
}

static void so_have_it_processes_that_it_starts(void **state)
{
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		idle_enter();
		pid = fork();
		if (pid == 0)
			_exit(is_idle() ? EX_OK : EX_SOFTWARE);
		_exit(pid > 0 ? exit_code(pid) : EX_OSERR);
	}
	assert_int_equal(exit_code(pid), EX_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(processor_and_disk_are_had_last),
		cmocka_unit_test(who_holds_locks_has_some_of_both),
		cmocka_unit_test(entered_twice_it_is_the_same),
		cmocka_unit_test(so_have_it_processes_that_it_starts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
