/* SPDX-License-Identifier: ISC
 *
 * Something killed at each of its system calls, one after the other. */
#ifndef TESTS_SCANNER_KILLED_H
#define TESTS_SCANNER_KILLED_H

#include "tests/test.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

/* Run it in a process that is killed before its n-th call, from 0. false: it made fewer, and ended. */
static bool killed_before(unsigned n, void (*deed)(void))
{
	const pid_t pid = fork();
	unsigned stops = 0;
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(2);
		(void)raise(SIGSTOP);
		deed();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	while (WIFSTOPPED(status)) {
		/* Each call stops it twice: before and behind it. */
		if (stops == 2 * n + 1)
			(void)kill(pid, SIGKILL);
		else
			(void)ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
		stops++;
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	if (WIFEXITED(status))
		assert_int_equal(WEXITSTATUS(status), 0);
	return WIFSIGNALED(status);
}

#endif
