/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <sys/wait.h>
#include <unistd.h>

#include "scanner/hosts.h"

static struct settings settings = { .workers = 1 };

static void a_worker_that_lied_is_remembered_beyond_its_host(void **state)
{
	struct hosts hosts;
	struct host *host;
	pid_t pid = fork();
	siginfo_t info;

	(void)state;
	if (pid == 0)
		_exit(0);
	assert_true(pid > 0);
	assert_int_equal(hosts_init(&hosts, &settings, NULL), 0);
	assert_int_equal(hosts_wrong_at(&hosts), -1);
	hosts.list[1] = (struct host){ .state = HOST_SERVING,
		.control = -1,
		.sweeper.fd = -1,
		.test = { .wrong_at = -1 } };
	host = &hosts.list[2];
	*host = hosts.list[1];
	host->pid = pid;
	host->told = true;
	host->test.wrong_at = 7;
	/* Not the one that serves by now. */
	hosts.serving = &hosts.list[1];
	assert_int_equal(hosts_wrong_at(&hosts), 7);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	hosts.list[1].state = HOST_NONE;
	hosts.serving = NULL;
	hosts_reap(&hosts);
	assert_int_equal(host->state, HOST_NONE);
	assert_int_equal(hosts_wrong_at(&hosts), 7);
	/* What is of a place that nobody has does not count. */
	host->test.wrong_at = 9;
	assert_int_equal(hosts_wrong_at(&hosts), 7);
	hosts_done(&hosts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_that_lied_is_remembered_beyond_its_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
