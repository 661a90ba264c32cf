/* SPDX-License-Identifier: ISC
 *
 * What of a folder is fetched, in which order and in which company. */
#include "mailfilter/folder_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

static uint32_t stuck_count(const struct folder *folder, const struct source_item *item)
{
	bool same = folder->session->stuck->key.uidvalidity == folder->uidvalidity &&
		    strcmp(folder->session->stuck->key.folder, folder->name) == 0 &&
		    strcmp(folder->session->stuck->key.uid, item->uid) == 0;

	return same ? folder->session->stuck->count : 0;
}

/* The session ended at this message, perhaps again. */
static void note_stuck(struct folder *folder, const char *uid)
{
	struct source_item item = { 0 };

	if (!uid[0])
		return;
	memcpy(item.uid, uid, MESSAGE_UID_MAX);
	if (stuck_count(folder, &item) == 0) {
		folder_key(folder, &item, &folder->session->stuck->key);
		folder->session->stuck->count = 0;
	}
	folder->session->stuck->count++;
}

/* Messages to be fetched with one command. */
struct chunk {
	struct source_item items[FOLDER_CHUNK_MESSAGES_MAX];
	struct message *messages[FOLDER_CHUNK_MESSAGES_MAX];
	size_t count;
	uint64_t bytes;
};

/* Is as much owed as one session should settle, with so many more? */
static bool is_full(const struct folder *folder, size_t more)
{
	size_t max = folder->session->source->settle_max;

	return max > 0 && folder->owed.len / sizeof(struct source_item) + more >= max &&
	       !folder_tools(folder)->dry_run;
}

/* What is recorded is owed. Where what is still on its way would fill the session it is waited for: the
 * next chunk might be too much. */
static int collect(struct folder *folder, struct err *err)
{
	struct pipeline *pipeline = folder->session->pipeline;

	if (folder_collect(folder, err) < 0)
		return -1;
	if (!is_full(folder, 0) && is_full(folder, pipeline->count)) {
		if (pipeline_drain(pipeline, err) < 0 || folder_collect(folder, err) < 0)
			return -1;
	}
	folder->session->full = is_full(folder, 0);
	return 0;
}

static int chunk_run(struct folder *folder, struct chunk *chunk, struct err *err)
{
	struct fetch *fetch = folder->session->fetch;
	size_t count = chunk->count;

	chunk->count = 0;
	chunk->bytes = 0;
	if (count > 0 && fetch_chunk(fetch, folder->session->source, chunk->items,
				 chunk->messages, count, err) < 0) {
		if (err->kind == ERR_SESSION)
			note_stuck(folder, fetch->missing);
		return -1;
	}
	/* POP3 deletes at its end or not at all. */
	if (folder->session->source->settle_at_finish)
		return collect(folder, err);
	return folder_settle(folder, err);
}

/* The reasons on record of a message whose fetch a process did not survive: crashed says that the
 * process died of what it did, cut_off that nobody saw of what, or that it was killed. */
static const char crashed[] = "the process died while it was fetched or examined";
static const char cut_off[] = "the run was cut off while it was fetched or examined";

/* So often it was fetched and its process died; the first crash starts the count anew. */
static void count_attempt(struct record_row *row, bool crash)
{
	bool was_cut = strcmp(row->reason, cut_off) == 0;

	if (strcmp(row->reason, crashed) == 0) {
		row->attempts += crash;
		return;
	}
	row->attempts = was_cut && !crash ? row->attempts + 1 : was_cut ? 2 : 1;
	(void)snprintf(row->reason, sizeof(row->reason), "%s",
		was_cut && crash ? crashed : cut_off);
}

static bool is_poison(const struct record_row *row)
{
	uint32_t deaths =
		strcmp(row->reason, crashed) == 0 ? CAREFUL_CRASHES : CAREFUL_CUTS;

	return row->attempts > deaths;
}

/* Before it is fetched after a run that died: on record, for the next run to know of which one
 * this one died. 1: that has happened often enough, and why says so. */
static int note_attempt(struct folder *folder, const struct source_item *item,
	const struct record_row *known, char *why, struct err *err)
{
	struct record_row row = { .state = RECORD_HELD,
		.size = item->size,
		.listed_size = item->size,
		.since_s = clock_wall_s() };

	if (known)
		row = *known;
	else
		folder_key(folder, item, &row.key);
	count_attempt(&row, folder->session->crashed);
	if (is_poison(&row)) {
		(void)snprintf(why, MESSAGE_REASON_MAX, "%.100s, %" PRIu32 " times",
			row.reason, row.attempts - 1);
		return 1;
	}
	row.time_s = clock_wall_s();
	return record_put(folder_tools(folder)->record, &row, err);
}

enum company {
	COMPANY_ANY,
	COMPANY_NONE, /* to be fetched alone */
	COMPANY_NEVER /* not at all: parked, for the reason in why */
};

static int choose_company(struct folder *folder, const struct source_item *item,
	const struct record_row *row, enum company *company_r, char *why, struct err *err)
{
	uint32_t stuck = stuck_count(folder, item);
	int died = 0;

	*company_r = stuck == STUCK_ALONE ? COMPANY_NONE : COMPANY_ANY;
	if (stuck >= STUCK_PARK) {
		(void)snprintf(why, MESSAGE_REASON_MAX,
			"the session ended %" PRIu32 " times while it was fetched",
			stuck);
		*company_r = COMPANY_NEVER;
	} else if (folder->session->careful > 0) {
		folder->session->careful--;
		died = note_attempt(folder, item, row, why, err);
		*company_r = died > 0 ? COMPANY_NEVER : COMPANY_NONE;
	}
	return died < 0 ? -1 : 0;
}

static int add_ready(
	struct folder *folder, struct message *message, bool trial, struct err *err)
{
	pipeline_add(folder->session->pipeline, &message);
	if (trial)
		return pipeline_drain(folder->session->pipeline, err);
	return pipeline_make_room(folder->session->pipeline, err);
}

static int fetch_alone(struct folder *folder, struct chunk *chunk, struct err *err)
{
	if (chunk_run(folder, chunk, err) < 0)
		return -1;
	return pipeline_drain(folder->session->pipeline, err);
}

/* One more message; a chunk that is full is fetched. A trial shows what becomes of this one first. */
static int chunk_add(struct folder *folder, struct chunk *chunk,
	const struct source_item *item, const struct record_row *row, bool trial,
	struct err *err)
{
	struct message *message = fetch_message(
		folder->session->fetch, folder->name, folder->uidvalidity, item, row);
	char why[MESSAGE_REASON_MAX];
	enum company company;

	if (!message)
		return err_memory(err);
	if (message->action != ACTION_NONE) {
		if (folder_read_head(folder, item, message, err) == 0)
			return add_ready(folder, message, trial, err);
		message_free(message);
		return -1;
	}
	if (choose_company(folder, item, row, &company, why, err) < 0) {
		message_free(message);
		return -1;
	}
	if (trial && company == COMPANY_ANY)
		company = COMPANY_NONE;
	if (company == COMPANY_NONE && chunk_run(folder, chunk, err) < 0) {
		message_free(message);
		return -1;
	}
	if (company == COMPANY_NEVER) {
		message_park(message, why);
		return add_ready(folder, message, trial, err);
	}
	chunk->items[chunk->count] = *item;
	chunk->messages[chunk->count++] = message;
	chunk->bytes += item->size;
	if (company == COMPANY_NONE)
		return fetch_alone(folder, chunk, err);
	if (chunk->count == FOLDER_CHUNK_MESSAGES_MAX ||
		chunk->bytes >= FOLDER_CHUNK_BYTES_MAX)
		return chunk_run(folder, chunk, err);
	return 0;
}

static void chunk_free(struct chunk **chunk)
{
	for (size_t i = 0; *chunk && i < (*chunk)->count; i++)
		message_free((*chunk)->messages[i]);
	free(*chunk);
}

/* One that is not new. */
static int note_known(struct folder *folder, const struct source_item *item,
	const struct record_row *row, struct err *err)
{
	struct source_item owed = *item;

	owed.again = true;
	if (row->state == RECORD_DONE)
		return buf_add(&folder->owed, &owed, sizeof(owed), err);
	if (row->state == RECORD_HELD)
		return buf_add(&folder->held, item, sizeof(*item), err);
	return 0;
}

/* One that is new, or whose delivery was cut off. 1: it is on its way, 0: it waits. */
static int fetch_one(struct folder *folder, struct chunk *chunk,
	struct folder_waiting *waiting, const struct source_item *item,
	const struct record_row *row, struct err *err)
{
	bool trial = false;
	int may = folder_may_fetch(folder, waiting, item, row, &trial, err);

	if (may <= 0)
		return may;
	return chunk_add(folder, chunk, item, row, trial, err) < 0 ? -1 : 1;
}

/* With one of this state, as recorded, nothing is to be done. */
static bool is_over(enum record_state state)
{
	return state == RECORD_SETTLED || state == RECORD_PARKED ||
	       state == RECORD_PASSED;
}

/* What is measured goes on its way before the server is asked for more. */
static int measure_more(
	struct folder *folder, struct chunk *chunk, size_t from, struct err *err)
{
	return chunk_run(folder, chunk, err) < 0 ? -1
						 : folder_measure_more(folder, from, err);
}

int folder_fetch_new(struct folder *folder, struct err *err)
{
	struct chunk *chunk DEFER(chunk_free) = calloc(1, sizeof(*chunk));
	struct folder_waiting waiting DEFER(folder_waiting_done);
	enum record_state states[FOLDER_STATES_MAX];
	size_t from = 0, known = 0; /* the states are of items from..known */

	folder_waiting_init(&waiting);
	if (!chunk)
		return err_memory(err);
	/* All of them until it is known which are not new: who waits sees what is to come. */
	folder_tools(folder)->report->listed += (uint32_t)folder->count;
	for (size_t i = 0; i < folder->count && !folder->session->full; i++) {
		struct record_row row = { 0 };
		size_t before = chunk->count;
		int found, tried;

		if (i >= known && folder_states(folder, i, states, err) < 0)
			return -1;
		if (i >= known) {
			from = i;
			known = i + FOLDER_STATES_MAX;
		}
		if (i >= folder->measured && !is_over(states[i - from]) &&
			measure_more(folder, chunk, i, err) < 0)
			return -1;
		found = states[i - from] == 0
				? 0
				: folder_known(folder, &folder->items[i], &row, err);
		if (found < 0)
			return -1;
		if (found > 0 && note_known(folder, &folder->items[i], &row, err) < 0)
			return -1;
		if (found > 0 && row.state != RECORD_INTENT) {
			folder_tools(folder)->report->listed--;
			folder->session->full = is_full(folder, 0);
			continue;
		}
		tried = fetch_one(folder, chunk, &waiting, &folder->items[i],
			found > 0 ? &row : NULL, err);
		if (tried < 0)
			return -1;
		/* Something was fetched or decided: the record has moved on. */
		if (tried > 0 && chunk->count != before + 1)
			known = 0;
	}
	if (chunk_run(folder, chunk, err) < 0)
		return -1;
	return folder_waiting_end(folder, &waiting, err);
}

/* Wait until a scanner takes requests or there is no more hope of one. */
static int wait_scanner(
	struct folder *folder, bool *ready_r, char *why, size_t size, struct err *err)
{
	while (!scan_ready(folder_tools(folder)->scan) &&
		!scan_hopeless(folder_tools(folder)->scan, why, size))
		if (pipeline_wait(folder->session->pipeline, -1, 0,
			    clock_ms() + PIPELINE_BATCH_MS, err) < 0)
			return -1;
	*ready_r = scan_ready(folder_tools(folder)->scan);
	return 0;
}

int folder_fetch_held(struct folder *folder, struct err *err)
{
	struct chunk *chunk DEFER(chunk_free) = calloc(1, sizeof(*chunk));
	struct folder_waiting waiting DEFER(folder_waiting_done);
	char why[MESSAGE_REASON_MAX] = "";
	bool asked = false, ready = false;
	const struct source_item *items;
	size_t count;

	folder_waiting_init(&waiting);
	if (!chunk)
		return err_memory(err);
	items = folder_items(&folder->held, &count);
	for (size_t i = 0; i < count; i++) {
		struct record_row row = { 0 };

		if (folder_known(folder, &items[i], &row, err) < 0)
			return -1;
		if (row.judged[0] && !asked &&
			wait_scanner(folder, &ready, why, sizeof(why), err) < 0)
			return -1;
		asked = asked || row.judged[0];
		if (row.judged[0] && !ready)
			folder_waiting_count(&waiting, why);
		else if (fetch_one(folder, chunk, &waiting, &items[i], &row, err) < 0)
			return -1;
	}
	if (chunk_run(folder, chunk, err) < 0)
		return -1;
	return folder_waiting_end(folder, &waiting, err);
}
