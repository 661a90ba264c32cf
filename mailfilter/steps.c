/* SPDX-License-Identifier: ISC */
#include "mailfilter/steps.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"

#include "mailfilter/decide.h"
#include "mailfilter/outgoing.h"
#include "mailfilter/placed.h"
#include "mailfilter/record_wait.h"

static bool failed(const struct message *message)
{
	return message->err.kind != ERR_NONE;
}

/* A scanner's answer. RETRY may come again and again: each is one hold. */
static void take_verdict(void *arg, struct verdict *verdict)
{
	struct message *message = arg;

	message->verdict = *verdict;
	*verdict = (struct verdict){ 0 };
	message->scanned = true;
	message->stage = STAGE_SCANNED;
}

static int send(struct pipeline *pipeline, struct message *message)
{
	struct scan_request request = { .quarantine_id = message->quarantine_id,
		.message = &message->body,
		.allow = &pipeline->tools.account->allow,
		.answer = take_verdict,
		.arg = message };

	/* SENT first: the answer may come from within. */
	message->stage = STAGE_SENT;
	if (scan_send(pipeline->tools.scan, &request, &message->request_id,
		    &message->err) == 0)
		return 0;
	message->stage = STAGE_JUDGED;
	if (message->err.kind == ERR_AGAIN)
		message->err.kind = ERR_NONE; /* no room there just now: it waits */
	return -1;
}

void step_scan(struct pipeline *pipeline, struct message **list, size_t count)
{
	struct scan *scan = pipeline->tools.scan;
	char why[MESSAGE_REASON_MAX];
	bool hopeless = scan_hopeless(scan, why, sizeof(why));

	for (size_t i = 0; i < count; i++) {
		if (!list[i]->suspicious)
			list[i]->stage = STAGE_SCANNED;
		else if (hopeless)
			(void)err_set(&list[i]->err, ERR_AGAIN, "%s", why);
		else if (scan_ready(scan))
			(void)send(pipeline, list[i]);
	}
}

static bool in_place(const struct pipeline *pipeline)
{
	return pipeline->tools.account->deliver_kind == DELIVER_INPLACE;
}

static void quarantine_one(struct pipeline *pipeline, struct message *message)
{
	decide(message, pipeline->tools.account);
	/* A dry run has nothing to write to. */
	if (message->action == ACTION_HOLD && message->suspicious)
		message->waits = WAITS_SCANNER;
	if (message->action == ACTION_HOLD || pipeline->tools.dry_run) {
		message->stage = STAGE_DELIVERED;
		return;
	}
	if (outgoing_make(message, pipeline->tools.account) < 0)
		return;
	if (outgoing_keeps_original(message) &&
		quarantine_write(pipeline->tools.quarantine, message, &message->err) < 0)
		(void)err_wrap(&message->err, "quarantine");
}

void step_quarantine(struct pipeline *pipeline, struct message **list, size_t count)
{
	struct err err = { 0 };
	bool synced;

	for (size_t i = 0; i < count; i++)
		quarantine_one(pipeline, list[i]);
	if (pipeline->tools.dry_run)
		return;
	synced = quarantine_sync(pipeline->tools.quarantine, &err) == 0;
	for (size_t i = 0; i < count; i++) {
		if (list[i]->stage != STAGE_SCANNED || list[i]->err.kind != ERR_NONE)
			continue;
		if (!synced && outgoing_keeps_original(list[i])) {
			list[i]->err = err;
			(void)err_wrap(&list[i]->err, "quarantine");
		} else {
			list[i]->stage = STAGE_QUARANTINED;
		}
	}
}

static void row_of(
	const struct message *message, enum record_state state, struct record_row *row_r)
{
	*row_r = (struct record_row){ .key = message->key,
		.state = state,
		.action = message->action,
		.size = message->size,
		.listed_size = message->listed_size,
		.head = message->head,
		.attempts = message->attempts + (state == RECORD_HELD),
		.waits = state == RECORD_HELD ? message->waits : WAITS_VISIT,
		.time_s = clock_wall_s(),
		.since_s = message->since_s,
		.signatures = record_signatures(&message->verdict.signatures) };
	memcpy(row_r->name, message->name, sizeof(row_r->name));
	if (outgoing_keeps_original(message))
		memcpy(row_r->quarantine_id, message->quarantine_id,
			sizeof(row_r->quarantine_id));
	(void)decide_verdict(message, row_r->verdict);
	memcpy(row_r->reason, message->reason, sizeof(row_r->reason));
	memcpy(row_r->judged, message->judged, sizeof(row_r->judged));
	memcpy(row_r->rule, message->rule, sizeof(row_r->rule));
	memcpy(row_r->target, message->folder, sizeof(row_r->target));
	row_r->target_known = true;
}

static void fail_all(struct message **list, size_t count, const struct err *err)
{
	for (size_t i = 0; i < count; i++)
		if (!failed(list[i]))
			list[i]->err = *err;
}

/* The intent of one message, with the index of its quarantined original. */
static int put_intent(struct record *record, struct message *message, struct err *err)
{
	struct record_quarantined item;
	struct record_row row;

	row_of(message, RECORD_INTENT, &row);
	if (record_put(record, &row, err) < 0)
		return -1;
	if (!outgoing_keeps_original(message))
		return 0;
	if (quarantine_describe(message, &item, err) < 0)
		return -1;
	return record_put_quarantined(record, &item, err);
}

/* All intents in one transaction: from here on the names are fixed, and a crash that leaves some
 * of them shown is told from one that does not. */
static int put_intents(
	struct record *record, struct message **list, size_t count, struct err *err)
{
	if (record_begin(record, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (!failed(list[i]) && put_intent(record, list[i], err) < 0) {
			record_rollback(record);
			return -1;
		}
	if (record_commit(record, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		list[i]->repeat = list[i]->repeat || !failed(list[i]);
	return 0;
}

void step_deliver(struct pipeline *pipeline, struct message **list, size_t count)
{
	struct deliver *deliver = pipeline->tools.deliver;
	bool there[PIPELINE_BATCH_MAX] = { false };
	struct err err = { 0 };

	/* The others stay where they are: the loop comes back once these are recorded. */
	if (deliver->batch_max > 0 && count > deliver->batch_max)
		count = deliver->batch_max;
	for (size_t i = 0; i < count; i++)
		there[i] = deliver->ops->write(deliver, list[i], &list[i]->err) > 0;
	if (deliver->ops->sync(deliver, &err) < 0) {
		fail_all(list, count, &err);
		return;
	}
	if (put_intents(pipeline->tools.record, list, count, &err) < 0) {
		for (size_t i = 0; i < count; i++)
			if (!there[i] && !failed(list[i]))
				deliver->ops->discard(deliver, list[i]);
		fail_all(list, count, &err);
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (!there[i] && !failed(list[i]))
			(void)deliver->ops->show(deliver, list[i], &list[i]->err);
	if (deliver->ops->shown(deliver, &err) < 0)
		fail_all(list, count, &err);
	for (size_t i = 0; i < count; i++)
		if (!failed(list[i]))
			list[i]->stage = STAGE_DELIVERED;
}

/* How a message stands once this batch is committed. */
static enum record_state end_state(
	const struct pipeline *pipeline, const struct message *message)
{
	if (message->action == ACTION_HOLD)
		return RECORD_HELD;
	if (message->action == ACTION_PARK)
		return RECORD_PARKED;
	/* In place the server is owed the removal of what was replaced, and of nothing else. */
	if (pipeline->tools.account->after_kind == AFTER_KEEP ||
		(in_place(pipeline) && message->placed.uid == 0))
		return RECORD_SETTLED;
	return RECORD_DONE;
}

static int put_end(struct record *record, const struct message *message,
	enum record_state state, struct err *err)
{
	struct record_row row;

	row_of(message, state, &row);
	/* An intent outlives a hold: its name tells what has been shown. */
	if (state == RECORD_HELD && message->repeat)
		return record_note_wait(record, &row, err);
	if (record_put(record, &row, err) < 0)
		return -1;
	return message->placed.uid > 0 ? placed_put(record, message, err) : 0;
}

static int put_ends(
	struct pipeline *pipeline, struct message **list, size_t count, struct err *err)
{
	struct record *record = pipeline->tools.record;

	if (record_begin(record, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		enum record_state state = end_state(pipeline, list[i]);

		if (put_end(record, list[i], state, err) < 0) {
			record_rollback(record);
			return -1;
		}
	}
	return record_commit(record, err);
}

/* A dry run only says what would be done. */
static void pretend(struct pipeline *pipeline, struct message **list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		report_count(pipeline->tools.report, list[i]);
		report_message(pipeline->tools.account->name, list[i], true);
		list[i]->stage = STAGE_SETTLED;
	}
}

void step_record(struct pipeline *pipeline, struct message **list, size_t count)
{
	struct deliver *deliver = pipeline->tools.deliver;
	struct err err = { 0 };
	bool recorded;

	if (pipeline->tools.dry_run) {
		pretend(pipeline, list, count);
		return;
	}
	recorded = put_ends(pipeline, list, count, &err) == 0;

	for (size_t i = 0; i < count; i++) {
		struct message *message = list[i];
		bool held = message->action == ACTION_HOLD;

		if (recorded && !held) {
			deliver->ops->forget(deliver, message->name);
			outlet_took(&pipeline->outlet, message->folder);
		}
		if (recorded || held) {
			report_count(pipeline->tools.report, message);
			report_message(pipeline->tools.account->name, message, false);
		}
		if (!recorded)
			message->err = err;
		else
			message->stage = end_state(pipeline, message) == RECORD_DONE
						 ? STAGE_RECORDED
						 : STAGE_SETTLED;
	}
}
