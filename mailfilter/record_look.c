/* SPDX-License-Identifier: ISC */
#include "mailfilter/record_look.h"

#include <assert.h>
#include <string.h>

#include "common/buf.h"
#include "common/clock.h"

#include "mailfilter/record_private.h"

int record_each_reason(struct record *record,
	void (*each)(const struct record_reason *reason, void *arg), void *arg,
	struct err *err)
{
	sqlite3_stmt *const reasons = record_prepare(record, SQL_REASONS, err);
	int got;

	if (!reasons)
		return -1;
	record_bind_number(reasons, 1, RECORD_HELD);
	record_bind_number(reasons, 2, RECORD_PARKED);
	record_bind_number(reasons, 3, RECORD_REASONS_MAX);
	while ((got = record_step(record, reasons, err)) == 1) {
		struct record_reason reason = {
			.state = (enum record_state)sqlite3_column_int(reasons, 0),
			.waits = (enum waits)sqlite3_column_int(reasons, 2),
			.count = (uint64_t)sqlite3_column_int64(reasons, 3),
			.since_s = sqlite3_column_int64(reasons, 4),
		};

		record_column_text(reasons, 1, reason.reason, sizeof(reason.reason));
		each(&reason, arg);
	}
	(void)sqlite3_reset(reasons);
	return got < 0 ? -1 : 0;
}

int record_each_uid(struct record *record, const char *folder, const char *uid,
	void (*each)(const struct record_row *row, void *arg), void *arg, struct err *err)
{
	sqlite3_stmt *const find = record_prepare(record, SQL_EACH_UID, err);
	struct record_row row;
	int got;

	if (!find)
		return -1;
	record_bind_text(find, 1, uid);
	record_bind_text(find, 2, folder);
	record_bind_number(find, 3, RECORD_SAME_UID_MAX);
	while ((got = record_step(record, find, err)) == 1) {
		record_read_row(find, &row);
		each(&row, arg);
	}
	(void)sqlite3_reset(find);
	return got < 0 ? -1 : 0;
}

int record_list_texts(struct record *record, enum record_sql which, size_t size,
	struct buf *texts, struct err *err)
{
	sqlite3_stmt *const list = record_prepare(record, which, err);
	char text[MESSAGE_FOLDER_MAX];
	int got;

	assert(size <= sizeof(text));
	if (!list)
		return -1;
	while ((got = record_step(record, list, err)) == 1) {
		memset(text, 0, size);
		record_column_text(list, 0, text, size);
		got = buf_add(texts, text, size, err);
		if (got < 0)
			break;
	}
	(void)sqlite3_reset(list);
	return got < 0 ? -1 : 0;
}

int record_targets(struct record *record, char (**targets_r)[MESSAGE_TARGET_MAX],
	size_t *count_r, struct err *err)
{
	auto_buf struct buf texts;

	buf_init(&texts, RECORD_TARGETS_MAX * sizeof(**targets_r));
	if (record_list_texts(record, SQL_TARGETS, sizeof(**targets_r), &texts, err) < 0)
		return -1;
	*count_r = texts.len / sizeof(**targets_r);
	*targets_r = take_ptr(&texts.data);
	return 0;
}

static void bind_which(sqlite3_stmt *statement, const char *folder, const char *uid)
{
	record_bind_number(statement, 1, RECORD_PARKED);
	record_bind_text(statement, 2, folder);
	record_bind_text(statement, 3, uid);
}

static int unpark(struct record *record, const char *folder, const char *uid,
	uint64_t *count_r, struct err *err)
{
	sqlite3_stmt *const note = record_prepare(record, SQL_NOTE_UNPARKED, err);
	sqlite3_stmt *const change =
		note ? record_prepare(record, SQL_UNPARK, err) : NULL;

	if (!change)
		return -1;
	bind_which(note, folder, uid);
	if (record_write(record, note, err) < 0)
		return -1;
	bind_which(change, folder, uid);
	record_bind_number(change, 4, RECORD_HELD);
	record_bind_text(change, 5, "unparked: tried again at the next visit");
	record_bind_number(change, 6, clock_wall_s());
	if (record_write(record, change, err) < 0)
		return -1;
	*count_r = (uint64_t)sqlite3_changes(record->db);
	return 0;
}

int record_unpark(struct record *record, const char *folder, const char *uid,
	uint64_t *count_r, struct err *err)
{
	if (record_begin(record, err) < 0)
		return -1;
	if (unpark(record, folder, uid, count_r, err) < 0) {
		record_rollback(record);
		return -1;
	}
	return record_commit(record, err);
}

/* The lowest UID that was unparked there; 0: none. */
static int lowest(struct record *record, const char *folder, uint32_t uidvalidity,
	int64_t *uid_r, struct err *err)
{
	sqlite3_stmt *const find = record_prepare(record, SQL_UNPARKED, err);
	int got;

	if (!find)
		return -1;
	record_bind_text(find, 1, folder);
	record_bind_number(find, 2, uidvalidity);
	got = record_step(record, find, err);
	if (got == 1)
		*uid_r = sqlite3_column_int64(find, 0);
	(void)sqlite3_reset(find);
	return got < 0 ? -1 : 0;
}

/* The mark first: what is noted twice does no harm. */
static int lower(struct record *record, const char *folder, uint32_t uidvalidity,
	int64_t mark, struct err *err)
{
	sqlite3_stmt *const move = record_prepare(record, SQL_LOWER_MARK, err);
	sqlite3_stmt *const drop =
		move ? record_prepare(record, SQL_DROP_UNPARKED, err) : NULL;

	if (!drop)
		return -1;
	record_bind_text(move, 1, folder);
	record_bind_number(move, 2, uidvalidity);
	record_bind_number(move, 3, mark);
	if (record_write(record, move, err) < 0)
		return -1;
	record_bind_text(drop, 1, folder);
	return record_write(record, drop, err);
}

int record_take_unparked(struct record *record, const char *folder, uint32_t uidvalidity,
	uint32_t *done_uid, struct err *err)
{
	int64_t uid = 0;

	if (lowest(record, folder, uidvalidity, &uid, err) < 0)
		return -1;
	/* Nearly always: without a transaction, then. */
	if (uid <= 0)
		return 0;
	if (record_begin(record, err) < 0)
		return -1;
	if (lowest(record, folder, uidvalidity, &uid, err) < 0 ||
		lower(record, folder, uidvalidity, uid - 1, err) < 0) {
		record_rollback(record);
		return -1;
	}
	if (record_commit(record, err) < 0)
		return -1;
	if (uid - 1 < *done_uid)
		*done_uid = (uint32_t)(uid - 1);
	return 0;
}
