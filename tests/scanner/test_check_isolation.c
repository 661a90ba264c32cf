/* SPDX-License-Identifier: ISC */
#include "tests/scanner/checked.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "scanner/sandbox.h"

static void a_worker_that_is_not_shut_in_is_critical(void **state)
{
	struct checked at;
	char status;
	int ready[2];
	pid_t child;

	(void)state;
	checked_start(&at);
	says(&at, check_isolation, CHECK_OK, "0 of them were looked at");
	at.facts.pid_count = 1;
	at.facts.pids[0] = getpid();
	says(&at, check_isolation, CHECK_CRITICAL, "is not shut in");
	(void)snprintf(at.facts.isolation, sizeof(at.facts.isolation), "no landlock");
	says(&at, check_isolation, CHECK_WARNING, "no landlock");
	at.facts.isolation[0] = '\0';
	if (sandbox_missing()[0] == 't' && strstr(sandbox_missing(), "seccomp")) {
		checked_stop(&at);
		return; /* a build without the filter */
	}
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		status = sandbox_enter_host(NULL) == 0 ? 'y' : 'n';
		if (write(ready[1], &status, 1) == 1)
			(void)pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &status, 1), 1);
	assert_int_equal(status, 'y');
	at.facts.pids[0] = child;
	says(&at, check_isolation, CHECK_OK, "1 of them were looked at");
	(void)close(ready[0]);
	(void)close(ready[1]);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	/* One that has ended, or is hidden, says nothing. */
	says(&at, check_isolation, CHECK_OK, "/proc does not show them");
	checked_stop(&at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_that_is_not_shut_in_is_critical),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
