/* SPDX-License-Identifier: ISC */
#include "mailfilter/rescan_process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/defer.h"
#include "common/descriptors.h"
#include "common/idle.h"

#include "mailfilter/confine.h"
#include "mailfilter/runner.h"

/* Where the parent does not read now, the counts come with a later report. */
static void tell(void *arg, const struct rescan_report *report)
{
	const int *fd = arg;

	if (send(*fd, report, sizeof(*report), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return;
}

/* This one waits for the parent as long as that lives. */
static void tell_end(int fd, struct rescan_report *report)
{
	report->final = true;
	while (send(fd, report, sizeof(*report), MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

static _Noreturn void work(const struct rescan_job *given, int fd)
{
	struct account_settings own = *given->account;
	struct rescan_job job = *given;
	const int kept[] = { given->stop_fd, fd };
	struct rescan_report report = { 0 };

	job.account = &own;
	job.starter_fd = fd;
	job.progress = tell;
	job.progress_arg = &fd;
	/* It shares the state, and its lock, with the account's worker: new mail would wait for seconds where
	 * others are busy and who holds the lock is not let on. */
	idle_nearly();
	settings_forget_others(job.settings, given->account);
	/* Else a socket had readers left when the parent is gone, and its lock a holder. And as with a
	 * worker, which talks to servers, what the account runs another process runs for it. */
	if (descriptors_close_others(kept, sizeof(kept) / sizeof(*kept), &report.err) ==
			0 &&
		runner_start(given->account, &own.runner, &report.err) == 0 &&
		confine_worker(&report.err) == 0)
		rescan_account(&job, &report);
	runner_stop(own.runner);
	tell_end(fd, &report);
	_exit(EX_OK);
}

int rescan_process_start(
	struct rescan_process *process, const struct rescan_job *job, struct err *err)
{
	const pid_t parent = getpid();
	int fds[2];

	*process = (struct rescan_process){ .fd = -1, .heard_ms = clock_ms() };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_errno(err, ERR_AGAIN, "cannot start a process");
	process->pid = fork();
	if (process->pid == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
			_exit(EX_OSERR);
		work(job, fds[1]);
	}
	(void)close(fds[1]);
	if (process->pid < 0) {
		process->pid = 0;
		(void)err_errno(err, ERR_AGAIN, "cannot start a process");
		(void)close(fds[0]);
		return -1;
	}
	process->fd = fds[0];
	return 0;
}

void rescan_process_yield(const struct rescan_process *process, bool yield)
{
	const char word = (char)yield;

	/* One that is gone is reaped. */
	if (process->fd >= 0 &&
		send(process->fd, &word, 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return;
}

static bool hear(struct rescan_process *process, int flags)
{
	struct rescan_report report;
	ssize_t got;

	/* That it ended before it read a word is told first, and once; its last words come after. */
	do
		got = recv(process->fd, &report, sizeof(report), flags);
	while (got < 0 && (errno == EINTR || errno == ECONNRESET));
	if (got == (ssize_t)sizeof(report)) {
		process->report = report;
		process->heard_ms = clock_ms();
		return true;
	}
	if (got >= 0 || errno != EAGAIN)
		defer_close(&process->fd);
	return false;
}

bool rescan_process_hear(struct rescan_process *process)
{
	return process->fd >= 0 && hear(process, MSG_DONTWAIT);
}

bool rescan_process_reap(struct rescan_process *process, bool wait)
{
	pid_t got;

	while (wait && process->fd >= 0 && hear(process, 0))
		;
	do
		got = waitpid(process->pid, NULL, wait ? 0 : WNOHANG);
	while (got < 0 && errno == EINTR);
	if (got != process->pid)
		return false;
	while (rescan_process_hear(process))
		;
	defer_close(&process->fd);
	process->pid = 0;
	if (!process->report.final)
		(void)err_set(&process->report.err, ERR_AGAIN,
			"its process died; the next one goes on where it was");
	return true;
}
