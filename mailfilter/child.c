/* SPDX-License-Identifier: ISC */
#include "mailfilter/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/clock.h"

#include "mailfilter/account.h"
#include "mailfilter/confine.h"
#include "mailfilter/runner.h"

_Static_assert(
	sizeof(struct report) <= 4096, "a report goes through a pipe in one piece");

static void send_report(void *arg, const struct report *report)
{
	const int *fd = arg;

	/* Where the parent does not read now, the counts come with a later report. */
	if (write(*fd, report, sizeof(*report)) < 0)
		return;
}

/* The last one waits for the parent as long as that lives. */
static void send_last_report(int fd, const struct report *report)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };

	while (write(fd, report, sizeof(*report)) < 0 && errno == EAGAIN)
		(void)poll(&ready, 1, -1);
}

/* A worker holds the secrets of its own account and nobody else's. */
static void forget_others(
	const struct settings *settings, const struct account_settings *own)
{
	for (size_t i = 0; i < settings->accounts.count; i++) {
		const struct account_settings *other = settings_account(settings, i);

		if (other != own && other->password)
			explicit_bzero(other->password, strlen(other->password));
	}
}

/* From here on it may no longer start programs: its account's commands are run by another. */
static int confine(const struct child_tools *tools, const struct child *child,
	struct account_settings *account, struct err *err)
{
	forget_others(tools->settings, child->account);
	*account = *child->account;
	if (runner_start(child->account, &account->runner, err) < 0 ||
		confine_worker(err) < 0)
		return -1;
	return 0;
}

static _Noreturn void serve(
	const struct child *child, const struct child_tools *tools, int fd)
{
	struct account_settings account = { 0 };
	struct account_job job = { .settings = tools->settings,
		.account = &account,
		.dry_run = tools->dry_run,
		.stop_fd = tools->stop_fd,
		.pause_ms = ACCOUNT_PAUSE_MS,
		.progress = send_report,
		.progress_arg = &fd };
	struct report report = { 0 };

	/* Else a pipe had readers left when the parent is gone. */
	for (size_t i = 0; i < tools->count; i++)
		if (tools->children[i].fd >= 0)
			(void)close(tools->children[i].fd);
	if (tools->lock >= 0)
		(void)close(tools->lock);
	if (confine(tools, child, &account, &report.err) == 0)
		account_run(&job, &report);
	else
		report.final = true;
	runner_stop(account.runner);
	send_last_report(fd, &report);
	_exit(report_exit_code(&report));
}

static int failed(struct child *child)
{
	return err_errno(&child->report.err, ERR_AGAIN, "cannot start a process");
}

int child_start(struct child *child, const struct child_tools *tools)
{
	pid_t parent = getpid();
	int fds[2];

	child->report = (struct report){ 0 };
	child->heard_ms = clock_ms();
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return failed(child);
	child->pid = fork();
	if (child->pid == 0) {
		(void)close(fds[0]);
		/* Not SIGTERM, which one that hangs would never read: without a parent nobody is
		 * left to end it, and it would hold the account for ever. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
			_exit(EX_OSERR);
		serve(child, tools, fds[1]);
	}
	(void)close(fds[1]);
	if (child->pid < 0) {
		(void)failed(child);
		(void)close(fds[0]);
		child->pid = 0;
		return -1;
	}
	child->fd = fds[0];
	return 0;
}

bool child_hear(struct child *child)
{
	struct report report;
	ssize_t got = read(child->fd, &report, sizeof(report));

	if (got == (ssize_t)sizeof(report)) {
		child->report = report;
		child->heard_ms = clock_ms();
		return true;
	}
	if (got >= 0 || (errno != EINTR && errno != EAGAIN)) {
		(void)close(child->fd);
		child->fd = -1;
	}
	return false;
}

static enum child_end judge_end(const struct child *child, int status)
{
	if (!WIFSIGNALED(status))
		return CHILD_EXITED;
	switch (WTERMSIG(status)) {
	case SIGKILL:
	case SIGTERM:
	case SIGINT:
	case SIGHUP:
	case SIGQUIT:
		return child->hung ? CHILD_CRASHED : CHILD_KILLED;
	default:
		return CHILD_CRASHED;
	}
}

bool child_reap(struct child *child, enum child_end *end_r)
{
	int status;

	if (waitpid(child->pid, &status, WNOHANG) != child->pid)
		return false;
	while (child->fd >= 0 && child_hear(child))
		;
	if (child->fd >= 0)
		(void)close(child->fd);
	child->fd = -1;
	child->pid = 0;
	*end_r = judge_end(child, status);
	child->hung = false;
	if (WIFSIGNALED(status))
		(void)err_set(&child->report.err, ERR_AGAIN,
			"its process died of signal %d (%s); what was in flight is fetched again",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (!child->report.final)
		(void)err_set(&child->report.err, ERR_AGAIN,
			"its process ended early with status %d", WEXITSTATUS(status));
	return true;
}
