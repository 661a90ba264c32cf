/* SPDX-License-Identifier: ISC */
#include "mailfilter/rescan.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"

#include "mailfilter/decide.h"
#include "mailfilter/input.h"
#include "mailfilter/owner.h"
#include "mailfilter/quarantine.h"
#include "mailfilter/released.h"
#include "mailfilter/report.h"
#include "mailfilter/rescan_inside.h"
#include "mailfilter/rule_settings.h"
#include "mailfilter/rules.h"

enum {
	DAY_S = 24 * 3600,
	LOCK_WAIT_MS = 2000,
	LOCK_STEP_MS = 50,
	DOUBTS_MAX = 3, /* messages in a row without a verdict that are set aside */
};

bool rescan_is_possible(const struct account_settings *account)
{
	return account->deliver_kind == DELIVER_MAILDIR ||
	       account->deliver_kind == DELIVER_INPLACE;
}

/* Does its owner want it whatever is found in it? */
static bool is_excused(const struct rescan *rescan, struct message *message)
{
	const struct rescan_job *job = rescan->job;
	const struct rule_settings *rule = NULL;
	struct span bytes = { 0 };

	if (released_before(rescan->record, &message->body))
		return true;
	if (job->settings->rules.count == 0 ||
		body_span(&message->body, &bytes, NULL) < 0 ||
		rules_match(job->settings, job->account->name, bytes, &rule, NULL) < 0)
		return false;
	return rule && rule->then_kind == RULE_PASS;
}

/* Marked as infected before, it would only be marked again, with each new set of signatures. */
static bool is_marked(const struct record_row *row)
{
	const char *infected = verdict_name(VERDICT_INFECTED);

	return row->action == ACTION_TAG &&
	       strncmp(row->verdict, infected, strlen(infected)) == 0;
}

static int take_care(struct rescan *rescan, const struct record_row *row,
	struct message *message, struct err *err)
{
	struct rescan_report *report = rescan->report;
	const char *account = rescan->job->account->name;
	const bool in_place = rescan->job->account->deliver_kind == DELIVER_INPLACE;
	const bool would = rescan->job->dry_run || in_place;
	int done = 1;

	report->infected++;
	rescan->state.infected++;
	decide(message, rescan->job->account);
	/* On hold is what must not be changed. */
	if (message->action == ACTION_HOLD ||
		(message->action == ACTION_TAG && is_marked(row))) {
		report->left++;
		report_message(account, message, would);
		return 0;
	}
	if (!rescan->job->dry_run)
		done = rescan->ops->replace(rescan, row, message, err);
	if (done < 0)
		return -1;
	if (done == 0)
		report->gone++;
	else if (!in_place || rescan->job->dry_run)
		report->replaced++;
	if (done > 0)
		report_message(account, message, would);
	return 0;
}

/* With these signatures it was scanned when it came. */
static bool is_fresh(const struct rescan *rescan, const struct record_row *row)
{
	for (size_t i = 0; i < rescan->set_count; i++)
		if (row->signatures != 0 && row->signatures == rescan->sets[i])
			return true;
	return false;
}

static int examine(struct rescan *rescan, const struct record_row *row,
	struct message *message, struct err *err)
{
	int there = rescan->ops->load(rescan, row, message, err);

	if (there == 0)
		rescan->report->gone++;
	if (there <= 0)
		return there;
	message->size = message->body.size;
	if (is_excused(rescan, message)) {
		rescan->report->passed++;
		return 0;
	}
	if (rescan_ask(rescan, message, err) < 0)
		return -1;
	rescan->report->scanned++;
	rescan->state.scanned++;
	return message->verdict.kind == VERDICT_INFECTED
		       ? take_care(rescan, row, message, err)
		       : 0;
}

/* One that cannot be looked at does not stop the others. */
static void leave(struct rescan *rescan, const struct record_row *row, struct err *err)
{
	char folder[LOG_TEXT_MAX], uid[LOG_TEXT_MAX], text[LOG_LINE_MAX];

	log_warning("account=%s folder=%s uid=%s rescan=left reason=%s",
		rescan->job->account->name, log_value(span_str(row->key.folder), folder),
		log_value(span_str(row->key.uid), uid),
		log_value(span_str(err->text), text));
	rescan->report->left++;
	err->kind = ERR_NONE;
}

static int look_at(struct rescan *rescan, const struct record_row *row, struct err *err)
{
	struct message *message;
	int result;

	if (is_fresh(rescan, row)) {
		rescan->report->fresh++;
		return 0;
	}
	message = message_new(rescan->tmp, rescan->job->account->message_max);
	if (!message)
		return err_memory(err);
	message->key = row->key;
	message->since_s = row->since_s;
	memcpy(message->folder, row->target, sizeof(message->folder));
	(void)snprintf(
		message->judged, sizeof(message->judged), "%s", MESSAGE_JUDGED_AGAIN);
	quarantine_new_id(message->quarantine_id);
	message->suspicious = true;
	result = examine(rescan, row, message, err);
	message_free(message);
	if (result < 0 && err->kind == ERR_MESSAGE) {
		leave(rescan, row, err);
		return 0;
	}
	return result;
}

/* Those that got no verdict, one behind the other: is it them, or the scanners? */
struct doubts {
	struct record_row rows[DOUBTS_MAX];
	struct err why[DOUBTS_MAX];
	size_t count;
};

/* The scanners have a verdict on others. */
static void leave_doubts(struct rescan *rescan, struct doubts *doubts)
{
	for (size_t i = 0; i < doubts->count; i++)
		leave(rescan, &doubts->rows[i], &doubts->why[i]);
	doubts->count = 0;
}

/* One that never gets a verdict does not keep the others from it. */
static int look_or_doubt(struct rescan *rescan, const struct record_row *row,
	struct doubts *doubts, struct err *err)
{
	const uint64_t before = rescan->report->scanned;

	rescan->undecided = false;
	if (look_at(rescan, row, err) == 0) {
		if (rescan->report->scanned > before)
			leave_doubts(rescan, doubts);
		return 0;
	}
	if (!rescan->undecided || doubts->count == DOUBTS_MAX)
		return -1;
	doubts->rows[doubts->count] = *row;
	doubts->why[doubts->count++] = *err;
	err->kind = ERR_NONE;
	return 0;
}

/* How far it came is durable behind each message: one that is looked at twice is clean then. */
static int look_at_each(struct rescan *rescan, struct doubts *doubts, struct err *err)
{
	struct record_rescan *state = &rescan->state;
	struct record_row row;
	int got;

	while ((got = record_next_delivered(rescan->record, state->since_s,
			&state->position, &row, err)) > 0) {
		if (look_or_doubt(rescan, &row, doubts, err) < 0 ||
			(doubts->count == 0 && !rescan->job->dry_run &&
				record_put_rescan(rescan->record, state, err) < 0) ||
			rescan_hear(rescan, err) < 0)
			return -1;
		rescan_tell(rescan);
	}
	if (got < 0)
		return -1;
	if (doubts->count > 0 && rescan->report->scanned == 0) {
		*err = doubts->why[0];
		return -1;
	}
	leave_doubts(rescan, doubts);
	return 0;
}

static int look_at_all(struct rescan *rescan, struct err *err)
{
	auto_free struct doubts *doubts = calloc(1, sizeof(*doubts));

	if (!doubts)
		return err_memory(err);
	if (look_at_each(rescan, doubts, err) < 0)
		return -1;
	rescan->state.done_s = clock_wall_s();
	return rescan->job->dry_run
		       ? 0
		       : record_put_rescan(rescan->record, &rescan->state, err);
}

/* From where on? 1: nothing is left to do with these signatures. */
static int begin(struct rescan *rescan, struct err *err)
{
	const struct record_rescan fresh = { .since_s = rescan->job->since_s };
	struct hash digest;
	int found;

	if (rescan_signatures(rescan, &digest, err) < 0)
		return -1;
	found = record_find_rescan(rescan->record, &rescan->state, err);
	if (found < 0)
		return -1;
	/* Who asks for more days than last time gets them. */
	if (found == 0 || !hash_equal(&rescan->state.digest, &digest) ||
		rescan->state.since_s > fresh.since_s + DAY_S) {
		rescan->state = fresh;
		rescan->state.digest = digest;
		rescan->state.generation = rescan->report->generation;
	}
	return rescan->state.done_s != 0;
}

/* One that was killed may have it a moment longer. */
static int take_lock(struct rescan *rescan, struct err *err)
{
	const int64_t until_ms = clock_ms() + LOCK_WAIT_MS;
	auto_free char *path = NULL;
	int locked;

	if (asprintf(&path, "%s/lock", rescan->own) < 0) {
		path = NULL;
		return err_memory(err);
	}
	while ((locked = file_lock(path, &rescan->lock, err)) < 0 &&
		errno == EWOULDBLOCK && clock_left(until_ms) > 0)
		(void)poll(NULL, 0, LOCK_STEP_MS);
	if (locked == 0)
		return 0;
	rescan->report->busy = errno == EWOULDBLOCK;
	return rescan->report->busy ? err_wrap(err, "it is scanned again already") : -1;
}

/* Of what a run that died had in its hands nothing is needed. */
static int open_own(struct rescan *rescan, struct err *err)
{
	if (asprintf(&rescan->own, "%s/rescan", rescan->dir) < 0)
		rescan->own = NULL;
	if (rescan->own && asprintf(&rescan->tmp, "%s/tmp", rescan->own) < 0)
		rescan->tmp = NULL;
	if (!rescan->own || !rescan->tmp)
		return err_memory(err);
	if (owner_check(rescan->dir, err) < 0 ||
		file_mkdirs(rescan->own, S_IRWXU, err) < 0 ||
		take_lock(rescan, err) < 0 ||
		file_mkdirs(rescan->tmp, S_IRWXU, err) < 0 ||
		file_remove_tree(rescan->tmp, false, err) < 0)
		return -1;
	return account_dir_sign(rescan->own, rescan->sign, err);
}

static int open_state(struct rescan *rescan, struct err *err)
{
	const struct rescan_job *job = rescan->job;

	if (account_dir_path(
		    job->settings->state_dir, job->account->name, &rescan->dir, err) < 0)
		return -1;
	if (job->dry_run) {
		rescan->tmp = strdup(input_spool());
		return rescan->tmp ? record_open(rescan->dir, true, &rescan->record, err)
				   : err_memory(err);
	}
	return open_own(rescan, err) < 0 ||
			       record_open(rescan->dir, false, &rescan->record, err) < 0
		       ? -1
		       : 0;
}

/* Has a run that died begun to put something in the place of something else? */
static int has_begun(const struct rescan *rescan, struct err *err)
{
	struct record_replacing begun;

	return rescan->job->dry_run
		       ? 0
		       : record_find_replacing(rescan->record, NULL, "", &begun, err);
}

static int run(struct rescan *rescan, struct err *err)
{
	const bool maildir = rescan->job->account->deliver_kind == DELIVER_MAILDIR;
	int known, begun = 0;

	if (open_state(rescan, err) < 0 ||
		scan_open(rescan->job->settings, &rescan->scan, err) < 0)
		return -1;
	known = begin(rescan, err);
	if (known > 0)
		begun = has_begun(rescan, err);
	if (known < 0 || begun < 0)
		return -1;
	/* To open a Maildir is to look at each file in it. */
	rescan->report->known = known > 0;
	if (known > 0 && begun == 0)
		return 0;
	if ((maildir ? rescan_maildir_open(rescan, err)
		     : rescan_inplace_open(rescan, err)) < 0)
		return -1;
	/* What was begun is ended in any case. */
	if (!rescan->job->dry_run && rescan->ops->resume &&
		rescan->ops->resume(rescan, err) < 0)
		return -1;
	return known > 0 ? 0 : look_at_all(rescan, err);
}

/* Nothing was ever delivered, and nothing is made for it. */
static bool is_served(const struct rescan_job *job, struct err *err)
{
	auto_free char *path = NULL;

	if (account_dir_path(job->settings->state_dir, job->account->name, &path, err) <
		0)
		return true;
	return access(path, F_OK) == 0;
}

void rescan_account(const struct rescan_job *job, struct rescan_report *report_r)
{
	struct rescan rescan = { .job = job, .report = report_r, .lock = -1 };
	struct err err = { 0 };

	*report_r =
		(struct rescan_report){ .impossible = !rescan_is_possible(job->account) };
	if (report_r->impossible || !is_served(job, &err))
		return;
	if (run(&rescan, &err) < 0)
		report_r->err = err;
	/* Also of an earlier run that did not come to the visit. */
	if (rescan.record && job->account->deliver_kind == DELIVER_INPLACE)
		(void)record_count_suspects(rescan.record, &report_r->marked, NULL);
	if (rescan.record && !report_r->known)
		numbers_take_for(rescan.record, job->settings, &report_r->numbers);
	if (rescan.ops)
		rescan.ops->close(&rescan);
	scan_close(rescan.scan);
	record_close(rescan.record);
	defer_close(&rescan.lock);
	free(rescan.dir);
	free(rescan.own);
	free(rescan.tmp);
}
