/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mailfilter/confine.h"

static int execs(void)
{
	char program[] = "/bin/true", *argv[] = { program, NULL },
	     *environment[] = { NULL };

	return execve(program, argv, environment);
}

static int execs_a_file(void)
{
	char program[] = "/bin/true", *argv[] = { program, NULL },
	     *environment[] = { NULL };

	return (int)syscall(SYS_execveat, AT_FDCWD, program, argv, environment, 0);
}

static int traces(void)
{
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static int writes_into_another(void)
{
	char byte = 0;
	struct iovec here = { &byte, 1 }, there = { &byte, 1 };

	return (int)process_vm_writev(getppid(), &here, 1, &there, 1, 0);
}

static int mounts(void)
{
	return mount("none", "/mnt", "tmpfs", 0, NULL);
}

static int leaves_its_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static int loads_a_filter_program(void)
{
	return (int)syscall(SYS_bpf, 0, NULL, 0);
}

static int reads_a_key(void)
{
	return (int)syscall(SYS_keyctl, 0, 0, 0, 0, 0);
}

static int loads_a_module(void)
{
	return (int)syscall(SYS_init_module, NULL, 0, "");
}

static int types(void)
{
	return ioctl(STDIN_FILENO, TIOCSTI, "x");
}

/* 0: refused with EPERM. In a process that is confined for good. */
static int tries(int (*what)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct err err;

		if (confine_worker(&err) < 0)
			_exit(10);
		errno = 0;
		if (what() != -1)
			_exit(11);
		_exit(errno == EPERM ? 0 : 12);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void what_a_worker_never_needs_is_refused(void **state)
{
	static int (*const cases[])(void) = { execs, execs_a_file, traces,
		writes_into_another, mounts, leaves_its_namespace, loads_a_filter_program,
		reads_a_key, loads_a_module, types };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (tries(cases[i]) != 0)
			fail_msg("case %zu", i);
}

static void there_is_no_way_back_for_what_it_starts(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err err;
		pid_t inner;

		if (confine_worker(&err) < 0 ||
			prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
			_exit(10);
		inner = fork();
		if (inner == 0)
			_exit(execs() == -1 && errno == EPERM ? 0 : 11);
		if (waitpid(inner, &status, 0) != inner)
			_exit(12);
		_exit(status == 0 ? 0 : 13);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* As under a service manager whose own filter lacks seccomp(2): prctl(2) does it too. */
static void a_filter_around_us_that_lacks_the_call_does_not_keep_us(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		/* By hand: libseccomp would remember that it had the call once. */
		struct sock_filter steps[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
				offsetof(struct seccomp_data, nr)),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 1),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		};
		const struct sock_fprog around = { 4, steps };
		struct err err;

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
			prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &around, 0, 0) < 0)
			_exit(10);
		if (confine_worker(&err) < 0)
			_exit(11);
		_exit(execs() == -1 && errno == EPERM ? 0 : 12);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void a_process_leaves_no_core_and_is_not_looked_into(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		struct rlimit core;
		struct err err;

		if (confine_process(&err) < 0 || getrlimit(RLIMIT_CORE, &core) < 0)
			_exit(10);
		if (core.rlim_cur != 0 || core.rlim_max != 0)
			_exit(11);
		_exit(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 12);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_worker_never_needs_is_refused),
		cmocka_unit_test(there_is_no_way_back_for_what_it_starts),
		cmocka_unit_test(a_filter_around_us_that_lacks_the_call_does_not_keep_us),
		cmocka_unit_test(a_process_leaves_no_core_and_is_not_looked_into),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
