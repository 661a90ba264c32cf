/* SPDX-License-Identifier: ISC */
#include "mailfilter/folder.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/parse.h"

static const struct pipeline_tools *tools(const struct folder *folder)
{
	return &folder->pipeline->tools;
}

int folder_open(struct folder *folder, struct err *err)
{
	uint32_t known = 0, done = 0;

	buf_init(&folder->owed, FOLDER_OWED_MAX * sizeof(struct source_item));
	buf_init(&folder->settled, FOLDER_OWED_MAX * sizeof(struct source_item));
	if (folder->source->ops->select(
		    folder->source, folder->name, &folder->uidvalidity, err) < 0 ||
		record_folder(tools(folder)->record, folder->name, &known, &done, err) <
			0)
		return -1;
	if (known != 0 && known != folder->uidvalidity)
		return err_set(err, ERR_ACCOUNT,
			"%s: the server numbers its messages anew (UIDVALIDITY %" PRIu32
			" became %" PRIu32
			"); nothing is fetched, so that nothing comes twice",
			folder->name, known, folder->uidvalidity);
	if (known == 0 && folder->uidvalidity != 0 && !tools(folder)->dry_run &&
		record_set_folder(tools(folder)->record, folder->name,
			folder->uidvalidity, 0, err) < 0)
		return -1;
	return folder->source->ops->list(
		folder->source, done, &folder->items, &folder->count, err);
}

void folder_close(struct folder *folder)
{
	buf_done(&folder->owed);
	buf_done(&folder->settled);
	free(take_ptr(&folder->items));
	folder->count = 0;
}

static void key_of(const struct folder *folder, const struct source_item *item,
	struct message_key *key_r)
{
	*key_r = (struct message_key){ .uidvalidity = folder->uidvalidity };
	(void)snprintf(key_r->folder, sizeof(key_r->folder), "%s", folder->name);
	memcpy(key_r->uid, item->uid, sizeof(key_r->uid));
}

/* What is recorded of an item: 1 and the row, or 0. */
static int known(const struct folder *folder, const struct source_item *item,
	struct record_row *row_r, struct err *err)
{
	struct message_key key;

	key_of(folder, item, &key);
	return record_find(tools(folder)->record, &key, row_r, err);
}

static uint32_t stuck_count(const struct folder *folder, const struct source_item *item)
{
	bool same = folder->stuck->key.uidvalidity == folder->uidvalidity &&
		    strcmp(folder->stuck->key.folder, folder->name) == 0 &&
		    strcmp(folder->stuck->key.uid, item->uid) == 0;

	return same ? folder->stuck->count : 0;
}

/* The session ended at this message, perhaps again. */
static void note_stuck(struct folder *folder, const char *uid)
{
	struct source_item item = { 0 };

	if (!uid[0])
		return;
	memcpy(item.uid, uid, MESSAGE_UID_MAX);
	if (stuck_count(folder, &item) == 0) {
		key_of(folder, &item, &folder->stuck->key);
		folder->stuck->count = 0;
	}
	folder->stuck->count++;
}

/* Messages to be fetched with one command. */
struct chunk {
	struct source_item items[FOLDER_CHUNK_MESSAGES_MAX];
	struct message *messages[FOLDER_CHUNK_MESSAGES_MAX];
	size_t count;
	uint64_t bytes;
};

static int chunk_run(struct folder *folder, struct chunk *chunk, struct err *err)
{
	size_t count = chunk->count;

	chunk->count = 0;
	chunk->bytes = 0;
	if (count == 0)
		return folder_settle(folder, err);
	if (fetch_chunk(folder->fetch, folder->source, chunk->items, chunk->messages,
		    count, err) < 0) {
		if (err->kind == ERR_SESSION)
			note_stuck(folder, folder->fetch->missing);
		return -1;
	}
	return folder_settle(folder, err);
}

/* One more message; a chunk that is full is fetched. */
static int chunk_add(struct folder *folder, struct chunk *chunk,
	const struct source_item *item, const struct record_row *row, struct err *err)
{
	uint32_t stuck = stuck_count(folder, item);
	struct message *message;

	if (stuck == STUCK_ALONE && chunk_run(folder, chunk, err) < 0)
		return -1;
	message = fetch_message(
		folder->fetch, folder->name, folder->uidvalidity, item, row);
	if (!message)
		return err_memory(err);
	if (stuck >= STUCK_PARK && message->action == ACTION_NONE) {
		message->action = ACTION_PARK;
		message->stage = STAGE_SCANNED;
		(void)snprintf(message->reason, sizeof(message->reason),
			"the session ended %" PRIu32 " times while it was fetched",
			stuck);
	}
	if (message->action != ACTION_NONE) {
		pipeline_add(folder->pipeline, &message);
		return pipeline_make_room(folder->pipeline, err);
	}
	chunk->items[chunk->count] = *item;
	chunk->messages[chunk->count++] = message;
	chunk->bytes += item->size;
	if (chunk->count == FOLDER_CHUNK_MESSAGES_MAX || stuck == STUCK_ALONE ||
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

int folder_fetch_new(struct folder *folder, struct err *err)
{
	struct chunk *chunk DEFER(chunk_free) = calloc(1, sizeof(*chunk));

	if (!chunk)
		return err_memory(err);
	for (size_t i = 0; i < folder->count; i++) {
		struct record_row row = { 0 };
		int found = known(folder, &folder->items[i], &row, err);

		if (found < 0)
			return -1;
		if (found > 0 && row.state == RECORD_DONE &&
			buf_add(&folder->owed, &folder->items[i],
				sizeof(folder->items[i]), err) < 0)
			return -1;
		if (found > 0 && row.state != RECORD_INTENT)
			continue;
		tools(folder)->report->listed++;
		if (chunk_add(folder, chunk, &folder->items[i], found > 0 ? &row : NULL,
			    err) < 0)
			return -1;
	}
	return chunk_run(folder, chunk, err);
}

/* Wait until a scanner takes requests or there is no more hope of one. */
static int wait_scanner(
	struct folder *folder, bool *ready_r, char *why, size_t size, struct err *err)
{
	while (!scan_ready(tools(folder)->scan) &&
		!scan_hopeless(tools(folder)->scan, why, size))
		if (pipeline_wait(folder->pipeline, -1, 0, clock_ms() + PIPELINE_BATCH_MS,
			    err) < 0)
			return -1;
	*ready_r = scan_ready(tools(folder)->scan);
	return 0;
}

int folder_fetch_held(struct folder *folder, struct err *err)
{
	struct chunk *chunk DEFER(chunk_free) = calloc(1, sizeof(*chunk));
	char why[MESSAGE_REASON_MAX] = "";
	bool asked = false, ready = false;
	uint32_t waiting = 0;

	if (!chunk)
		return err_memory(err);
	for (size_t i = 0; i < folder->count; i++) {
		struct record_row row = { 0 };
		int found = known(folder, &folder->items[i], &row, err);

		if (found < 0)
			return -1;
		if (found == 0 || row.state != RECORD_HELD)
			continue;
		if (row.judged[0] && !asked &&
			wait_scanner(folder, &ready, why, sizeof(why), err) < 0)
			return -1;
		asked = asked || row.judged[0];
		if (row.judged[0] && !ready)
			waiting++;
		else if (chunk_add(folder, chunk, &folder->items[i], &row, err) < 0)
			return -1;
	}
	if (waiting > 0) {
		struct report *report = tools(folder)->report;

		log_warning("account=%s folder=%s held=%" PRIu32 " reason=\"%s\"",
			tools(folder)->account->name, folder->name, waiting, why);
		if (report->held == 0)
			(void)snprintf(
				report->held_why, sizeof(report->held_why), "%s", why);
		report->held += waiting;
	}
	return chunk_run(folder, chunk, err);
}

static const struct source_item *items_of(const struct buf *buf, size_t *count_r)
{
	*count_r = buf->len / sizeof(struct source_item);
	return (const struct source_item *)(const void *)buf->data;
}

/* One transaction for all of them. A dry run never gets here: it records nothing to settle. */
static int record_settled(struct folder *folder, const struct buf *buf, struct err *err)
{
	struct record *record = tools(folder)->record;
	size_t count;
	const struct source_item *items = items_of(buf, &count);

	if (count == 0)
		return 0;
	if (record_begin(record, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct record_row row = { 0 };
		int found = known(folder, &items[i], &row, err);

		row.state = RECORD_SETTLED;
		row.time_s = clock_wall_s();
		if (found < 0 || (found > 0 && record_put(record, &row, err) < 0)) {
			record_rollback(record);
			return -1;
		}
	}
	if (record_commit(record, err) < 0)
		return -1;
	tools(folder)->report->settled += (uint32_t)count;
	return 0;
}

int folder_settle(struct folder *folder, struct err *err)
{
	struct message *message;
	const struct source_item *items;
	size_t count;

	while ((message = pipeline_take_recorded(folder->pipeline, folder->name))) {
		struct source_item item = { .number = message->number,
			.size = message->size };
		int result;

		memcpy(item.uid, message->key.uid, sizeof(item.uid));
		result = buf_add(&folder->owed, &item, sizeof(item), err);
		message_free(message);
		if (result < 0)
			return -1;
	}
	items = items_of(&folder->owed, &count);
	if (count == 0)
		return 0;
	if (folder->source->ops->settle(folder->source, items, count, err) < 0)
		return -1;
	if (folder->source->settle_at_finish) {
		if (buf_add(&folder->settled, folder->owed.data, folder->owed.len, err) <
			0)
			return -1;
	} else if (record_settled(folder, &folder->owed, err) < 0) {
		return -1;
	}
	buf_clear(&folder->owed);
	return 0;
}

int folder_settled(struct folder *folder, struct err *err)
{
	int result = record_settled(folder, &folder->settled, err);

	buf_clear(&folder->settled);
	return result;
}

int folder_advance(struct folder *folder, struct err *err)
{
	uint64_t done = 0;

	if (folder->uidvalidity == 0 || tools(folder)->dry_run)
		return 0;
	for (size_t i = 0; i < folder->count; i++) {
		struct record_row row = { 0 };
		int found = known(folder, &folder->items[i], &row, err);

		if (found < 0)
			return -1;
		if (found == 0 ||
			(row.state != RECORD_SETTLED && row.state != RECORD_PARKED))
			break;
		if (parse_number(folder->items[i].uid, 1, UINT32_MAX, &done, err) < 0)
			return -1;
	}
	if (done == 0)
		return 0;
	return record_set_folder(tools(folder)->record, folder->name, folder->uidvalidity,
		(uint32_t)done, err);
}
