/* SPDX-License-Identifier: ISC */
#include "mailfilter/account.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

#include "mailfilter/account_dir.h"
#include "mailfilter/folders.h"
#include "mailfilter/input.h"
#include "mailfilter/login.h"
#include "mailfilter/placed.h"
#include "mailfilter/progress.h"
#include "mailfilter/stream.h"
#include "mailfilter/tidy.h"

_Static_assert((int)ACCOUNT_SESSIONS_MAX > (int)STUCK_PARK,
	"a message that ends every session is parked within one run");

/* What one run works with. */
struct run {
	const struct account_job *job;
	struct account_settings account; /* as it is served in this run */
	struct report *report;
	struct account_dir dir;
	struct record *record;
	struct quarantine *quarantine;
	struct deliver *deliver;
	struct scan *scan;
	struct pipeline pipeline;
	struct fetch fetch;
	struct stuck stuck;
	struct stream_wait wait;
	struct session session;
	struct folders folders;
	struct progress progress;
	bool cut_off;   /* the last run died */
	int64_t last_s; /* when the last run was, 0: never */
};

static void tell_progress(void *arg)
{
	struct run *run = arg;

	progress_note(&run->progress);
}

static int wait_working(
	void *arg, int fd, short events, int64_t deadline_ms, struct err *err)
{
	struct run *run = arg;
	int result = pipeline_wait(&run->pipeline, fd, events, deadline_ms, err);

	/* Bytes on their way are progress, too: a large message takes its time, and so does one
	 * that is to be fetched slowly. */
	if (result > 0 || fd < 0)
		tell_progress(run);
	return result;
}

/* While a destination takes its time, scanners are still heard. Nothing else can go on: the
 * pipeline itself is waiting. After a signal what has begun gets a moment to end. */
static int wait_delivering(
	void *arg, int fd, short events, int64_t deadline_ms, struct err *err)
{
	struct run *run = arg;

	for (;;) {
		struct pollfd fds[2] = { { .fd = run->job->stop_fd, .events = POLLIN },
			{ .fd = fd, .events = events } };
		const int64_t until_ms =
			pipeline_stop_ms(&run->pipeline, ACCOUNT_STOP_MS, deadline_ms);

		if (scan_wait(run->scan, fds, fd < 0 ? 1 : 2, clock_left(until_ms), err) <
			0)
			return -1;
		if (fds[0].revents)
			pipeline_hear_stop(&run->pipeline);
		if (fd >= 0 && fds[1].revents) {
			tell_progress(run);
			return 1;
		}
		if (fd < 0 && run->pipeline.stopped)
			return err_set(err, ERR_AGAIN, "stopped by a signal");
		if (clock_left(until_ms) == 0)
			return 0;
	}
}

/* What a run that died delivered and recorded, but did not forget. */
static int forget_recorded(void *arg, const char *name, struct err *err)
{
	const struct run *run = arg;
	int delivered = record_is_delivered(run->record, name, err);

	if (delivered > 0)
		run->deliver->ops->forget(run->deliver, name);
	return delivered < 0 ? -1 : 0;
}

static int open_delivery(struct run *run, struct err *err)
{
	const struct stream_wait wait = { .wait = wait_delivering, .arg = run };
	const struct deliver_tools tools = { .account = &run->account,
		.dir = run->dir.path,
		.owner = run->dir.sign,
		.spool = run->dir.tmp,
		.record = run->record,
		.wait = &wait };

	if (run->job->dry_run)
		return 0;
	if (quarantine_open(run->dir.path, &run->quarantine, err) < 0 ||
		deliver_folders_open(run->job->settings, &tools, &run->deliver, err) < 0)
		return -1;
	return run->deliver->ops->leftovers(run->deliver, forget_recorded, run, err);
}

/* A dry run makes nothing and locks nobody out, not even where nothing is there yet. */
static int open_state(struct run *run, struct err *err)
{
	const char *state_dir = run->job->settings->state_dir;
	const char *name = run->account.name;

	if (!run->job->dry_run)
		return account_dir_open(state_dir, name, &run->dir, err) < 0 ||
				       record_open(run->dir.path, false, &run->record,
					       err) < 0
			       ? -1
			       : 0;
	/* Nothing to do on the server: folders are then opened for reading alone. */
	run->account.after_kind = AFTER_KEEP;
	run->dir.tmp = strdup(input_spool());
	if (!run->dir.tmp)
		return err_memory(err);
	if (account_dir_path(state_dir, name, &run->dir.path, err) < 0)
		return -1;
	return record_open(run->dir.path, true, &run->record, err);
}

/* A run that begins has no summary until it ends: one that has none then has died. */
static int note_start(struct run *run, struct err *err)
{
	char summary[2] = "", text[ERR_TEXT_MAX];

	if (record_run(run->record, &run->last_s, summary, sizeof(summary), err) < 0)
		return -1;
	if (run->job->dry_run)
		return 0;
	run->cut_off = run->last_s != 0 && !summary[0];
	if (run->last_s == 0 && account_dir_is_volatile(&run->dir, text, sizeof(text)))
		log_warning("account=%s %s", run->account.name, text);
	if (run->cut_off)
		log_warning(
			"account=%s the last run was cut off: messages are fetched one "
			"at a time at first",
			run->account.name);
	return record_set_run(run->record, clock_wall_s(), "", err);
}

static int open_tools(struct run *run, struct err *err)
{
	const struct account_job *job = run->job;
	struct pipeline_tools tools = { .settings = job->settings,
		.account = &run->account,
		.stop_fd = job->stop_fd,
		.dry_run = job->dry_run,
		.report = run->report,
		.progress = tell_progress,
		.progress_arg = run };

	if (open_state(run, err) < 0 || note_start(run, err) < 0 ||
		scan_open(job->settings, &run->scan, err) < 0 ||
		open_delivery(run, err) < 0)
		return -1;
	tools.record = run->record;
	tools.quarantine = run->quarantine;
	tools.deliver = run->deliver;
	tools.scan = run->scan;
	pipeline_init(&run->pipeline, &tools);
	run->fetch = (struct fetch){ .pipeline = &run->pipeline,
		.owner = run->dir.sign,
		.spool = run->dir.tmp,
		.message_max = run->account.message_max };
	run->wait = (struct stream_wait){ .wait = wait_working, .arg = run };
	return 0;
}

static void close_tools(struct run *run)
{
	pipeline_done(&run->pipeline);
	deliver_close(run->deliver);
	scan_close(run->scan);
	quarantine_close(run->quarantine);
	record_close(run->record);
	account_dir_close(&run->dir);
	folders_done(&run->folders);
}

static int serve_folder(struct folder *folder, struct err *err)
{
	if (folder_open(folder, err) < 0 || folder_fetch_new(folder, err) < 0)
		return -1;
	return folder->session->full ? 0 : folder_fetch_held(folder, err);
}

static void keep_first(struct err *first, const struct err *err)
{
	if (first->kind == ERR_NONE)
		*first = *err;
}

/* What is still on its way when the last folder has been read: then no more comes, and each
 * folder gets what it is owed. */
static int settle_folders(struct run *run, struct err *first, struct err *err)
{
	struct source *source = run->session.source;

	if (pipeline_drain(&run->pipeline, err) < 0)
		return -1;
	for (size_t i = 0; i < run->folders.count; i++) {
		if (folder_settle(&run->folders.items[i], err) < 0)
			return -1;
		keep_first(first, &run->folders.items[i].refused);
	}
	/* What QUIT would do is then not what was asked for. */
	if (source->settle_at_finish && first->kind != ERR_NONE)
		return 0;
	if (source->ops->finish(source, err) < 0)
		return -1;
	for (size_t i = 0; i < run->folders.count; i++)
		if (folder_finished(&run->folders.items[i], err) < 0)
			return -1;
	return 0;
}

/* One session, from login to logout. A folder that cannot be served does not stop the others;
 * its error is the session's if nothing worse comes. */
static int serve_session(struct run *run, struct err *err)
{
	struct err first = { 0 };

	if (login_open(&run->account, &run->wait, &run->session.source, err) < 0 ||
		placed_catch_up(run->record, run->deliver, err) < 0 ||
		folders_find(&run->folders, &run->session, err) < 0)
		return -1;
	for (size_t i = 0; i < run->folders.count; i++) {
		if (serve_folder(&run->folders.items[i], err) == 0)
			continue;
		if (err->kind != ERR_ACCOUNT || run->pipeline.failed.kind != ERR_NONE)
			return -1;
		keep_first(&first, err);
	}
	if (settle_folders(run, &first, err) < 0)
		return -1;
	if (first.kind == ERR_NONE)
		return 0;
	*err = first;
	return -1;
}

static void close_session(struct run *run)
{
	for (size_t i = 0; i < run->folders.count; i++)
		folder_close(&run->folders.items[i]);
	if (run->session.source)
		run->session.source->ops->close(run->session.source);
	run->session.source = NULL;
	run->session.selected = NULL;
	run->session.looked_for_lost = run->session.full = false;
}

/* What came and was delivered: the only progress that a session can make. To hold or to park
 * needs no server, and one that never serves would have all its messages parked. */
static uint32_t served(const struct report *report)
{
	return report_decided(report) - report->held - report->parked;
}

/* The next session lists all of them again. */
static void count_anew(struct run *run)
{
	run->report->held = 0;
	run->report->listed = report_decided(run->report);
}

/* Before the next session the server gets a moment to notice that we are gone. */
static int pause_between(struct run *run, uint32_t tries, const struct err *why)
{
	int64_t until_ms = clock_ms() + tries * run->job->pause_ms;
	char text[LOG_TEXT_MAX];
	struct err err;
	int result;

	log_warning("account=%s reconnecting reason=%s", run->account.name,
		log_value(span_str(why->text), text));
	do
		result = pipeline_wait(&run->pipeline, -1, 0, until_ms, &err);
	while (result > 0);
	count_anew(run);
	return result;
}

/* Sessions until one ends in order. Reconnecting is for sessions that broke while they served;
 * a server that cannot be reached is not asked again in this run, nor in a dry run, which would
 * begin from the start. */
static int serve(struct run *run, struct err *err)
{
	uint32_t tries = 0;

	run->session = (struct session){ .pipeline = &run->pipeline,
		.fetch = &run->fetch,
		.stuck = &run->stuck,
		.first_run = run->last_s == 0,
		.careful = run->cut_off ? CAREFUL_MESSAGES : 0,
		.crashed = run->dir.crashed };
	for (;;) {
		uint32_t before = served(run->report);
		int result = serve_session(run, err);
		bool more = result == 0 && run->session.full;
		bool again = result < 0 && err->kind == ERR_SESSION &&
			     run->session.source && !run->job->dry_run;
		struct err drained;

		close_session(run);
		if (more) {
			count_anew(run);
			tries = 0;
			continue;
		}
		if (!again)
			return result;
		/* What came before it broke is recorded before it is listed again. */
		if (pipeline_drain(&run->pipeline, &drained) < 0) {
			*err = drained;
			return -1;
		}
		/* On record as done, and owed again by the next listing, whose numbers count. */
		pipeline_forget_recorded(&run->pipeline);
		tries = served(run->report) > before ? 1 : tries + 1;
		if (tries >= ACCOUNT_SESSIONS_MAX || pause_between(run, tries, err) < 0)
			return -1;
	}
}

/* For status: how this run ended. Failing to say so harms nothing. */
static void record_end(struct run *run, const struct err *err)
{
	char text[REPORT_SUMMARY_MAX];

	run->report->err = *err;
	if (!run->record || run->job->dry_run)
		return;
	(void)record_set_run(
		run->record, clock_wall_s(), report_note(run->report, text), NULL);
	(void)numbers_take(run->record, &run->report->numbers, NULL);
}

void account_run(const struct account_job *job, struct report *report_r)
{
	struct run run = {
		.job = job, .account = *job->account, .report = report_r, .dir.lock = -1
	};
	struct err drained = { 0 };
	struct err err = { 0 };

	progress_init(&run.progress, run.account.name, report_r);
	run.progress.tell = job->progress;
	run.progress.arg = job->progress_arg;

	if (open_tools(&run, &err) == 0) {
		if (serve(&run, &err) == 0)
			/* What an earlier session died of is made good. */
			err.kind = ERR_NONE;
		else if (!run.pipeline.stopped && run.pipeline.failed.kind == ERR_NONE)
			(void)pipeline_drain(&run.pipeline, &drained);
		if (!run.pipeline.stopped && !job->dry_run)
			tidy_daily(job->settings, job->account, run.last_s);
	}
	record_end(&run, &err);
	close_tools(&run);
	report_r->final = true;
}
