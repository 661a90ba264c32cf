/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"

#include "mailfilter/state_lock.h"

static char dir[] = "/tmp/test_state_lock.XXXXXX";
static struct settings settings = { .state_dir = dir };

static int start(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/test_state_lock.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	return file_remove_tree(dir, true, NULL);
}

/* A program of another name, that a signal would end. */
static pid_t start_innocent(void)
{
	const pid_t pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_NAME, "innocent");
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)raise(SIGSTOP);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
	return pid;
}

static void put_holder(pid_t pid)
{
	char path[64];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/.lock", dir);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fprintf(file, "%ld\n", (long)pid) > 0);
	assert_int_equal(fclose(file), 0);
}

static void where_nobody_holds_it_nobody_is_called(void **state)
{
	pid_t pid;

	(void)state;
	assert_false(state_lock_call(&settings, &pid));
}

static void who_holds_it_is_called(void **state)
{
	auto_close int lock = -1;
	struct err err = { 0 };
	sigset_t calls, pending;
	pid_t pid = 0;
	int signal = 0;

	(void)state;
	assert_int_equal(sigemptyset(&calls), 0);
	assert_int_equal(sigaddset(&calls, SIGUSR1), 0);
	assert_int_equal(sigprocmask(SIG_BLOCK, &calls, NULL), 0);
	if (state_lock(&settings, &lock, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(state_lock_call(&settings, &pid));
	assert_int_equal(pid, getpid());
	assert_int_equal(sigpending(&pending), 0);
	assert_true(sigismember(&pending, SIGUSR1));
	assert_int_equal(sigwait(&calls, &signal), 0);
}

/* As of a holder on another host, or of one that has not written its own yet. */
static void a_number_of_another_program_is_left_alone(void **state)
{
	auto_close int lock = -1;
	struct err err = { 0 };
	pid_t innocent, pid;
	int status = 0;

	(void)state;
	if (state_lock(&settings, &lock, &err) < 0)
		fail_msg("%s", err.text);
	innocent = start_innocent();
	put_holder(innocent);
	assert_false(state_lock_call(&settings, &pid));
	assert_int_equal(kill(innocent, SIGCONT), 0);
	assert_int_equal(waitpid(innocent, &status, 0), innocent);
	assert_true(WIFEXITED(status));
	put_holder(innocent); /* by now of nobody */
	assert_false(state_lock_call(&settings, &pid));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(where_nobody_holds_it_nobody_is_called),
		TEST(who_holds_it_is_called),
		TEST(a_number_of_another_program_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
