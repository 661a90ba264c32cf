/* SPDX-License-Identifier: ISC */
#include "scanner/sandbox.h"

#include <assert.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/defer.h"
#include "common/descriptors.h"
#include "common/edits.h"
#include "common/file.h"
#include "common/parse.h"

#include "scanner/capabilities.h"
#include "scanner/sandbox_inside.h"

enum {
	MEMORY_SPARE_MB =
		2048, /* beside the signatures: what libclamav may need at its worst */
	MEMORY_COPIES = 4, /* of a message: raw, decoded, cleaned, in libclamav's hands */
	FILES_MAX = 256,
	OOM_SCORE = 500,
	STATM_MAX = 256
};

static int limit(
	__rlimit_resource_t resource, const char *name, rlim_t max, struct err *err)
{
	struct rlimit now = { 0 };

	if (getrlimit(resource, &now) == 0 && now.rlim_max < max)
		max = now.rlim_max;
	now.rlim_cur = now.rlim_max = max;
	if (setrlimit(resource, &now) < 0)
		return err_errno(err, ERR_FATAL, "setrlimit %s", name);
	return 0;
}

/* Bytes of address space in use: the first number of /proc/self/statm, in pages. */
static int address_space(uint64_t *bytes_r, struct err *err)
{
	auto_buf struct buf statm = { .max = STATM_MAX };
	uint64_t pages;
	char *end;

	if (file_read("/proc/self/statm", STATM_MAX - 1, &statm, err) < 0 ||
		buf_add(&statm, "", 1, err) < 0)
		return -1;
	end = memchr(statm.data, ' ', statm.len);
	if (end)
		*end = '\0';
	if (parse_number((char *)statm.data, 1, UINT64_MAX >> 16, &pages, err) < 0)
		return err_wrap(err, "/proc/self/statm");
	*bytes_r = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return 0;
}

static int limit_resources(const struct settings *settings, struct err *err)
{
	/* Well above what is written when all limits are kept. */
	uint64_t file_max =
		settings->scan_size_max + settings->message_max + EDITS_BYTES_MAX;
	uint64_t memory = 0;

	if (address_space(&memory, err) < 0)
		return -1;
	memory +=
		((uint64_t)MEMORY_SPARE_MB << 20) + MEMORY_COPIES * settings->message_max;
	if (limit(RLIMIT_AS, "AS", memory, err) < 0 ||
		limit(RLIMIT_FSIZE, "FSIZE", file_max, err) < 0 ||
		limit(RLIMIT_NOFILE, "NOFILE", FILES_MAX, err) < 0 ||
		limit(RLIMIT_CORE, "CORE", 0, err) < 0)
		return -1;
	return 0;
}

/* The parent alone says when to stop, even where the service manager or a terminal signals the
 * whole group. A file over its limit ends the process: as an error of write, libclamav's mail
 * parser would pass over it and call what was not written clean. */
static int reset_signals(struct err *err)
{
	static const int ignored[] = { SIGPIPE, SIGINT, SIGTERM, SIGHUP };
	sigset_t none;

	for (int number = 1; number < SIGRTMIN; number++)
		if (number != SIGKILL && number != SIGSTOP)
			(void)signal(number, SIG_DFL);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
	(void)sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		return err_errno(err, ERR_FATAL, "sigprocmask");
	return 0;
}

static int close_descriptors(int keep_fd, struct err *err)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* 0 and 1 stay taken, or a file of libclamav would get their number and what it prints. */
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		return err_errno(err, ERR_FATAL, "/dev/null");
	return descriptors_close_others(&keep_fd, 1, err);
}

/* The last step: what comes before needs no permission from it. */
static int drop_privileges(const char *temp_dir, struct err *err)
{
	if (capabilities_drop(err) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_errno(err, ERR_FATAL, "no_new_privs");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_errno(err, ERR_FATAL, "not dumpable");
	if (sandbox_confine(temp_dir, err) < 0)
		return -1;
	return sandbox_filter_worker(err);
}

int sandbox_enter(const struct settings *settings, int keep_fd, const char *temp_dir,
	struct err *err)
{
	auto_close int oom = -1;

	assert(keep_fd > STDERR_FILENO);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_errno(err, ERR_FATAL, "parent death signal");
	(void)umask(077);
	if (close_descriptors(keep_fd, err) < 0 || reset_signals(err) < 0)
		return -1;
	/* Where memory runs short, rather one message's worker than the signatures of all. */
	oom = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (oom < 0 || dprintf(oom, "%d", OOM_SCORE) < 0)
		return err_errno(err, ERR_FATAL, "/proc/self/oom_score_adj");
	(void)close(take_fd(&oom));
	if (limit_resources(settings, err) < 0)
		return -1;
	return drop_privileges(temp_dir, err);
}

int sandbox_enter_host(struct err *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_errno(err, ERR_FATAL, "no_new_privs");
	return sandbox_filter_host(err);
}

int sandbox_confirm(struct err *err)
{
	if (sandbox_has_filter() &&
		(prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != SECCOMP_MODE_FILTER ||
			prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1))
		return err_set(err, ERR_AGAIN,
			"self-test: the worker is not shut in (seccomp, no_new_privs)");
	return 0;
}

int sandbox_begin_job(const struct settings *settings, struct err *err)
{
	struct rusage used = { 0 };
	struct rlimit cpu = { 0 };

	if (getrusage(RUSAGE_SELF, &used) < 0 || getrlimit(RLIMIT_CPU, &cpu) < 0)
		return err_errno(err, ERR_FATAL, "processor time");
	/* Whole seconds: one more for each of the three that are cut. */
	cpu.rlim_cur = (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec + 3) +
		       (rlim_t)(settings->scan_timeout_ms / 1000);
	if (cpu.rlim_cur > cpu.rlim_max)
		cpu.rlim_cur = cpu.rlim_max;
	if (setrlimit(RLIMIT_CPU, &cpu) < 0)
		return err_errno(err, ERR_FATAL, "setrlimit CPU");
	return 0;
}

const char *sandbox_missing(void)
{
	if (!sandbox_has_filter())
		return "this build filters no system calls of its workers (seccomp)";
	if (!sandbox_has_paths())
		return "the kernel does not keep workers from files that the scanner's user "
		       "may open: start it with landlock among its lsm= names";
	return "";
}
