/* SPDX-License-Identifier: ISC
 *
 * Which system calls a worker and an engine host may make: the only user of libseccomp. */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/defer.h"

#include "scanner/sandbox_inside.h"

#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if !defined(SANDBOX_UNFILTERED) &&                                                      \
	(defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                \
		__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#define SANDBOX_UNFILTERED
#endif

bool sandbox_has_filter(void)
{
#ifdef SANDBOX_UNFILTERED
	return false;
#else
	return true;
#endif
}

/* What scans were seen to do, and what the same libraries do on other machines or when they fail.
 * Which paths may be opened is Landlock's to say. */
static const int worker_allowed[] = {
	/* the socket to the parent */
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
	SCMP_SYS(poll), SCMP_SYS(ppoll),
	/* open files */
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(preadv),
	SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pwrite64), SCMP_SYS(pwritev),
	SCMP_SYS(lseek), SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(fadvise64),
	SCMP_SYS(fstat), SCMP_SYS(fstatfs), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
	SCMP_SYS(getdents64), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3),
	SCMP_SYS(close), SCMP_SYS(close_range),
	/* files by name */
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(access), SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat),
	SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(getcwd), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir),
	SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	/* memory, beside the rules for mmap and mprotect */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	/* time, where the kernel's page for it does not serve; sleep */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday),
	SCMP_SYS(time), SCMP_SYS(times), SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep),
	/* itself */
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid), SCMP_SYS(getuid),
	SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(uname),
	SCMP_SYS(sysinfo), SCMP_SYS(getrusage), SCMP_SYS(getrandom), SCMP_SYS(futex),
	SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(sigaltstack),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group)
};

/* Of fcntl: what cannot have a signal sent to another process. */
static const int worker_fcntl[] = { F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL,
	F_SETFL };

/* What libraries try and do without. libclamav makes folders it removes writable first: ours
 * are. */
static const struct {
	int call;
	uint16_t error;
} worker_refused[] = {
	{ SCMP_SYS(chmod), EPERM },
	{ SCMP_SYS(fchmod), EPERM },
	{ SCMP_SYS(fchmodat), EPERM },
	{ SCMP_SYS(ioctl), ENOTTY },
};

/* Its workers are forked with this in force. */
static const int host_killed[] = { SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(socket),
	SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept),
	SCMP_SYS(accept4), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(bpf), SCMP_SYS(io_uring_setup),
	SCMP_SYS(userfaultfd), SCMP_SYS(mount), SCMP_SYS(unshare), SCMP_SYS(setns) };

static void filter_free(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}
#define auto_filter DEFER(filter_free)

static int failed(int code, struct err *err)
{
	return err_set(err, ERR_FATAL, "the filter of system calls (seccomp): %s",
		strerror(-code));
}

static int allow(scmp_filter_ctx filter, int call, struct scmp_arg_cmp when)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1, when);
}

/* Memory that may be written and run is what an attacker needs next. It fails instead of killing:
 * iconv loads a charset that nobody thought of as a library, and does without. */
static int add_memory(scmp_filter_ctx filter)
{
	static const int calls[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };
	int code = 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls) && code == 0; i++) {
		code = allow(filter, calls[i], SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
		if (code == 0)
			code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), calls[i],
				1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC));
	}
	return code;
}

/* Its own limits and its own end (abort), not those of others; and to see that it is shut in. */
static int add_itself(scmp_filter_ctx filter)
{
	int code = allow(filter, SCMP_SYS(prlimit64), SCMP_A0(SCMP_CMP_EQ, 0, 0));

	if (code == 0)
		code = allow(
			filter, SCMP_SYS(prctl), SCMP_A0(SCMP_CMP_EQ, PR_GET_SECCOMP, 0));
	if (code == 0)
		code = allow(filter, SCMP_SYS(prctl),
			SCMP_A0(SCMP_CMP_EQ, PR_GET_NO_NEW_PRIVS, 0));

	if (code == 0)
		code = allow(filter, SCMP_SYS(tgkill),
			SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
	return code;
}

static int add_worker(scmp_filter_ctx filter)
{
	int code = add_memory(filter);

	if (code == 0)
		code = add_itself(filter);
	for (size_t i = 0;
		i < sizeof(worker_allowed) / sizeof(*worker_allowed) && code == 0; i++)
		code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, worker_allowed[i], 0);
	for (size_t i = 0; i < sizeof(worker_fcntl) / sizeof(*worker_fcntl) && code == 0;
		i++)
		code = allow(filter, SCMP_SYS(fcntl),
			SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)worker_fcntl[i], 0));
	for (size_t i = 0;
		i < sizeof(worker_refused) / sizeof(*worker_refused) && code == 0; i++)
		code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(worker_refused[i].error),
			worker_refused[i].call, 0);
	return code;
}

static int add_host(scmp_filter_ctx filter)
{
	int code = 0;

	for (size_t i = 0; i < sizeof(host_killed) / sizeof(*host_killed) && code == 0;
		i++)
		code = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, host_killed[i], 0);
	return code;
}

static int load(uint32_t other, int (*add)(scmp_filter_ctx filter), struct err *err)
{
	auto_filter scmp_filter_ctx filter = NULL;
	int code;

	if (!sandbox_has_filter())
		return 0;
	filter = seccomp_init(other);
	if (!filter)
		return err_memory(err);
	/* A call of another architecture is no mistake. */
	code = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (code == 0)
		code = add(filter);
	if (code == 0)
		code = seccomp_load(filter);
	return code == 0 ? 0 : failed(code, err);
}

int sandbox_filter_worker(struct err *err)
{
	return load(SCMP_ACT_KILL_PROCESS, add_worker, err);
}

int sandbox_filter_host(struct err *err)
{
	return load(SCMP_ACT_ALLOW, add_host, err);
}
