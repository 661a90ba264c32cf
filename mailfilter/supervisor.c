/* SPDX-License-Identifier: ISC */
#include "mailfilter/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/notify.h"
#include "common/stop.h"
#include "common/watchdog.h"

#include "mailfilter/account_dir.h"
#include "mailfilter/child.h"
#include "mailfilter/metrics_file.h"
#include "mailfilter/progress_line.h"
#include "mailfilter/state_lock.h"

struct supervisor {
	const struct settings *settings;
	const struct supervisor_options *options;
	struct child *children;
	size_t count;
	int stop_fd;
	int lock;        /* on the state, -1: none */
	int64_t kill_ms; /* stopping: when patience ends; 0: not stopping */
	int exit_code;
	struct progress_line progress;
	struct watchdog watchdog;
	struct metrics_file metrics;
};

static size_t running(const struct supervisor *supervisor)
{
	size_t count = 0;

	for (size_t i = 0; i < supervisor->count; i++)
		count += supervisor->children[i].pid > 0;
	return count;
}

/* Of --once all accounts together; else of those that are served now. */
static void show_progress(struct supervisor *supervisor)
{
	const bool once = supervisor->options->once;
	struct progress_total total = { 0 };

	for (size_t i = 0; i < supervisor->count; i++)
		if (once || supervisor->children[i].pid > 0)
			progress_total_add(&total, &supervisor->children[i].report);
	if (!supervisor->options->quiet)
		progress_line_show(&supervisor->progress, &total);
}

/* What a round of one account came to, for people and for the exit code. */
static void tell(struct supervisor *supervisor, struct child *child)
{
	char text[REPORT_SUMMARY_MAX];
	const struct report *report = &child->report;
	int code = report_exit_code(report);

	supervisor->exit_code = report_worse(supervisor->exit_code, code);
	(void)report_summary(report, text);
	progress_line_clear(&supervisor->progress);
	if (code != 0)
		log_warning("%s: %s", child->account->name, text);
	else if (supervisor->options->once && !supervisor->options->quiet)
		(void)printf("%s: %s\n", child->account->name, text);
	else
		log_debug("%s: %s", child->account->name, text);
	(void)fflush(stdout);
}

int64_t supervisor_wait_ms(int64_t interval_ms, uint32_t failures)
{
	int64_t wait_ms = interval_ms;

	for (uint32_t i = 0; i < failures && wait_ms < SUPERVISOR_BACKOFF_MAX_MS; i++)
		wait_ms *= 2;
	if (wait_ms > SUPERVISOR_BACKOFF_MAX_MS)
		wait_ms = SUPERVISOR_BACKOFF_MAX_MS;
	return wait_ms < interval_ms ? interval_ms : wait_ms;
}

static void schedule(struct supervisor *supervisor, struct child *child)
{
	int64_t wait_ms =
		supervisor_wait_ms(child->account->interval_ms, child->failures);

	if (child->again)
		wait_ms = 0;
	child->again = false;
	child->due_ms = supervisor->options->once ? -1 : clock_ms() + wait_ms;
}

/* A round of it is over, and its report says how. Who guesses on at a refused password may lock
 * the mailbox. */
static void finish(struct supervisor *supervisor, struct child *child, bool died)
{
	child->failures =
		died || child->report.err.kind == ERR_AUTH ? child->failures + 1 : 0;
	tell(supervisor, child);
	metrics_file_note(&supervisor->metrics, child, died);
	schedule(supervisor, child);
}

/* The one that has waited longest: with more accounts than jobs no one is passed over. */
static struct child *longest_due(struct supervisor *supervisor)
{
	struct child *first = NULL;

	for (size_t i = 0; i < supervisor->count; i++) {
		struct child *child = &supervisor->children[i];

		if (child->pid == 0 && child->due_ms >= 0 &&
			clock_left(child->due_ms) == 0 &&
			(!first || child->due_ms < first->due_ms))
			first = child;
	}
	return first;
}

static void start_due(struct supervisor *supervisor)
{
	struct child *child;

	while (supervisor->kill_ms == 0 &&
		running(supervisor) < supervisor->settings->jobs &&
		(child = longest_due(supervisor))) {
		struct child_tools tools = { .settings = supervisor->settings,
			.dry_run = supervisor->options->dry_run,
			.stop_fd = supervisor->stop_fd,
			.lock = supervisor->lock,
			.children = supervisor->children,
			.count = supervisor->count };

		if (child_start(child, &tools) < 0)
			finish(supervisor, child, false);
	}
}

static void reap(struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->count; i++) {
		struct child *child = &supervisor->children[i];
		enum child_end end;

		if (child->pid == 0 || !child_reap(child, &end))
			continue;
		if (end == CHILD_CRASHED && !supervisor->options->dry_run)
			account_dir_note_crash(
				supervisor->settings->state_dir, child->account->name);
		finish(supervisor, child, end != CHILD_EXITED);
	}
}

static void signal_all(struct supervisor *supervisor, int signal)
{
	for (size_t i = 0; i < supervisor->count; i++)
		if (supervisor->children[i].pid > 0)
			(void)kill(supervisor->children[i].pid, signal);
}

/* In a run of --once what is done stays done. */
static void look_at_once(struct child *child)
{
	if (child->pid > 0)
		child->again = true;
	else if (child->due_ms >= 0)
		child->due_ms = clock_ms();
}

static void stop(struct supervisor *supervisor)
{
	if (supervisor->kill_ms != 0)
		return;
	supervisor->kill_ms = clock_ms() + SUPERVISOR_STOP_MS;
	/* Those whose turn had not come were not served. */
	for (size_t i = 0; i < supervisor->count; i++)
		if (supervisor->children[i].pid == 0 &&
			supervisor->children[i].due_ms >= 0)
			supervisor->exit_code =
				report_worse(supervisor->exit_code, EX_TEMPFAIL);
	notify_send("STOPPING=1");
	signal_all(supervisor, SIGTERM);
}

static void take_signals(struct supervisor *supervisor)
{
	for (int signal; (signal = stop_next(supervisor->stop_fd)) != 0;) {
		switch (signal) {
		case SIGTERM:
		case SIGINT:
			stop(supervisor);
			break;
		case SIGUSR1:
			for (size_t i = 0; i < supervisor->count; i++)
				look_at_once(&supervisor->children[i]);
			break;
		default:
			break;
		}
	}
	reap(supervisor);
}

/* How long it may say nothing: its server and its scanners have their own times. */
static int64_t patience_ms(const struct supervisor *supervisor, const struct child *child)
{
	return SUPERVISOR_STALL_MS + child->account->timeout_ms +
	       2 * supervisor->settings->scan_timeout_ms;
}

/* One that says nothing for long, or does not stop when told, is killed: its mail is safe. */
static void kill_stalled(struct supervisor *supervisor)
{
	bool stop_over = supervisor->kill_ms != 0 && clock_left(supervisor->kill_ms) == 0;

	for (size_t i = 0; i < supervisor->count; i++) {
		struct child *child = &supervisor->children[i];
		int64_t silent_ms = clock_ms() - child->heard_ms;

		if (child->pid == 0)
			continue;
		if (!stop_over && silent_ms <= patience_ms(supervisor, child))
			continue;
		if (!stop_over)
			log_error("account=%s made no progress for %d s: killed",
				child->account->name, (int)(silent_ms / 1000));
		child->heard_ms = clock_ms();
		child->hung = !stop_over;
		(void)kill(child->pid, SIGKILL);
	}
	/* One that waits for its disk ends when that answers. */
	if (stop_over)
		supervisor->kill_ms = clock_ms() + SUPERVISOR_STOP_MS;
}

/* When there is something to do without an event. */
static int next_ms(const struct supervisor *supervisor)
{
	int64_t next = clock_ms() + SUPERVISOR_LOOK_MS;
	int64_t watchdog = supervisor->watchdog.due_ms;
	bool room = running(supervisor) < supervisor->settings->jobs;

	if (supervisor->kill_ms != 0 && supervisor->kill_ms < next)
		next = supervisor->kill_ms;
	if (watchdog > 0 && watchdog < next)
		next = watchdog;
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
		if (fds[i].revents && supervisor->children[i].fd >= 0 &&
			child_hear(&supervisor->children[i]))
			show_progress(supervisor);
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

static int open_all(struct supervisor *supervisor, struct pollfd **fds_r, struct err *err)
{
	*fds_r = calloc(supervisor->settings->accounts.count + 1, sizeof(**fds_r));
	if (!*fds_r || take_accounts(supervisor) < 0)
		return err_memory(err);
	if (!supervisor->options->dry_run &&
		state_lock(supervisor->settings, &supervisor->lock, err) < 0)
		return -1;
	return stop_start(&supervisor->stop_fd, err);
}

static void serve_all(struct supervisor *supervisor, struct pollfd *fds)
{
	notify_send("READY=1\nSTATUS=serving %zu accounts", supervisor->count);
	watchdog_start(&supervisor->watchdog);
	while (more_to_do(supervisor)) {
		/* Workers that do not go on are ended below. */
		(void)watchdog_turn(&supervisor->watchdog, true);
		start_due(supervisor);
		if (wait_events(supervisor, fds) < 0)
			break;
		kill_stalled(supervisor);
		/* One run, one file: in the middle of it accounts would be missing. */
		if (!supervisor->options->once)
			metrics_file_turn(&supervisor->metrics, supervisor->children,
				supervisor->count);
	}
	metrics_file_turn(&supervisor->metrics, supervisor->children, supervisor->count);
	progress_line_clear(&supervisor->progress);
}

int supervisor_run(
	const struct settings *settings, const struct supervisor_options *options)
{
	struct supervisor supervisor = {
		.settings = settings, .options = options, .stop_fd = -1, .lock = -1
	};
	struct pollfd *fds DEFER(defer_free) = NULL;
	struct err err = { 0 };
	int code = EX_OK;

	/* Of some accounts, or of nothing that was done, it would say too little. */
	if (!options->dry_run && options->only_count == 0)
		supervisor.metrics.path = settings->metrics_file;

	if (open_all(&supervisor, &fds, &err) < 0) {
		log_error("cannot start: %s", err.text);
		code = err_exit_code(err.kind);
	} else {
		serve_all(&supervisor, fds);
		code = options->once ? supervisor.exit_code : EX_OK;
	}
	defer_close(&supervisor.stop_fd);
	defer_close(&supervisor.lock);
	free(supervisor.children);
	return code;
}
