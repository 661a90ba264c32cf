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
#include "mailfilter/patience.h"
#include "mailfilter/reload.h"
#include "mailfilter/rescanner.h"
#include "mailfilter/state_lock.h"
#include "mailfilter/summary.h"
#include "mailfilter/tls_trusts.h"
#include "mailfilter/wake.h"

enum {
	OWN_FDS = 2 + WAKE_FDS
};

struct supervisor {
	struct settings *settings;
	const struct supervisor_options *options;
	struct reload reload;
	struct children children;
	struct rescanner rescanner;
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
				supervisor->wake.fds[1],
				supervisor->rescanner.process.fd },
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
	if (rescanner_reap(&supervisor->rescanner, &supervisor->children))
		supervisor->metrics.due = true;
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
	rescanner_stop(&supervisor->rescanner, false);
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
	/* It has the old ones. */
	rescanner_stop(&supervisor->rescanner, false);
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
			rescanner_look(&supervisor->rescanner, &supervisor->children);
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

/* One that waits for its disk ends when that answers. */
static void kill_stalled(struct supervisor *supervisor)
{
	const bool over =
		supervisor->kill_ms != 0 && clock_left(supervisor->kill_ms) == 0;

	patience_end(supervisor->settings, &supervisor->children, over);
	if (!over)
		return;
	rescanner_stop(&supervisor->rescanner, true);
	supervisor->kill_ms = clock_ms() + SUPERVISOR_STOP_MS;
}

/* Does it scan delivered mail again? */
static bool rescans(const struct supervisor *supervisor)
{
	return !supervisor->options->once && !supervisor->options->dry_run &&
	       supervisor->kill_ms == 0 && supervisor->settings->rescan_days > 0;
}

/* When there is something to do without an event. */
static int next_ms(const struct supervisor *supervisor)
{
	int64_t next = clock_ms() + SUPERVISOR_LOOK_MS;
	int64_t watchdog = supervisor->watchdog.due_ms;
	bool room = children_working(&supervisor->children) < supervisor->settings->jobs;
	int64_t rescan = rescans(supervisor) ? rescanner_next_ms(&supervisor->rescanner,
						       &supervisor->children)
					     : -1;

	if (rescan >= 0 && rescan < next)
		next = rescan;
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
	fds[count++] = (struct pollfd){ .fd = supervisor->rescanner.process.fd,
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
	/* Signals before the lock: who finds it held may send one to its holder. */
	if (stop_start(&supervisor->stop_fd, err) < 0 ||
		reload_first(&supervisor->reload, supervisor->settings,
			&supervisor->children, err) < 0 ||
		(!supervisor->options->dry_run &&
			state_lock(supervisor->settings, &supervisor->lock, err) < 0))
		return -1;
	wake_open(&supervisor->wake);
	return 0;
}

static int serve_all(struct supervisor *supervisor, struct err *err)
{
	int result = 0;

	notify_send("READY=1\nSTATUS=serving %zu accounts", supervisor->children.count);
	watchdog_start(&supervisor->watchdog);
	while (result == 0 &&
		(children_left(&supervisor->children, supervisor->kill_ms != 0) ||
			rescanner_works(&supervisor->rescanner))) {
		/* Workers that do not go on are ended below. */
		(void)watchdog_turn(&supervisor->watchdog, true);
		start_due(supervisor);
		tell_manager(supervisor);
		result = wait_events(supervisor, err);
		kill_stalled(supervisor);
		rescanner_turn(&supervisor->rescanner,
			rescans(supervisor) ? supervisor->settings : NULL,
			&supervisor->children, supervisor->stop_fd);
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

	rescanner_init(&supervisor.rescanner);
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
