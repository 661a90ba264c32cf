/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "common/defer.h"
#include "common/stop.h"

static int start(void)
{
	struct err err = { 0 };
	int fd = -1;

	if (stop_start(&fd, &err) < 0)
		fail_msg("%s", err.text);
	return fd;
}

static void signals_are_read_from_the_fd_and_end_nobody(void **state)
{
	static const int all[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1 };
	auto_close int fd = start();

	(void)state;
	assert_int_equal(stop_next(fd), 0);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		assert_int_equal(raise(all[i]), 0);
		assert_int_equal(stop_next(fd), all[i]);
		assert_int_equal(stop_next(fd), 0);
	}
}

static void the_end_of_a_child_makes_the_fd_readable(void **state)
{
	auto_close int fd = start();
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(0);
	assert_int_equal(poll(&poll_fd, 1, 10000), 1);
	assert_int_equal(stop_next(fd), SIGCHLD);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void an_ignored_hangup_arrives_all_the_same(void **state)
{
	auto_close int fd = -1;

	(void)state;
	(void)signal(SIGHUP, SIG_IGN);
	fd = start();
	assert_int_equal(raise(SIGHUP), 0);
	assert_int_equal(stop_next(fd), SIGHUP);
}

static void a_broken_pipe_is_an_error_and_no_signal(void **state)
{
	int fds[2];
	auto_close int fd = start();

	(void)state;
	(void)fd;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(close(fds[0]), 0);
	assert_int_equal(write(fds[1], "x", 1), -1);
	assert_int_equal(close(fds[1]), 0);
}

static void after_a_reset_signals_end_a_child_again(void **state)
{
	auto_close int fd = start();
	int status = 0;
	pid_t pid = fork();

	(void)state;
	(void)fd;
	assert_true(pid >= 0);
	if (pid == 0) {
		stop_reset();
		(void)raise(SIGTERM);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_are_read_from_the_fd_and_end_nobody),
		cmocka_unit_test(the_end_of_a_child_makes_the_fd_readable),
		cmocka_unit_test(an_ignored_hangup_arrives_all_the_same),
		cmocka_unit_test(a_broken_pipe_is_an_error_and_no_signal),
		cmocka_unit_test(after_a_reset_signals_end_a_child_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
