/* SPDX-License-Identifier: ISC
 *
 * Code that runs in a process of its own inside the sandbox, as a worker does, and how it ended. */
#ifndef TESTS_SCANNER_SANDBOXED_H
#define TESTS_SCANNER_SANDBOXED_H

#include "tests/test.h"

#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/defer.h"

#include "scanner/job.h"
#include "scanner/sandbox.h"
#include "scanner/sandbox_inside.h"

enum {
	OK = 0,
	CANNOT_ENTER = 90,
	WRONG = 91,
	NOBODY = 65534,
	SANDBOXED_PATH_MAX = 128
};

enum inside {
	INSIDE_WORKER,
	INSIDE_WORKER_OF_NOBODY, /* the same, never as root */
	INSIDE_HOST
};

static const struct settings sandboxed_settings = {
	.message_max = 1U << 20,
	.scan_timeout_ms = 1000,
	.scan_size_max = 1U << 20,
};

/* The folder of all that runs inside. */
static char sandboxed_temp[] = "/tmp/mailfilter-sandbox.XXXXXX";

/* What runs there; returns its exit code, an errno or one of those above. */
typedef int inside_fn(int keep_fd);

struct sandboxed {
	pid_t pid;
	int fd; /* the other end of keep_fd */
};

static inline int sandboxed_setup(void **state)
{
	(void)state;
	return mkdtemp(sandboxed_temp) ? 0 : -1;
}

/* Nothing may be left in it. */
static inline int sandboxed_teardown(void **state)
{
	(void)state;
	return rmdir(sandboxed_temp);
}

static inline const char *sandboxed_path(
	const char *name, char path_r[static SANDBOXED_PATH_MAX])
{
	(void)snprintf(path_r, SANDBOXED_PATH_MAX, "%s/%s", sandboxed_temp, name);
	return path_r;
}

static inline int sandboxed_enter(enum inside kind, int fd, struct err *err)
{
	if (kind == INSIDE_WORKER_OF_NOBODY && geteuid() == 0 &&
		(setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 || setuid(NOBODY) < 0 ||
			prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0))
		return err_errno(err, ERR_FATAL, "cannot become nobody");
	if (sandbox_enter_host(err) < 0)
		return -1;
	return kind == INSIDE_HOST
		       ? 0
		       : sandbox_enter(&sandboxed_settings, fd, sandboxed_temp, err);
}

static inline struct sandboxed sandboxed_start(inside_fn *run, enum inside kind)
{
	struct sandboxed inside = { 0 };
	struct err err = { 0 };
	int fds[2];

	assert_int_equal(job_socketpair(fds, &err), 0);
	inside.pid = fork();
	assert_true(inside.pid >= 0);
	if (inside.pid == 0) {
		(void)close(fds[0]);
		if (sandboxed_enter(kind, fds[1], &err) < 0) {
			(void)dprintf(2, "%s\n", err.text);
			_exit(CANNOT_ENTER);
		}
		_exit(run(fds[1]));
	}
	(void)close(fds[1]);
	inside.fd = fds[0];
	return inside;
}

/* Closes its socket, waits; the wait status. */
static inline int sandboxed_end(struct sandboxed *inside)
{
	int status = 0;

	(void)close(inside->fd);
	assert_int_equal(waitpid(inside->pid, &status, 0), inside->pid);
	return status;
}

static inline void assert_code(const char *name, int status, int code)
{
	if (!WIFEXITED(status) || WEXITSTATUS(status) != code)
		fail_msg("%s: wait status %#x, not exit code %d (%s)", name,
			(unsigned)status, code, strerror(code));
}

static inline void assert_signal(const char *name, int status, int number)
{
	if (!WIFSIGNALED(status) || WTERMSIG(status) != number)
		fail_msg("%s: wait status %#x, not signal %d (%s)", name,
			(unsigned)status, number, strsignal(number));
}

static inline void assert_inside(inside_fn *run)
{
	struct sandboxed inside = sandboxed_start(run, INSIDE_WORKER);

	assert_code("inside", sandboxed_end(&inside), OK);
}

static inline void assert_killed(inside_fn *run, int number)
{
	struct sandboxed inside = sandboxed_start(run, INSIDE_WORKER);

	assert_signal("inside", sandboxed_end(&inside), number);
}

/* What this build or kernel cannot do is no failure of the code, but is said. */
static inline void skip_without_filter(void)
{
	if (sandbox_has_filter())
		return;
	print_message("# skipped: this build has no filter of system calls\n");
	skip();
}

static inline void skip_without_paths(void)
{
	if (sandbox_has_paths())
		return;
	print_message("# skipped: this kernel has no Landlock\n");
	skip();
}

#endif
