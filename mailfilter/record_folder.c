/* SPDX-License-Identifier: ISC
 *
 * The record's rows of folders, and what becomes of messages whose folder is numbered anew. */
#include <string.h>

#include "mailfilter/record_private.h"

enum {
	STRAYS_AT_FIRST = 256,
	RECORD_FOLDERS_MAX = 100 * 1000
};

int record_find_folder(struct record *record, const char *name,
	struct record_folder *folder_r, struct err *err)
{
	sqlite3_stmt *const find = record_prepare(record, SQL_FOLDER, err);
	int got;

	if (!find)
		return -1;
	record_bind_text(find, 1, name);
	got = record_step(record, find, err);
	if (got == 1) {
		*folder_r = (struct record_folder){
			.uidvalidity = (uint32_t)sqlite3_column_int64(find, 1),
			.done_uid = (uint32_t)sqlite3_column_int64(find, 2),
			.since_s = sqlite3_column_int64(find, 3),
			.changes = (uint32_t)sqlite3_column_int64(find, 4),
			.began_s = sqlite3_column_int64(find, 5),
			.passed_uid = (uint32_t)sqlite3_column_int64(find, 6),
			.passed_s = sqlite3_column_int64(find, 7),
		};
		record_column_text(find, 0, folder_r->name, sizeof(folder_r->name));
	}
	(void)sqlite3_reset(find);
	return got;
}

int record_put_folder(
	struct record *record, const struct record_folder *folder, struct err *err)
{
	sqlite3_stmt *const put = record_prepare(record, SQL_PUT_FOLDER, err);

	if (!put)
		return -1;
	record_bind_text(put, 1, folder->name);
	record_bind_number(put, 2, folder->uidvalidity);
	record_bind_number(put, 3, folder->done_uid);
	record_bind_number(put, 4, folder->since_s);
	record_bind_number(put, 5, folder->changes);
	record_bind_number(put, 6, folder->began_s);
	record_bind_number(put, 7, folder->passed_uid);
	record_bind_number(put, 8, folder->passed_s);
	return record_write(record, put, err);
}

int record_began(struct record *record, int64_t *began_s_r, struct err *err)
{
	sqlite3_stmt *const began = record_prepare(record, SQL_BEGAN, err);
	int got;

	if (!began)
		return -1;
	got = record_step(record, began, err);
	if (got == 1)
		*began_s_r = sqlite3_column_int64(began, 0);
	(void)sqlite3_reset(began);
	return got < 0 ? -1 : 0;
}

/* One of the statements that take a folder and a time. */
static int write_at(struct record *record, enum record_sql which, const char *folder,
	int64_t time_s, struct err *err)
{
	sqlite3_stmt *const statement = record_prepare(record, which, err);

	if (!statement)
		return -1;
	record_bind_text(statement, 1, folder);
	record_bind_number(statement, 2, time_s);
	return record_write(record, statement, err);
}

int record_stray_all(
	struct record *record, const char *folder, int64_t now_s, struct err *err)
{
	return write_at(record, SQL_STRAY_ALL, folder, now_s, err);
}

int record_lose_folder(
	struct record *record, const char *folder, int64_t now_s, struct err *err)
{
	sqlite3_stmt *const lose = record_prepare(record, SQL_LOSE_FOLDER, err);

	if (!lose || write_at(record, SQL_LOSE_ROWS, folder, now_s, err) < 0)
		return -1;
	record_bind_text(lose, 1, folder);
	return record_write(record, lose, err);
}

int record_folder_names(struct record *record, char (**names_r)[MESSAGE_FOLDER_MAX],
	size_t *count_r, struct err *err)
{
	auto_buf struct buf texts;

	buf_init(&texts, RECORD_FOLDERS_MAX * sizeof(**names_r));
	if (record_list_texts(record, SQL_FOLDER_NAMES, sizeof(**names_r), &texts, err) <
		0)
		return -1;
	*count_r = texts.len / sizeof(**names_r);
	*names_r = take_ptr(&texts.data);
	return 0;
}

int record_untold(struct record *record, const char *folder, uint32_t uidvalidity,
	uint64_t *count_r, struct err *err)
{
	sqlite3_stmt *const untold = record_prepare(record, SQL_UNTOLD, err);
	int got;

	if (!untold)
		return -1;
	record_bind_text(untold, 1, folder);
	record_bind_number(untold, 2, RECORD_INTENT);
	record_bind_number(untold, 3, RECORD_DONE);
	record_bind_number(untold, 4, RECORD_SETTLED);
	record_bind_number(untold, 5, RECORD_PASSED);
	record_bind_number(untold, 6, uidvalidity);
	got = record_step(record, untold, err);
	if (got == 1)
		*count_r = (uint64_t)sqlite3_column_int64(untold, 0);
	(void)sqlite3_reset(untold);
	return got < 0 ? -1 : 0;
}

/* Room for one more. */
static int grow(struct record_stray **strays, size_t count, size_t *size, struct err *err)
{
	size_t more = *size ? *size * 2 : STRAYS_AT_FIRST;
	struct record_stray *larger;

	if (count < *size)
		return 0;
	larger = reallocarray(*strays, more, sizeof(*larger));
	if (!larger)
		return err_memory(err);
	*strays = larger;
	*size = more;
	return 0;
}

static void read_stray(sqlite3_stmt *from, struct record_stray *stray)
{
	struct head head;

	/* Only those with a head are asked for. */
	record_column_head(from, 2, &head);
	*stray = (struct record_stray){ .id = sqlite3_column_int64(from, 0),
		.listed_size = (uint64_t)sqlite3_column_int64(from, 1) };
	if (head.known)
		stray->head = head.hash;
}

int record_strays(struct record *record, const char *folder,
	struct record_stray **strays_r, size_t *count_r, struct err *err)
{
	sqlite3_stmt *const list = record_prepare(record, SQL_STRAYS, err);
	auto_free struct record_stray *strays = NULL;
	size_t count = 0, size = 0;
	int got;

	if (!list)
		return -1;
	record_bind_text(list, 1, folder);
	while ((got = record_step(record, list, err)) == 1) {
		if (grow(&strays, count, &size, err) < 0) {
			got = -1;
			break;
		}
		read_stray(list, &strays[count++]);
	}
	(void)sqlite3_reset(list);
	if (got < 0)
		return -1;
	*strays_r = take_ptr(&strays);
	*count_r = count;
	return 0;
}

int record_claim(
	struct record *record, int64_t id, const struct message_key *key, struct err *err)
{
	sqlite3_stmt *const claim = record_prepare(record, SQL_CLAIM, err);

	if (!claim)
		return -1;
	record_bind_text(claim, 1, key->folder);
	record_bind_number(claim, 2, key->uidvalidity);
	record_bind_text(claim, 3, key->uid);
	record_bind_number(claim, 4, id);
	return record_write(record, claim, err);
}

int record_drop_strays(
	struct record *record, const char *folder, int64_t before_s, struct err *err)
{
	return write_at(record, SQL_DROP_STRAYS, folder, before_s, err);
}
