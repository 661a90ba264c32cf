/* SPDX-License-Identifier: ISC
 *
 * What of a folder is not fetched now, because it could go nowhere. */
#include "mailfilter/folder_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

void folder_waiting_init(struct folder_waiting *waiting)
{
	*waiting = (struct folder_waiting){ 0 };
	buf_init(&waiting->fresh, FOLDER_ITEMS_MAX * sizeof(struct source_item));
}

void folder_waiting_done(struct folder_waiting *waiting)
{
	buf_done(&waiting->fresh);
}

void folder_waiting_count(struct folder_waiting *waiting, const char *why)
{
	if (waiting->count++ == 0)
		(void)snprintf(waiting->why, sizeof(waiting->why), "%s", why);
}

/* One that was tried: is it time for the next try? A clock that went back says nothing. */
static bool is_due(const struct record_row *row)
{
	const int64_t now_s = clock_wall_s();

	return row->waits != WAITS_DESTINATION ||
	       now_s >= outlet_due_s(row->attempts, row->time_s) || now_s < row->time_s;
}

int folder_may_fetch(struct folder *folder, struct folder_waiting *waiting,
	const struct source_item *item, const struct record_row *row, bool *trial_r,
	struct err *err)
{
	struct outlet *outlet = &folder->session->pipeline->outlet;
	char why[MESSAGE_REASON_MAX] = "";
	enum outlet_answer answer;

	if (row && !is_due(row)) {
		folder_waiting_count(waiting, row->reason);
		return 0;
	}
	if (outlet_ask(outlet, row ? row->target : "", item->size, &answer, why, err) < 0)
		return -1;
	*trial_r = answer == OUTLET_TRIAL;
	if (answer != OUTLET_SHUT)
		return 1;
	/* To be asked to stop is no reason to hold anything. */
	if (waiting->count == 0 &&
		pipeline_wait(folder->session->pipeline, -1, 0, clock_ms(), err) < 0)
		return -1;
	folder_waiting_count(waiting, why);
	if (row)
		return 0;
	return buf_add(&waiting->fresh, item, sizeof(*item), err);
}

/* Known from now on, so that status and why can tell of them. */
static int record_fresh(
	struct folder *folder, const struct folder_waiting *waiting, struct err *err)
{
	struct record *record = folder_tools(folder)->record;
	const int64_t now_s = clock_wall_s();
	size_t count;
	const struct source_item *items = folder_items(&waiting->fresh, &count);

	if (count == 0)
		return 0;
	if (record_begin(record, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct record_row row = { .state = RECORD_HELD,
			.action = ACTION_HOLD,
			.waits = WAITS_DESTINATION,
			.size = items[i].size,
			.listed_size = items[i].size,
			.time_s = now_s,
			.since_s = now_s };

		folder_key(folder, &items[i], &row.key);
		memcpy(row.reason, waiting->why, sizeof(row.reason));
		if (record_put(record, &row, err) < 0) {
			record_rollback(record);
			return -1;
		}
	}
	return record_commit(record, err);
}

int folder_waiting_end(
	struct folder *folder, struct folder_waiting *waiting, struct err *err)
{
	struct report *report = folder_tools(folder)->report;
	char text[LOG_TEXT_MAX];

	if (waiting->count == 0)
		return 0;
	if (record_fresh(folder, waiting, err) < 0)
		return -1;
	log_warning("account=%s folder=%s held=%" PRIu32 " reason=%s",
		folder_tools(folder)->account->name, folder->name, waiting->count,
		log_value(span_str(waiting->why), text));
	if (report->held == 0)
		(void)snprintf(
			report->held_why, sizeof(report->held_why), "%s", waiting->why);
	report->held += waiting->count;
	return 0;
}
