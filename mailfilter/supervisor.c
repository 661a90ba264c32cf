/* SPDX-License-Identifier: ISC */
#include "mailfilter/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/notify.h"
#include "common/stop.h"

#include "mailfilter/account.h"

/* An account as the parent sees it. */
struct child {
	const struct account_settings *account;
	pid_t pid;         /* 0: not running */
	int fd;            /* its reports, -1: none */
	int64_t due_ms;    /* when it is served next; -1: not again */
	int64_t heard_ms;  /* its last report */
	uint32_t failures; /* in a row that ended by a signal */
	struct report report;
};

struct supervisor {
	const struct settings *settings;
	const struct supervisor_options *options;
	struct child *children;
	size_t count;
	int stop_fd;
	int64_t kill_ms; /* stopping: when patience ends; 0: not stopping */
	int exit_code;
	bool progress; /* a progress line stands on the terminal */
};

static void send_report(void *arg, const struct report *report)
{
	const int *fd = arg;

	/* At most PIPE_BUF bytes: whole or not at all. A parent that is gone is noticed by prctl. */
	if (write(*fd, report, sizeof(*report)) < 0)
		return;
}
_Static_assert(
	sizeof(struct report) <= 4096, "a report goes through a pipe in one piece");

static _Noreturn void child_main(
	const struct supervisor *supervisor, struct child *child, int fd)
{
	struct account_job job = { .settings = supervisor->settings,
		.account = child->account,
		.dry_run = supervisor->options->dry_run,
		.stop_fd = supervisor->stop_fd,
		.progress = send_report,
		.progress_arg = &fd };
	struct report report = { 0 };

	account_run(&job, &report);
	send_report(&fd, &report);
	_exit(report_exit_code(&report));
}

static void start(struct supervisor *supervisor, struct child *child)
{
	pid_t parent = getpid();
	int fds[2];

	child->report = (struct report){ 0 };
	child->heard_ms = clock_ms();
	if (pipe2(fds, O_CLOEXEC) < 0) {
		log_error("account=%s cannot start: %s", child->account->name,
			strerror(errno));
		child->due_ms = clock_ms() + supervisor->settings->interval_ms;
		return;
	}
	child->pid = fork();
	if (child->pid == 0) {
		(void)close(fds[0]);
		if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
			_exit(EX_OSERR);
		child_main(supervisor, child, fds[1]);
	}
	(void)close(fds[1]);
	if (child->pid < 0) {
		log_error("account=%s cannot start: %s", child->account->name,
			strerror(errno));
		(void)close(fds[0]);
		child->pid = 0;
		child->due_ms = clock_ms() + supervisor->settings->interval_ms;
		return;
	}
	child->fd = fds[0];
}

static size_t running(const struct supervisor *supervisor)
{
	size_t count = 0;

	for (size_t i = 0; i < supervisor->count; i++)
		count += supervisor->children[i].pid > 0;
	return count;
}

static void start_due(struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->count && supervisor->kill_ms == 0; i++) {
		struct child *child = &supervisor->children[i];

		if (running(supervisor) >= supervisor->settings->jobs)
			return;
		if (child->pid == 0 && child->due_ms >= 0 &&
			clock_left(child->due_ms) == 0)
			start(supervisor, child);
	}
}

static void show_progress(struct supervisor *supervisor)
{
	uint32_t listed = 0, decided = 0;

	if (supervisor->options->quiet || !supervisor->options->once ||
		!isatty(STDERR_FILENO) || log_level() > LOG_LEVEL_WARNING)
		return;
	for (size_t i = 0; i < supervisor->count; i++) {
		listed += supervisor->children[i].report.listed;
		decided += report_decided(&supervisor->children[i].report);
	}
	(void)fprintf(stderr, "\r%u of %u messages\033[K", decided, listed);
	supervisor->progress = true;
}

static void clear_progress(struct supervisor *supervisor)
{
	if (supervisor->progress)
		(void)fputs("\r\033[K", stderr);
	supervisor->progress = false;
}

static void read_reports(struct supervisor *supervisor, struct child *child)
{
	struct report report;
	ssize_t got = read(child->fd, &report, sizeof(report));

	if (got == (ssize_t)sizeof(report)) {
		child->report = report;
		child->heard_ms = clock_ms();
		show_progress(supervisor);
	} else if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) {
		(void)close(child->fd);
		child->fd = -1;
	}
}

/* What a round of one account came to, for people and for the exit code. */
static void tell(struct supervisor *supervisor, struct child *child)
{
	char text[REPORT_SUMMARY_MAX];
	const struct report *report = &child->report;
	int code = report_exit_code(report);

	supervisor->exit_code = report_worse(supervisor->exit_code, code);
	(void)report_summary(report, text);
	clear_progress(supervisor);
	if (code != 0)
		log_warning("%s: %s", child->account->name, text);
	else if (supervisor->options->once && !supervisor->options->quiet)
		(void)printf("%s: %s\n", child->account->name, text);
	else
		log_debug("%s: %s", child->account->name, text);
	(void)fflush(stdout);
}

static void schedule(struct supervisor *supervisor, struct child *child)
{
	int64_t wait_ms = supervisor->settings->interval_ms;

	for (uint32_t i = 0; i < child->failures && wait_ms < SUPERVISOR_BACKOFF_MAX_MS;
		i++)
		wait_ms *= 2;
	if (wait_ms > SUPERVISOR_BACKOFF_MAX_MS)
		wait_ms = SUPERVISOR_BACKOFF_MAX_MS;
	child->due_ms = supervisor->options->once ? -1 : clock_ms() + wait_ms;
}

static void ended(struct supervisor *supervisor, struct child *child, int status)
{
	while (child->fd >= 0)
		read_reports(supervisor, child);
	child->pid = 0;
	if (WIFSIGNALED(status)) {
		child->failures++;
		child->report.final = true;
		(void)err_set(&child->report.err, ERR_AGAIN,
			"its process died of signal %d (%s); what was in flight is fetched again",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	} else {
		child->failures = 0;
	}
	if (!child->report.final)
		(void)err_set(&child->report.err, ERR_AGAIN,
			"its process ended early with status %d", WEXITSTATUS(status));
	tell(supervisor, child);
	schedule(supervisor, child);
}

static void reap(struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->count; i++) {
		struct child *child = &supervisor->children[i];
		int status;

		if (child->pid > 0 && waitpid(child->pid, &status, WNOHANG) == child->pid)
			ended(supervisor, child, status);
	}
}

static void signal_all(struct supervisor *supervisor, int signal)
{
	for (size_t i = 0; i < supervisor->count; i++)
		if (supervisor->children[i].pid > 0)
			(void)kill(supervisor->children[i].pid, signal);
}

static void take_signals(struct supervisor *supervisor)
{
	for (int signal; (signal = stop_next(supervisor->stop_fd)) != 0;) {
		switch (signal) {
		case SIGTERM:
		case SIGINT:
			if (supervisor->kill_ms == 0) {
				supervisor->kill_ms = clock_ms() + SUPERVISOR_STOP_MS;
				notify_send("STOPPING=1");
				signal_all(supervisor, SIGTERM);
			}
			break;
		case SIGUSR1:
			for (size_t i = 0; i < supervisor->count; i++)
				supervisor->children[i].due_ms = clock_ms();
			break;
		default:
			break;
		}
	}
	reap(supervisor);
}

/* One that says nothing for long, or does not stop when told, is killed: its mail is safe. */
static void kill_stalled(struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->count; i++) {
		struct child *child = &supervisor->children[i];

		if (child->pid == 0)
			continue;
		if (supervisor->kill_ms != 0 && clock_left(supervisor->kill_ms) == 0)
			(void)kill(child->pid, SIGKILL);
		else if (clock_ms() - child->heard_ms > SUPERVISOR_STALL_MS) {
			log_error("account=%s made no progress for %d s: killed",
				child->account->name, SUPERVISOR_STALL_MS / 1000);
			child->heard_ms = clock_ms();
			(void)kill(child->pid, SIGKILL);
		}
	}
}

/* When there is something to do without an event. */
static int next_ms(const struct supervisor *supervisor)
{
	int64_t next = clock_ms() + SUPERVISOR_LOOK_MS;
	bool room = running(supervisor) < supervisor->settings->jobs;

	if (supervisor->kill_ms != 0 && supervisor->kill_ms < next)
		next = supervisor->kill_ms;
	for (size_t i = 0; i < supervisor->count && supervisor->kill_ms == 0; i++) {
		const struct child *child = &supervisor->children[i];

		if (room && child->pid == 0 && child->due_ms >= 0 && child->due_ms < next)
			next = child->due_ms;
	}
	return clock_left(next);
}

static int wait_events(struct supervisor *supervisor, struct pollfd *fds)
{
	for (size_t i = 0; i < supervisor->count; i++)
		fds[i] = (struct pollfd){ .fd = supervisor->children[i].fd,
			.events = POLLIN };
	fds[supervisor->count] =
		(struct pollfd){ .fd = supervisor->stop_fd, .events = POLLIN };
	if (poll(fds, supervisor->count + 1, next_ms(supervisor)) < 0)
		return errno == EINTR ? 0 : -1;
	for (size_t i = 0; i < supervisor->count; i++)
		if (fds[i].revents && supervisor->children[i].fd >= 0)
			read_reports(supervisor, &supervisor->children[i]);
	if (fds[supervisor->count].revents)
		take_signals(supervisor);
	return 0;
}

static bool more_to_do(const struct supervisor *supervisor)
{
	if (running(supervisor) > 0)
		return true;
	for (size_t i = 0; i < supervisor->count && supervisor->kill_ms == 0; i++)
		if (supervisor->children[i].due_ms >= 0)
			return true;
	return false;
}

static bool wanted(const struct supervisor_options *options, const char *name)
{
	for (size_t i = 0; i < options->only_count; i++)
		if (strcmp(options->only[i], name) == 0)
			return true;
	return options->only_count == 0;
}

static int take_accounts(struct supervisor *supervisor)
{
	size_t count = supervisor->settings->accounts.count;

	supervisor->children = calloc(count, sizeof(*supervisor->children));
	if (!supervisor->children)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const struct account_settings *account =
			settings_account(supervisor->settings, i);

		if (wanted(supervisor->options, account->name))
			supervisor->children[supervisor->count++] =
				(struct child){ .account = account, .fd = -1 };
	}
	return 0;
}

int supervisor_run(
	const struct settings *settings, const struct supervisor_options *options)
{
	struct supervisor supervisor = {
		.settings = settings, .options = options, .stop_fd = -1
	};
	struct pollfd *fds DEFER(defer_free) = NULL;
	struct err err = { 0 };

	fds = calloc(settings->accounts.count + 1, sizeof(*fds));
	if (!fds || take_accounts(&supervisor) < 0 ||
		stop_start(&supervisor.stop_fd, &err) < 0) {
		log_error("cannot start: %s", err.text[0] ? err.text : "out of memory");
		free(supervisor.children);
		return EX_OSERR;
	}
	notify_send("READY=1\nSTATUS=serving %zu accounts", supervisor.count);
	while (more_to_do(&supervisor)) {
		start_due(&supervisor);
		if (wait_events(&supervisor, fds) < 0)
			break;
		kill_stalled(&supervisor);
	}
	clear_progress(&supervisor);
	(void)close(supervisor.stop_fd);
	free(supervisor.children);
	return options->once ? supervisor.exit_code : EX_OK;
}
