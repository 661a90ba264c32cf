/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/defer.h"
#include "scanner/job.h"
#include "scanner/sandbox.h"

enum {
	OK = 0,
	CANNOT_ENTER = 90,
	WRONG = 91
};

static const struct settings small = {
	.message_max = 1U << 20,
	.scan_timeout_ms = 1000,
	.scan_size_max = 1U << 20,
};

/* What the child does once it is inside; returns its exit code. */
typedef int inside_fn(int keep_fd);

/* Runs it in a child; returns the wait status. */
static int run(inside_fn *inside)
{
	struct err err = { 0 };
	int fds[2], status = 0;
	pid_t pid;

	assert_int_equal(job_socketpair(fds, &err), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (sandbox_enter(&small, fds[1], &err) < 0) {
			(void)dprintf(2, "%s\n", err.text);
			_exit(CANNOT_ENTER);
		}
		_exit(inside(fds[1]));
	}
	(void)close(fds[0]);
	(void)close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void assert_inside(inside_fn *inside)
{
	int status = run(inside);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), OK);
}

/* Without /proc/self/fd, whose listing opens one more. */
static int only_the_kept_are_open(int keep_fd)
{
	for (int fd = 3; fd < 1024; fd++)
		if ((fcntl(fd, F_GETFD) >= 0) != (fd == keep_fd))
			return WRONG;
	return fcntl(2, F_GETFD) < 0;
}

static void only_its_own_descriptor_and_stderr_stay_open(void **state)
{
	auto_close int secret = open("/etc/passwd", O_RDONLY);

	(void)state;
	assert_true(secret >= 0);
	assert_inside(only_the_kept_are_open);
}

static int stdin_is_empty_and_stdout_goes_nowhere(int keep_fd)
{
	struct stat null, in, out;
	char byte;

	(void)keep_fd;
	if (stat("/dev/null", &null) < 0 || fstat(0, &in) < 0 || fstat(1, &out) < 0)
		return WRONG;
	if (in.st_rdev != null.st_rdev || out.st_rdev != null.st_rdev)
		return WRONG;
	return read(0, &byte, 1) == 0 ? OK : WRONG;
}

static void stdin_and_stdout_are_the_null_device(void **state)
{
	(void)state;
	assert_inside(stdin_is_empty_and_stdout_goes_nowhere);
}

static int has_given_up_its_privileges(int keep_fd)
{
	int death = 0;

	(void)keep_fd;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return WRONG;
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return WRONG;
	if (prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0) < 0 || death != SIGKILL)
		return WRONG;
	return umask(0) == 077 ? OK : WRONG;
}

static void new_privileges_and_dumps_are_off(void **state)
{
	(void)state;
	assert_inside(has_given_up_its_privileges);
}

static int limits_are_hard(int keep_fd)
{
	static const struct {
		__rlimit_resource_t resource;
		rlim_t max;
	} all[] = { { RLIMIT_CORE, 0 }, { RLIMIT_NOFILE, 256 },
		{ RLIMIT_FSIZE, 1 << 20 } };
	struct rlimit now;

	(void)keep_fd;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (getrlimit(all[i].resource, &now) < 0 || now.rlim_max != all[i].max ||
			now.rlim_cur != all[i].max)
			return WRONG;
	return OK;
}

static void limits_cannot_be_raised_again(void **state)
{
	(void)state;
	assert_inside(limits_are_hard);
}

static int memory_ends_with_an_error(int keep_fd)
{
	void *map = mmap(NULL, 3UL << 30, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	(void)keep_fd;
	if (map != MAP_FAILED || errno != ENOMEM)
		return WRONG;
	map = mmap(NULL, 1UL << 30, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return map == MAP_FAILED ? WRONG : OK;
}

static void memory_beyond_the_limit_is_refused(void **state)
{
	(void)state;
	assert_inside(memory_ends_with_an_error);
}

static int a_large_file_is_an_error(int keep_fd)
{
	static const uint8_t bytes[1U << 20];
	char path[] = "/tmp/mailfilter-sandbox.XXXXXX";
	auto_close int fd = mkstemp(path);

	(void)keep_fd;
	(void)unlink(path);
	if (fd < 0 || write(fd, bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes))
		return WRONG;
	return write(fd, bytes, 1) < 0 && errno == EFBIG ? OK : WRONG;
}

static void a_file_beyond_the_limit_is_an_error_and_no_death(void **state)
{
	(void)state;
	assert_inside(a_large_file_is_an_error);
}

static int outlives_the_signals_of_a_terminal(int keep_fd)
{
	(void)keep_fd;
	(void)raise(SIGINT);
	(void)raise(SIGTERM);
	(void)raise(SIGHUP);
	return OK;
}

static void a_signal_to_the_whole_group_does_not_end_it(void **state)
{
	(void)state;
	assert_inside(outlives_the_signals_of_a_terminal);
}

static int spins(int keep_fd)
{
	struct err err = { 0 };

	(void)keep_fd;
	if (sandbox_begin_job(&small, &err) < 0)
		return WRONG;
	for (volatile unsigned i = 0;; i++)
		;
}

static void a_job_that_spins_is_ended_by_its_processor_time(void **state)
{
	int status = run(spins);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGXCPU);
}

static int begins_many_jobs(int keep_fd)
{
	struct err err = { 0 };
	struct rlimit first, last;

	(void)keep_fd;
	if (sandbox_begin_job(&small, &err) < 0 || getrlimit(RLIMIT_CPU, &first) < 0)
		return WRONG;
	for (int i = 0; i < 100; i++)
		if (sandbox_begin_job(&small, &err) < 0)
			return WRONG;
	return getrlimit(RLIMIT_CPU, &last) == 0 && last.rlim_cur <= first.rlim_cur + 1
		       ? OK
		       : WRONG;
}

static void each_job_has_its_own_processor_time(void **state)
{
	(void)state;
	assert_inside(begins_many_jobs);
}

/* A parent that is killed: its worker's end closes the pipe that only the worker still holds. */
static void it_dies_with_its_parent(void **state)
{
	struct err err = { 0 };
	struct pollfd end;
	int fds[2];
	char ready;
	pid_t parent;

	(void)state;
	assert_int_equal(job_socketpair(fds, &err), 0);
	parent = fork();
	assert_true(parent >= 0);
	if (parent == 0) {
		if (fork() == 0) {
			if (sandbox_enter(&small, fds[1], &err) < 0)
				_exit(CANNOT_ENTER);
			(void)!write(fds[1], "r", 1);
			(void)pause();
			_exit(OK);
		}
		(void)close(fds[1]);
		(void)pause();
		_exit(OK);
	}
	(void)close(fds[1]);
	assert_int_equal(read(fds[0], &ready, 1), 1);
	assert_int_equal(kill(parent, SIGKILL), 0);
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	end = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	assert_int_equal(poll(&end, 1, 10000), 1);
	assert_int_equal(read(fds[0], &ready, 1), 0);
	(void)close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_its_own_descriptor_and_stderr_stay_open),
		cmocka_unit_test(stdin_and_stdout_are_the_null_device),
		cmocka_unit_test(new_privileges_and_dumps_are_off),
		cmocka_unit_test(limits_cannot_be_raised_again),
		cmocka_unit_test(memory_beyond_the_limit_is_refused),
		cmocka_unit_test(a_file_beyond_the_limit_is_an_error_and_no_death),
		cmocka_unit_test(a_signal_to_the_whole_group_does_not_end_it),
		cmocka_unit_test(a_job_that_spins_is_ended_by_its_processor_time),
		cmocka_unit_test(each_job_has_its_own_processor_time),
		cmocka_unit_test(it_dies_with_its_parent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
