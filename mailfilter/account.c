/* SPDX-License-Identifier: ISC */
#include "mailfilter/account.h"

#include "common/clock.h"
#include "common/log.h"

#include "mailfilter/account_inside.h"
#include "mailfilter/placed.h"
#include "mailfilter/tidy.h"

_Static_assert((int)ACCOUNT_SESSIONS_MAX > (int)STUCK_PARK,
	"a message that ends every session is parked within one run");

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

/* Can the session wait for what comes next? What it has listed is then what it knows. */
static bool keep(const struct run *run)
{
	struct standing *standing = run->standing;
	const struct folder *watched =
		folders_watched(&run->folders, standing->account.idle_folder);

	if (!run->job->standing || !watched || run->session.full ||
		run->pipeline.stopped || !standing_can_idle(standing))
		return false;
	standing_listed(
		standing, watched->name, watched->uidvalidity, watched->listed_to);
	return true;
}

/* What is still on its way when the last folder has been read: then no more comes, and each
 * folder gets what it is owed. */
static int settle_folders(struct run *run, struct err *first, struct err *err)
{
	struct source *source = run->session.source;
	bool keeps;

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
	keeps = keep(run);
	if (!keeps && source->ops->finish(source, err) < 0)
		return -1;
	for (size_t i = 0; i < run->folders.count; i++)
		if (folder_finished(&run->folders.items[i], err) < 0)
			return -1;
	run->kept = keeps;
	return 0;
}

/* One session, from login to logout. A folder that cannot be served does not stop the others;
 * its error is the session's if nothing worse comes. */
static int serve_session(struct run *run, struct err *err)
{
	struct err first = { 0 };

	if (!run->standing->source && standing_open(run->standing, err) < 0)
		return -1;
	run->session.source = run->standing->source;
	if (placed_catch_up(run->record, run->deliver, err) < 0 ||
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
	if (!run->kept)
		standing_close(run->standing);
	run->session.source = NULL;
	run->session.selected = NULL;
	run->session.looked_for_lost = run->session.full = false;
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

	log_warning("account=%s reconnecting reason=%s", run->account->name,
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
		uint32_t before = report_served(run->report);
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
		tries = report_served(run->report) > before ? 1 : tries + 1;
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
	numbers_take_for(run->record, run->job->settings, &run->report->numbers);
}

void account_run(const struct account_job *job, struct report *report_r)
{
	struct standing passing = { 0 };
	struct run run = { .job = job,
		.standing = job->standing ? job->standing : &passing,
		.report = report_r,
		.dir.lock = -1 };
	struct err drained = { 0 };
	struct err err = { 0 };

	run.account = &run.standing->account;
	*run.account = *job->account;
	progress_init(&run.progress, run.account->name, report_r);
	run.progress.tell = job->progress;
	run.progress.arg = job->progress_arg;

	if (account_open_tools(&run, &err) == 0) {
		if (serve(&run, &err) == 0)
			/* What an earlier session died of is made good. */
			err.kind = ERR_NONE;
		else if (!run.pipeline.stopped && run.pipeline.failed.kind == ERR_NONE)
			(void)pipeline_drain(&run.pipeline, &drained);
		if (!run.pipeline.stopped && !job->dry_run)
			tidy_daily(job->settings, job->account, run.last_s);
	}
	record_end(&run, &err);
	account_close_tools(&run);
	report_r->final = true;
}
