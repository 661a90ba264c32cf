/* SPDX-License-Identifier: ISC */
#include "mailfilter/record_rescan.h"

#include <string.h>

#include "common/clock.h"

#include "mailfilter/record_private.h"

int record_find_rescan(
	struct record *record, struct record_rescan *rescan_r, struct err *err)
{
	sqlite3_stmt *const find = record_prepare(record, SQL_RESCAN, err);
	int got;

	if (!find)
		return -1;
	got = record_step(record, find, err);
	if (got == 1) {
		const void *digest = sqlite3_column_blob(find, 0);

		*rescan_r = (struct record_rescan){
			.since_s = sqlite3_column_int64(find, 1),
			.position = sqlite3_column_int64(find, 2),
			.done_s = sqlite3_column_int64(find, 3),
			.generation = (uint64_t)sqlite3_column_int64(find, 4),
			.scanned = (uint64_t)sqlite3_column_int64(find, 5),
			.infected = (uint64_t)sqlite3_column_int64(find, 6),
		};
		if (digest && sqlite3_column_bytes(find, 0) == HASH_SIZE)
			memcpy(rescan_r->digest.bytes, digest, HASH_SIZE);
	}
	(void)sqlite3_reset(find);
	return got;
}

int record_put_rescan(
	struct record *record, const struct record_rescan *rescan, struct err *err)
{
	sqlite3_stmt *const put = record_prepare(record, SQL_PUT_RESCAN, err);

	if (!put)
		return -1;
	(void)sqlite3_bind_blob(put, 1, rescan->digest.bytes, HASH_SIZE, SQLITE_STATIC);
	record_bind_number(put, 2, rescan->since_s);
	record_bind_number(put, 3, rescan->position);
	record_bind_number(put, 4, rescan->done_s);
	record_bind_number(put, 5, (int64_t)rescan->generation);
	record_bind_number(put, 6, (int64_t)rescan->scanned);
	record_bind_number(put, 7, (int64_t)rescan->infected);
	return record_write(record, put, err);
}

int record_next_delivered(struct record *record, int64_t since_s, int64_t *position,
	struct record_row *row_r, struct err *err)
{
	sqlite3_stmt *const next = record_prepare(record, SQL_NEXT_DELIVERED, err);
	int got;

	if (!next)
		return -1;
	record_bind_number(next, 1, *position);
	record_bind_number(next, 2, since_s);
	record_bind_number(next, 3, RECORD_DONE);
	record_bind_number(next, 4, RECORD_SETTLED);
	record_bind_number(next, 5, ACTION_DELIVER);
	record_bind_number(next, 6, ACTION_TAG);
	got = record_step(record, next, err);
	if (got == 1) {
		record_read_row(next, row_r);
		*position = sqlite3_column_int64(next, RECORD_CHANGE_COLUMN);
	}
	(void)sqlite3_reset(next);
	return got;
}

int record_begin_replacing(
	struct record *record, const struct record_replacing *replacing, struct err *err)
{
	sqlite3_stmt *const put = record_prepare(record, SQL_PUT_REPLACING, err);

	if (!put)
		return -1;
	record_bind_text(put, 1, replacing->name);
	record_bind_text(put, 2, replacing->new_name);
	record_bind_text(put, 3, replacing->quarantine_id);
	record_bind_number(put, 4, replacing->action);
	record_bind_text(put, 5, replacing->verdict);
	record_bind_text(put, 6, replacing->reason);
	return record_write(record, put, err);
}

int record_drop_replacing(struct record *record, const char *name, struct err *err)
{
	sqlite3_stmt *const drop = record_prepare(record, SQL_DROP_REPLACING, err);

	if (!drop)
		return -1;
	record_bind_text(drop, 1, name);
	return record_write(record, drop, err);
}

static int rename_row(
	struct record *record, const struct record_replacing *replacing, struct err *err)
{
	sqlite3_stmt *const change = record_prepare(record, SQL_REPLACED, err);

	if (!change)
		return -1;
	record_bind_text(change, 1, replacing->name);
	record_bind_text(change, 2, replacing->new_name);
	record_bind_text(change, 3, replacing->quarantine_id);
	record_bind_number(change, 4, replacing->action);
	record_bind_text(change, 5, replacing->verdict);
	record_bind_text(change, 6, replacing->reason);
	record_bind_number(change, 7, clock_wall_s());
	return record_write(record, change, err);
}

int record_end_replacing(
	struct record *record, const struct record_replacing *replacing, struct err *err)
{
	if (record_begin(record, err) < 0)
		return -1;
	if (rename_row(record, replacing, err) < 0 ||
		record_drop_replacing(record, replacing->name, err) < 0) {
		record_rollback(record);
		return -1;
	}
	return record_commit(record, err);
}

int record_find_replacing(struct record *record, const char *name, const char *after,
	struct record_replacing *replacing_r, struct err *err)
{
	sqlite3_stmt *const find = record_prepare(record, SQL_FIND_REPLACING, err);
	int got;

	if (!find)
		return -1;
	record_bind_text(find, 1, name);
	record_bind_text(find, 2, after);
	got = record_step(record, find, err);
	if (got == 1) {
		struct record_replacing *to = replacing_r;

		*to = (struct record_replacing){
			.action = (enum action)sqlite3_column_int(find, 3)
		};
		record_column_text(find, 0, to->name, sizeof(to->name));
		record_column_text(find, 1, to->new_name, sizeof(to->new_name));
		record_column_text(find, 2, to->quarantine_id, sizeof(to->quarantine_id));
		record_column_text(find, 4, to->verdict, sizeof(to->verdict));
		record_column_text(find, 5, to->reason, sizeof(to->reason));
	}
	(void)sqlite3_reset(find);
	return got;
}

static void bind_key(sqlite3_stmt *statement, const struct message_key *key)
{
	record_bind_text(statement, 1, key->folder);
	record_bind_number(statement, 2, key->uidvalidity);
	record_bind_text(statement, 3, key->uid);
	record_bind_number(statement, 4, RECORD_SETTLED);
}

/* The mark below which nothing is listed any more comes down to it, as for what is unparked. */
static int suspect(struct record *record, const struct message_key *key,
	const char *reason, struct err *err)
{
	sqlite3_stmt *const note = record_prepare(record, SQL_NOTE_SUSPECT, err);
	sqlite3_stmt *const change =
		note ? record_prepare(record, SQL_SUSPECT, err) : NULL;

	if (!change)
		return -1;
	bind_key(note, key);
	if (record_write(record, note, err) < 0)
		return -1;
	bind_key(change, key);
	record_bind_number(change, 5, RECORD_HELD);
	record_bind_text(change, 6, MESSAGE_JUDGED_AGAIN);
	record_bind_number(change, 7, WAITS_SCANNER);
	record_bind_text(change, 8, reason);
	record_bind_number(change, 9, clock_wall_s());
	return record_write(record, change, err);
}

int record_suspect(struct record *record, const struct message_key *key,
	const char *reason, struct err *err)
{
	if (record_begin(record, err) < 0)
		return -1;
	if (suspect(record, key, reason, err) < 0) {
		record_rollback(record);
		return -1;
	}
	return record_commit(record, err);
}

int record_count_suspects(struct record *record, uint64_t *count_r, struct err *err)
{
	sqlite3_stmt *const count = record_prepare(record, SQL_SUSPECTS, err);
	int got;

	if (!count)
		return -1;
	record_bind_text(count, 1, MESSAGE_JUDGED_AGAIN);
	record_bind_number(count, 2, RECORD_HELD);
	record_bind_number(count, 3, RECORD_INTENT);
	record_bind_number(count, 4, RECORD_DONE);
	got = record_step(record, count, err);
	if (got == 1)
		*count_r = (uint64_t)sqlite3_column_int64(count, 0);
	(void)sqlite3_reset(count);
	return got < 0 ? -1 : 0;
}
