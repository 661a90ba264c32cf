/* SPDX-License-Identifier: ISC */
#include "mailfilter/account.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

#include "mailfilter/account_dir.h"
#include "mailfilter/folder.h"

/* What one run works with. */
struct run {
	const struct account_job *job;
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
	struct source *source;
};

static void tell_progress(void *arg)
{
	struct run *run = arg;

	if (run->job->progress)
		run->job->progress(run->job->progress_arg, run->report);
}

static int wait_working(
	void *arg, int fd, short events, int64_t deadline_ms, struct err *err)
{
	struct run *run = arg;

	return pipeline_wait(&run->pipeline, fd, events, deadline_ms, err);
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
	if (run->job->dry_run)
		return 0;
	if (quarantine_open(run->dir.path, &run->quarantine, err) < 0 ||
		deliver_maildir_open(
			run->job->account->deliver_path, &run->deliver, err) < 0)
		return -1;
	return run->deliver->ops->leftovers(run->deliver, forget_recorded, run, err);
}

static int open_tools(struct run *run, struct err *err)
{
	const struct account_job *job = run->job;
	struct pipeline_tools tools = { .settings = job->settings,
		.account = job->account,
		.stop_fd = job->stop_fd,
		.dry_run = job->dry_run,
		.report = run->report,
		.progress = tell_progress,
		.progress_arg = run };

	if (account_dir_open(
		    job->settings->state_dir, job->account->name, &run->dir, err) < 0 ||
		record_open(run->dir.path, false, &run->record, err) < 0 ||
		scan_open(job->settings, &run->scan, err) < 0 ||
		open_delivery(run, err) < 0)
		return -1;
	tools.record = run->record;
	tools.quarantine = run->quarantine;
	tools.deliver = run->deliver;
	tools.scan = run->scan;
	pipeline_init(&run->pipeline, &tools);
	run->fetch = (struct fetch){ .pipeline = &run->pipeline,
		.spool = run->dir.tmp,
		.message_max = job->account->message_max };
	run->wait = (struct stream_wait){ .wait = wait_working, .arg = run };
	return 0;
}

static void close_tools(struct run *run)
{
	pipeline_done(&run->pipeline);
	scan_close(run->scan);
	if (run->deliver)
		run->deliver->ops->close(run->deliver);
	quarantine_close(run->quarantine);
	record_close(run->record);
	account_dir_close(&run->dir);
}

static void close_source(struct run *run)
{
	if (run->source)
		run->source->ops->close(run->source);
	run->source = NULL;
}

static int open_source(struct run *run, struct err *err)
{
	char *password = NULL;
	int result;

	if (settings_password(run->job->account, &password, err) < 0)
		return -1;
	result = source_open(run->job->account, password, &run->wait, &run->source, err);
	explicit_bzero(password, strlen(password));
	free(password);
	return result;
}

static int serve_folder(struct folder *folder, struct err *err)
{
	if (folder_open(folder, err) < 0 || folder_fetch_new(folder, err) < 0 ||
		folder_fetch_held(folder, err) < 0)
		return -1;
	return 0;
}

/* What is still on its way when the last folder has been read: then no more comes, and each
 * folder is selected once more for what it is owed. */
static int settle_folders(
	struct run *run, struct folder *folders, size_t count, struct err *err)
{
	if (pipeline_drain(&run->pipeline, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct folder *folder = &folders[i];
		uint32_t uidvalidity;

		if (run->pipeline.recorded > 0 && count > 1 &&
			run->source->ops->select(
				run->source, folder->name, &uidvalidity, err) < 0)
			return -1;
		if (folder_settle(folder, err) < 0)
			return -1;
	}
	if (run->source->ops->finish(run->source, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (folder_settled(&folders[i], err) < 0 ||
			folder_advance(&folders[i], err) < 0)
			return -1;
	return 0;
}

/* One session, from login to logout. A folder that cannot be served does not stop the others;
 * its error is the session's if nothing worse comes. */
static int serve_session(
	struct run *run, struct folder *folders, size_t count, struct err *err)
{
	struct err first = { 0 };

	if (open_source(run, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		folders[i].source = run->source;
		if (serve_folder(&folders[i], err) == 0)
			continue;
		if (err->kind != ERR_ACCOUNT || run->pipeline.failed.kind != ERR_NONE)
			return -1;
		if (first.kind == ERR_NONE)
			first = *err;
	}
	if (settle_folders(run, folders, count, err) < 0)
		return -1;
	if (first.kind != ERR_NONE) {
		*err = first;
		return -1;
	}
	return 0;
}

static void folders_init(struct run *run, struct folder *folders, size_t count)
{
	for (size_t i = 0; i < count; i++)
		folders[i] = (struct folder){
			.name = run->job->account->folders.count > 0
					? run->job->account->folders.items[i]
					: "",
			.pipeline = &run->pipeline,
			.fetch = &run->fetch,
			.stuck = &run->stuck,
		};
}

/* Sessions until one ends in order. Reconnecting is for sessions that broke while they served;
 * a server that cannot be reached is not asked again in this run. */
static int serve(struct run *run, struct err *err)
{
	size_t count = run->job->account->folders.count > 0
			       ? run->job->account->folders.count
			       : 1;
	struct folder *folders DEFER(defer_free) = calloc(count, sizeof(*folders));
	uint32_t tries = 0;
	int result;

	if (!folders)
		return err_memory(err);
	for (;;) {
		uint32_t before = report_decided(run->report);
		bool opened;

		run->report->listed = before;
		folders_init(run, folders, count);
		result = serve_session(run, folders, count, err);
		for (size_t i = 0; i < count; i++)
			folder_close(&folders[i]);
		opened = run->source != NULL;
		close_source(run);
		tries = report_decided(run->report) > before ? 1 : tries + 1;
		if (result == 0 || err->kind != ERR_SESSION || !opened ||
			tries >= ACCOUNT_SESSIONS_MAX)
			return result;
		log_warning("account=%s reconnecting reason=\"%s\"",
			run->job->account->name, err->text);
		/* What came before the session broke is recorded before it is listed again. */
		if (pipeline_drain(&run->pipeline, err) < 0)
			return -1;
	}
}

/* For status: how this run ended. Failing to say so harms nothing. */
static void record_end(struct run *run, const struct err *err)
{
	char text[REPORT_SUMMARY_MAX];
	struct err ignored;

	run->report->err = *err;
	if (run->record && !run->job->dry_run)
		(void)record_set_run(run->record, clock_wall_s(),
			report_summary(run->report, text), &ignored);
}

void account_run(const struct account_job *job, struct report *report_r)
{
	struct run run = { .job = job, .report = report_r, .dir.lock = -1 };
	struct err drained = { 0 };
	struct err err = { 0 };

	if (open_tools(&run, &err) == 0 && serve(&run, &err) < 0 &&
		!run.pipeline.stopped && run.pipeline.failed.kind == ERR_NONE)
		(void)pipeline_drain(&run.pipeline, &drained);
	record_end(&run, &err);
	close_tools(&run);
	report_r->final = true;
}
