/* SPDX-License-Identifier: ISC */
#include "mailfilter/child.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/descriptors.h"

#include "mailfilter/account.h"
#include "mailfilter/confine.h"
#include "mailfilter/runner.h"
#include "mailfilter/standing.h"

/* What a worker says: a packet each, with all it has to say. */
enum word_kind {
	WORD_PROGRESS,
	WORD_END,   /* the report is final, and so is the process */
	WORD_IDLES, /* the report is final; the process waits for news */
	WORD_NEWS,
	WORD_STILL, /* it waits still, and the server answers */
	WORD_LOST,  /* the session it waited in; report.err says why */
	WORD_REFUSED,
};
struct word {
	enum word_kind kind;
	struct report report;
};

static void send_report(void *arg, const struct report *report)
{
	const int *fd = arg;
	struct word word = { .kind = WORD_PROGRESS, .report = *report };

	/* Where the parent does not read now, the counts come with a later report. */
	if (send(*fd, &word, sizeof(word), MSG_NOSIGNAL) < 0)
		return;
}

/* This waits for the parent as long as that lives. */
static void send_word(int fd, enum word_kind kind, const struct report *report)
{
	struct word word = { .kind = kind, .report = *report };
	struct pollfd ready = { .fd = fd, .events = POLLOUT };

	while (send(fd, &word, sizeof(word), MSG_NOSIGNAL) < 0 && errno == EAGAIN)
		(void)poll(&ready, 1, -1);
}

/* From here on it may no longer start programs: its account's commands are run by another. */
static int confine(const struct child_tools *tools, const struct child *child,
	struct account_settings *account, struct err *err)
{
	settings_forget_others(tools->settings, child->account);
	*account = *child->account;
	if (runner_start(child->account, &account->runner, err) < 0 ||
		confine_worker(err) < 0)
		return -1;
	return 0;
}

static void say_news(void *arg)
{
	const int *fd = arg;

	send_word(*fd, WORD_NEWS, &(struct report){ 0 });
}

static void say_still(void *arg)
{
	const int *fd = arg;

	send_word(*fd, WORD_STILL, &(struct report){ 0 });
}

/* Between two rounds. True: there is to be another. Without its runner it could run no command any
 * more: it ends, and the next process has one. */
static bool idle(struct standing *standing, int stop_fd, int fd)
{
	const struct standing_ears ears = { .stop_fd = stop_fd,
		.call_fd = fd,
		.news = say_news,
		.still = say_still,
		.arg = &fd };
	struct report last = { 0 };

	/* It may wait for hours, beside hundreds of others. */
	(void)malloc_trim(0);
	switch (standing_watch(standing, &ears, &last.err)) {
	case STANDING_CALLED:
		if (!runner_is_gone(standing->account.runner))
			return true;
		(void)err_set(
			&last.err, ERR_AGAIN, "the process that runs commands is gone");
		send_word(fd, WORD_LOST, &last);
		break;
	case STANDING_LOST:
		send_word(fd, WORD_LOST, &last);
		break;
	case STANDING_REFUSED:
		send_word(fd, WORD_REFUSED, &last);
		break;
	case STANDING_STOPPED:
		break;
	}
	standing_close(standing);
	return false;
}

static _Noreturn void serve(
	const struct child *child, const struct child_tools *tools, int fd)
{
	struct account_settings account = { 0 };
	struct standing standing = { 0 };
	const struct account_job job = { .settings = tools->settings,
		.account = &account,
		.dry_run = tools->dry_run,
		.stop_fd = tools->stop_fd,
		.standing = tools->idle && !child->polls ? &standing : NULL,
		.pause_ms = ACCOUNT_PAUSE_MS,
		.progress = send_report,
		.progress_arg = &fd };
	struct report report = { 0 };

	/* Else a socket had readers left when the parent is gone. */
	for (size_t i = 0; i < tools->count; i++)
		if (tools->children[i].fd >= 0)
			(void)close(tools->children[i].fd);
	for (size_t i = 0; i < sizeof(tools->private_fds) / sizeof(int); i++)
		if (tools->private_fds[i] >= 0)
			(void)close(tools->private_fds[i]);
	if (confine(tools, child, &account, &report.err) < 0) {
		report.final = true;
		send_word(fd, WORD_END, &report);
		_exit(report_exit_code(&report));
	}
	do {
		report = (struct report){ 0 };
		account_run(&job, &report);
		if (runner_is_gone(account.runner))
			standing_close(&standing);
		send_word(fd, standing.source ? WORD_IDLES : WORD_END, &report);
	} while (standing.source && idle(&standing, tools->stop_fd, fd));
	runner_stop(account.runner);
	_exit(report_exit_code(&report));
}

static int failed(struct child *child)
{
	return err_errno(&child->report.err, ERR_AGAIN, "cannot start a process");
}

/* Each process that waits in IDLE has one here, and the preset of most systems is 1024. */
static int open_pair(int fds_r[static 2])
{
	const int type = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;

	while (socketpair(AF_UNIX, type, 0, fds_r) < 0)
		if (errno != EMFILE || !descriptors_allow_more())
			return -1;
	return 0;
}

int child_start(struct child *child, const struct child_tools *tools)
{
	pid_t parent = getpid();
	int fds[2];

	child->report = (struct report){ 0 };
	child->lost = (struct err){ 0 };
	child->idles = child->news = child->round_over = child->refused = false;
	child->called = false;
	child->kill_ms = 0;
	child->heard_ms = clock_ms();
	if (open_pair(fds) < 0)
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

void child_call(struct child *child)
{
	child->idles = child->news = false;
	child->called = true;
	child->heard_ms = clock_ms();
	child->report = (struct report){ 0 };
	/* One that is gone is reaped. */
	if (send(child->fd, "", 1, MSG_NOSIGNAL) < 0)
		return;
}

static void take(struct child *child, const struct word *word)
{
	child->heard_ms = clock_ms();
	child->called = false;
	switch (word->kind) {
	case WORD_PROGRESS:
		child->report = word->report;
		break;
	case WORD_IDLES:
		child->idles = true;
		child->idle_ms = child->heard_ms;
		child->report = word->report;
		child->round_over = true;
		break;
	case WORD_END:
		child->report = word->report;
		child->round_over = true;
		break;
	case WORD_NEWS:
		child->news = true;
		break;
	case WORD_STILL:
		break;
	case WORD_REFUSED:
		child->refused = true;
		child->lost = word->report.err;
		break;
	case WORD_LOST:
		child->lost = word->report.err;
		break;
	}
}

bool child_hear(struct child *child)
{
	struct word word;
	ssize_t got;

	/* That it ended before it read a call is told first, and once; its last words come after. */
	do
		got = recv(child->fd, &word, sizeof(word), 0);
	while (got < 0 && errno == ECONNRESET);
	if (got == (ssize_t)sizeof(word)) {
		take(child, &word);
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
	/* A call that crossed this word, or the signal to end, was heard by nobody: there was no other
	 * round. */
	if (child->lost.kind != ERR_NONE || (child->called && WIFEXITED(status)))
		child->idles = true;
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
