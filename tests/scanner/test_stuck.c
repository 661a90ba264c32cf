/* SPDX-License-Identifier: ISC
 *
 * The scanner's end beside a process that cannot end: one that a disk holds is killed in vain. Here a tracer
 * holds it. */
#include "tests/test.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

#include "scanner/hosts.h"

enum {
	HANGS_S = 30,
	MOMENT_MS = 5000
};

/* It never dies by a signal while *tracer_r lives. -1: this system lets nobody trace. */
static pid_t hold_one(pid_t *tracer_r)
{
	pid_t held = fork();
	char can = 0;
	int ends[2];

	if (held == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		(void)prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
		for (;;)
			(void)pause();
	}
	assert_int_equal(pipe(ends), 0);
	*tracer_r = fork();
	if (*tracer_r == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		can = ptrace(PTRACE_SEIZE, held, 0, PTRACE_O_TRACEEXIT) == 0 ? 1 : 0;
		(void)!write(ends[1], &can, 1);
		for (;;)
			(void)pause();
	}
	assert_true(held > 0 && *tracer_r > 0);
	assert_int_equal(read(ends[0], &can, 1), 1);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return can ? held : -1;
}

static void an_engine_host_that_cannot_die_is_waited_for_a_moment(void **state)
{
	struct settings settings = { .workers = 1 };
	struct hosts hosts;
	pid_t tracer, held = hold_one(&tracer);
	int64_t from = clock_ms();

	(void)state;
	assert_int_equal(hosts_init(&hosts, &settings, NULL), 0);
	hosts.list[1].state = HOST_ENDING;
	hosts.list[1].pid = held;
	if (held > 0) {
		(void)alarm(HANGS_S);
		hosts_done(&hosts);
		(void)alarm(0);
		assert_in_range(clock_ms() - from, 0, MOMENT_MS);
		assert_int_equal(waitpid(held, NULL, WNOHANG), 0);
	}
	(void)kill(tracer, SIGKILL);
	assert_int_equal(waitpid(tracer, NULL, 0), tracer);
	if (held < 0)
		skip();
	assert_int_equal(waitpid(held, NULL, 0), held);
}

static void one_that_dies_is_buried(void **state)
{
	struct settings settings = { .workers = 1 };
	struct hosts hosts;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		for (;;)
			(void)pause();
	assert_true(pid > 0);
	assert_int_equal(hosts_init(&hosts, &settings, NULL), 0);
	hosts.list[0].state = HOST_LOADING;
	hosts.list[0].pid = pid;
	hosts_done(&hosts);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
	assert_int_equal(hosts.list[0].state, HOST_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_engine_host_that_cannot_die_is_waited_for_a_moment),
		cmocka_unit_test(one_that_dies_is_buried),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
