/* SPDX-License-Identifier: ISC
 *
 * What one run of an account works with, opened and closed. */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

#include "mailfilter/account_inside.h"
#include "mailfilter/input.h"

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
	const struct deliver_tools tools = { .account = run->account,
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
	const char *name = run->account->name;

	if (!run->job->dry_run)
		return account_dir_open(state_dir, name, &run->dir, err) < 0 ||
				       record_open(run->dir.path, false, &run->record,
					       err) < 0
			       ? -1
			       : 0;
	/* Nothing to do on the server: folders are then opened for reading alone. */
	run->account->after_kind = AFTER_KEEP;
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
		log_warning("account=%s %s", run->account->name, text);
	if (run->cut_off)
		log_warning(
			"account=%s the last run was cut off: messages are fetched one "
			"at a time at first",
			run->account->name);
	return record_set_run(run->record, clock_wall_s(), "", err);
}

int account_open_tools(struct run *run, struct err *err)
{
	const struct account_job *job = run->job;
	struct pipeline_tools tools = { .settings = job->settings,
		.account = run->account,
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
		.message_max = run->account->message_max };
	run->standing->wait = (struct stream_wait){ .wait = wait_working, .arg = run };
	return 0;
}

void account_close_tools(struct run *run)
{
	pipeline_done(&run->pipeline);
	deliver_close(run->deliver);
	scan_close(run->scan);
	quarantine_close(run->quarantine);
	record_close(run->record);
	account_dir_close(&run->dir);
	folders_done(&run->folders);
}
