/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/edits.h"
#include "common/file.h"

#include "scanner/sandbox.h"
#include "scanner/sandbox_inside.h"

#include "tests/scanner/sandboxed.h"

enum {
	FILE_MAX = 2 * (1 << 20) + EDITS_BYTES_MAX
};

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

/* The value of a line of /proc/PID/status. */
static const char *status_of(pid_t pid, const char *name, char value_r[static 64])
{
	auto_buf struct buf text;
	char path[64], line[64];
	ptrdiff_t at;
	size_t len = 0;

	buf_init(&text, 1U << 16);
	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	assert_int_equal(file_read(path, 1U << 16, &text, NULL), 0);
	(void)snprintf(line, sizeof(line), "\n%s:\t", name);
	at = span_find(buf_span(&text), span_str(line));
	assert_true(at >= 0);
	for (const uint8_t *from = text.data + at + strlen(line);
		len < 63 && *from != '\n';)
		value_r[len++] = (char)*from++;
	value_r[len] = '\0';
	return value_r;
}

static int says_ready_and_waits(int keep_fd)
{
	char byte;

	if (write(keep_fd, "r", 1) != 1)
		return WRONG;
	return read(keep_fd, &byte, 1) == 0 ? OK : WRONG;
}

static void privileges_and_capabilities_are_gone(void **state)
{
	struct sandboxed inside = sandboxed_start(says_ready_and_waits, INSIDE_WORKER);
	char value[64], byte;

	(void)state;
	assert_int_equal(read(inside.fd, &byte, 1), 1);
	assert_string_equal(status_of(inside.pid, "NoNewPrivs", value), "1");
	assert_string_equal(status_of(inside.pid, "CapEff", value), "0000000000000000");
	assert_string_equal(status_of(inside.pid, "CapPrm", value), "0000000000000000");
	assert_string_equal(status_of(inside.pid, "CapInh", value), "0000000000000000");
	assert_string_equal(status_of(inside.pid, "Seccomp", value),
		sandbox_has_filter() ? "2" : "0");
	assert_int_equal(sandboxed_end(&inside), 0);
}

/* Nobody but root may look into it, not even its own user: so the kernel says who owns it. */
static void it_cannot_be_dumped(void **state)
{
	struct sandboxed inside =
		sandboxed_start(says_ready_and_waits, INSIDE_WORKER_OF_NOBODY);
	struct stat process;
	char path[64], byte;

	(void)state;
	assert_int_equal(read(inside.fd, &byte, 1), 1);
	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)inside.pid);
	assert_int_equal(stat(path, &process), 0);
	assert_int_equal(process.st_uid, 0);
	assert_int_equal(sandboxed_end(&inside), 0);
}

static int makes_a_file_for_all(int keep_fd)
{
	char path[SANDBOXED_PATH_MAX];
	auto_close int fd = open(sandboxed_path("file", path), O_RDWR | O_CREAT, 0666);
	struct stat file;

	(void)keep_fd;
	if (fd < 0 || fstat(fd, &file) < 0 || unlink(path) < 0)
		return WRONG;
	return (file.st_mode & 0777) == 0600 ? OK : WRONG;
}

static void its_files_are_its_own(void **state)
{
	(void)state;
	assert_inside(makes_a_file_for_all);
}

static int limits_are_hard(int keep_fd)
{
	static const struct {
		__rlimit_resource_t resource;
		rlim_t max;
	} all[] = { { RLIMIT_CORE, 0 }, { RLIMIT_NOFILE, 256 },
		{ RLIMIT_FSIZE, FILE_MAX } };
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

static int writes_a_large_file(int keep_fd)
{
	static const uint8_t bytes[FILE_MAX];
	char path[SANDBOXED_PATH_MAX];
	auto_close int fd = open(sandboxed_path("file", path), O_RDWR | O_CREAT, 0600);

	(void)keep_fd;
	(void)unlink(path);
	if (fd < 0 || write(fd, bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes))
		return WRONG;
	(void)!write(fd, bytes, 1);
	return WRONG;
}

static void a_file_beyond_the_limit_ends_it(void **state)
{
	(void)state;
	assert_killed(writes_a_large_file, SIGXFSZ);
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
	if (sandbox_begin_job(&sandboxed_settings, &err) < 0)
		return WRONG;
	for (volatile unsigned i = 0;; i++)
		;
}

static void a_job_that_spins_is_ended_by_its_processor_time(void **state)
{
	(void)state;
	assert_killed(spins, SIGXCPU);
}

static int begins_many_jobs(int keep_fd)
{
	struct err err = { 0 };
	struct rlimit first, last;

	(void)keep_fd;
	if (sandbox_begin_job(&sandboxed_settings, &err) < 0 ||
		getrlimit(RLIMIT_CPU, &first) < 0)
		return WRONG;
	for (int i = 0; i < 100; i++)
		if (sandbox_begin_job(&sandboxed_settings, &err) < 0)
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
			if (sandbox_enter(&sandboxed_settings, fds[1], sandboxed_temp,
				    &err) < 0)
				_exit(CANNOT_ENTER);
			_exit(says_ready_and_waits(fds[1]));
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
		cmocka_unit_test(privileges_and_capabilities_are_gone),
		cmocka_unit_test(it_cannot_be_dumped),
		cmocka_unit_test(its_files_are_its_own),
		cmocka_unit_test(limits_cannot_be_raised_again),
		cmocka_unit_test(memory_beyond_the_limit_is_refused),
		cmocka_unit_test(a_file_beyond_the_limit_ends_it),
		cmocka_unit_test(a_signal_to_the_whole_group_does_not_end_it),
		cmocka_unit_test(a_job_that_spins_is_ended_by_its_processor_time),
		cmocka_unit_test(each_job_has_its_own_processor_time),
		cmocka_unit_test(it_dies_with_its_parent),
	};

	return cmocka_run_group_tests(tests, sandboxed_setup, sandboxed_teardown);
}
