/* SPDX-License-Identifier: ISC */
#include "mailfilter/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/notify.h"
#include "common/stop.h"
#include "common/watchdog.h"

#include "mailfilter/account_dir.h"
#include "mailfilter/metrics_file.h"
#include "mailfilter/reload.h"
#include "mailfilter/state_lock.h"
#include "mailfilter/summary.h"
#include "mailfilter/tls_trusts.h"
#include "mailfilter/wake.h"

enum {
	OWN_FDS = 1 + WAKE_FDS
};

struct supervisor {
	struct settings *settings;
	const struct supervisor_options *options;
	struct reload reload;
	struct children children;
	struct tls_trusts trusts;
	struct wake wake;
	int stop_fd;
	int lock;        /* on the state, -1: none */
	int64_t kill_ms; /* stopping: when patience ends; 0: not stopping */
	struct watchdog watchdog;
	struct metrics_file metrics;
	struct summary summary;
	char status[CHILDREN_STATUS_MAX]; /* as it was told last */
};

/* A round of it is over, and its report says how. */
static void finish(struct supervisor *supervisor, struct child *child, bool died)
{
	bool told_to_end = child->kill_ms != 0 && supervisor->kill_ms == 0;

	/* That it was stopped for other settings is no news. */
	if (!told_to_end || child->report.err.kind == ERR_NONE)
		summary_tell(&supervisor->summary, child);
	if (child->account)
		metrics_file_note(&supervisor->metrics, child, died && !told_to_end);
	child->round_over = false;
	if (supervisor->options->once)
		child->due_ms = -1;
	else if (child->account)
		children_schedule(child, died && !told_to_end);
}

static void start_due(struct supervisor *supervisor)
{
	struct child *child;

	while (supervisor->kill_ms == 0 &&
		children_working(&supervisor->children) < supervisor->settings->jobs &&
		(child = children_due(&supervisor->children))) {
		struct child_tools tools = { .settings = supervisor->settings,
			.dry_run = supervisor->options->dry_run,
			.idle = !supervisor->options->once,
			.stop_fd = supervisor->stop_fd,
			.private_fds = { supervisor->lock, supervisor->wake.fds[0],
				supervisor->wake.fds[1] },
			.children = supervisor->children.items,
			.count = supervisor->children.count };

		if (child->pid > 0) {
			child_call(child);
			continue;
		}
		tls_trusts_update(&supervisor->trusts, supervisor->settings);
		if (child_start(child, &tools) < 0)
			finish(supervisor, child, false);
	}
}

/* What it said changes when it is served next. */
static void heed(struct supervisor *supervisor, struct child *child)
{
	if (child->round_over && child->idles)
		finish(supervisor, child, false);
	if (child->news && child->account)
		children_schedule_news(child);
}

/* The process had served its account, and waited. */
static void end_idle(struct child *child)
{
	char text[LOG_TEXT_MAX];

	if (child->lost.kind != ERR_NONE)
		log_info("account=%s %s reason=%s", child->name,
			child->refused ? "is visited at its interval"
				       : "lost its server while it waited for mail",
			log_value(span_str(child->lost.text), text));
	if (child->account)
		children_schedule_lost(child);
}

static void reap(struct supervisor *supervisor)
{
	for (size_t i = 0; i < supervisor->children.count; i++) {
		struct child *child = &supervisor->children.items[i];
		enum child_end end;
		bool idled;

		if (child->pid == 0 || !child_reap(child, &end))
			continue;
		idled = child->idles;
		if (child->round_over && idled)
			finish(supervisor, child, false);
		if (idled && end == CHILD_EXITED) {
			end_idle(child);
		} else {
			if (end == CHILD_CRASHED && !idled &&
				!supervisor->options->dry_run)
				account_dir_note_crash(
					supervisor->settings->state_dir, child->name);
			child->idles = false;
			finish(supervisor, child, end != CHILD_EXITED);
		}
		child->kill_ms = 0;
	}
}

static void signal_all(struct supervisor *supervisor, int signal)
{
	for (size_t i = 0; i < supervisor->children.count; i++)
		if (supervisor->children.items[i].pid > 0)
			(void)kill(supervisor->children.items[i].pid, signal);
}

static void stop(struct supervisor *supervisor)
{
	if (supervisor->kill_ms != 0)
		return;
	supervisor->kill_ms = clock_ms() + SUPERVISOR_STOP_MS;
	/* Those whose turn had not come were not served. */
	for (size_t i = 0; i < supervisor->children.count; i++)
		if (supervisor->children.items[i].pid == 0 &&
			supervisor->children.items[i].due_ms >= 0)
			supervisor->summary.exit_code =
				report_worse(supervisor->summary.exit_code, EX_TEMPFAIL);
	notify_send("STOPPING=1");
	signal_all(supervisor, SIGTERM);
}

/* A run that ends by itself keeps its settings. */
static void reload(struct supervisor *supervisor)
{
	struct err err = { 0 };

	if (supervisor->options->once || supervisor->kill_ms != 0)
		return;
	notify_reloading();
	if (reload_again(&supervisor->reload, supervisor->settings, &supervisor->children,
		    SUPERVISOR_STOP_MS, &err) < 0) {
		log_error("the settings stay as they were: %s", err.text);
		notify_send("READY=1");
		return;
	}
	/* The old path is gone with the old settings. */
	if (supervisor->metrics.path || supervisor->options->only_count == 0)
		supervisor->metrics.path = supervisor->settings->metrics_file;
	supervisor->metrics.due = true;
	log_info("new settings: %zu accounts", supervisor->children.count);
	notify_send("READY=1");
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
			for (size_t i = 0; i < supervisor->children.count; i++)
				children_look(&supervisor->children.items[i]);
			break;
		case SIGHUP:
			reload(supervisor);
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
	const struct account_settings *account = child->account;

	if (!account)
		return SUPERVISOR_STALL_MS;
	return SUPERVISOR_STALL_MS + account->timeout_ms +
	       (child->idles ? account->idle_refresh_ms
			     : 2 * supervisor->settings->scan_timeout_ms);
}

/* One that says nothing for long, or does not stop when told, is killed: its mail is safe. */
static void kill_stalled(struct supervisor *supervisor)
{
	bool stop_over = supervisor->kill_ms != 0 && clock_left(supervisor->kill_ms) == 0;

	for (size_t i = 0; i < supervisor->children.count; i++) {
		struct child *child = &supervisor->children.items[i];
		int64_t silent_ms = clock_ms() - child->heard_ms;
		bool over = stop_over ||
			    (child->kill_ms != 0 && clock_left(child->kill_ms) == 0);

		if (child->pid == 0)
			continue;
		if (!over && silent_ms <= patience_ms(supervisor, child))
			continue;
		if (!over)
			log_error("account=%s made no progress for %d s: killed",
				child->name, (int)(silent_ms / 1000));
		child->heard_ms = clock_ms();
		child->hung = !over;
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
	bool room = children_working(&supervisor->children) < supervisor->settings->jobs;

	if (supervisor->kill_ms != 0 && supervisor->kill_ms < next)
		next = supervisor->kill_ms;
	if (watchdog > 0 && watchdog < next)
		next = watchdog;
	for (size_t i = 0; i < supervisor->children.count && supervisor->kill_ms == 0;
		i++) {
		const struct child *child = &supervisor->children.items[i];

		if (child->kill_ms != 0 && child->kill_ms < next)
			next = child->kill_ms;
		if (room && (child->pid == 0 || child->idles) && child->kill_ms == 0 &&
			child->due_ms >= 0 && child->due_ms < next)
			next = child->due_ms;
	}
	return clock_left(next);
}

static void take_wake(struct supervisor *supervisor)
{
	bool slept = wake_slept(&supervisor->wake);

	if (slept)
		log_info("the machine was asleep: looking for mail");
	if (wake_network(&supervisor->wake) || slept)
		children_look_after(&supervisor->children, slept);
}

/* Those without a process are not among them: poll takes no more than the process may have open. */
static int wait_events(struct supervisor *supervisor, struct err *err)
{
	const struct children *children = &supervisor->children;
	auto_free struct pollfd *fds = calloc(children->count + OWN_FDS, sizeof(*fds));
	const struct pollfd *at;
	nfds_t count = 0;

	if (!fds)
		return err_memory(err);
	fds[count++] = (struct pollfd){ .fd = supervisor->stop_fd, .events = POLLIN };
	for (size_t i = 0; i < WAKE_FDS; i++)
		fds[count++] = (struct pollfd){ .fd = supervisor->wake.fds[i],
			.events = POLLIN };
	for (size_t i = 0; i < children->count; i++)
		if (children->items[i].fd >= 0)
			fds[count++] = (struct pollfd){ .fd = children->items[i].fd,
				.events = POLLIN };
	if (poll(fds, count, next_ms(supervisor)) < 0)
		return errno == EINTR ? 0 : err_errno(err, ERR_FATAL, "poll");
	at = fds + OWN_FDS;
	for (size_t i = 0; i < children->count; i++) {
		struct child *child = &children->items[i];

		if (child->fd < 0 || !(at++)->revents || !child_hear(child))
			continue;
		heed(supervisor, child);
		summary_progress(&supervisor->summary, &supervisor->children);
	}
	take_wake(supervisor);
	if (fds[0].revents)
		take_signals(supervisor);
	return 0;
}

static void tell_manager(struct supervisor *supervisor)
{
	char status[CHILDREN_STATUS_MAX];

	if (strcmp(children_status(&supervisor->children, status), supervisor->status) ==
		0)
		return;
	memcpy(supervisor->status, status, sizeof(status));
	notify_send("STATUS=%s", status);
}

static int open_all(struct supervisor *supervisor, struct err *err)
{
	if (reload_first(&supervisor->reload, supervisor->settings, &supervisor->children,
		    err) < 0 ||
		(!supervisor->options->dry_run &&
			state_lock(supervisor->settings, &supervisor->lock, err) < 0))
		return -1;
	wake_open(&supervisor->wake);
	return stop_start(&supervisor->stop_fd, err);
}

static int serve_all(struct supervisor *supervisor, struct err *err)
{
	int result = 0;

	notify_send("READY=1\nSTATUS=serving %zu accounts", supervisor->children.count);
	watchdog_start(&supervisor->watchdog);
	while (result == 0 &&
		children_left(&supervisor->children, supervisor->kill_ms != 0)) {
		/* Workers that do not go on are ended below. */
		(void)watchdog_turn(&supervisor->watchdog, true);
		start_due(supervisor);
		tell_manager(supervisor);
		result = wait_events(supervisor, err);
		kill_stalled(supervisor);
		/* One run, one file: in the middle of it accounts would be missing. */
		if (!supervisor->options->once)
			metrics_file_turn(&supervisor->metrics,
				supervisor->children.items, supervisor->children.count);
	}
	metrics_file_turn(&supervisor->metrics, supervisor->children.items,
		supervisor->children.count);
	summary_clear(&supervisor->summary);
	return result;
}

int supervisor_run(struct settings *settings, const struct supervisor_options *options)
{
	struct supervisor supervisor = { .settings = settings,
		.options = options,
		.summary = { .once = options->once, .quiet = options->quiet },
		.reload = { .only = options->only, .only_count = options->only_count },
		.wake = { .fds = { -1, -1 } },
		.stop_fd = -1,
		.lock = -1 };
	struct err err = { 0 };
	int code = EX_OK;

	/* Of some accounts, or of nothing that was done, it would say too little. */
	if (!options->dry_run && options->only_count == 0)
		supervisor.metrics.path = settings->metrics_file;

	if (open_all(&supervisor, &err) < 0) {
		log_error("cannot start: %s", err.text);
		code = err_exit_code(err.kind);
	} else if (serve_all(&supervisor, &err) < 0) {
		log_error("%s", err.text);
		code = err_exit_code(err.kind);
	} else if (options->once) {
		code = supervisor.summary.exit_code;
	}
	defer_close(&supervisor.stop_fd);
	defer_close(&supervisor.lock);
	wake_close(&supervisor.wake);
	tls_trusts_done(&supervisor.trusts);
	free(supervisor.children.items);
	return code;
}
