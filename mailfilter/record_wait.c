/* SPDX-License-Identifier: ISC */
#include "mailfilter/record_wait.h"

#include <stdio.h>

#include "mailfilter/record_private.h"

int record_note_wait(struct record *record, const struct record_row *row, struct err *err)
{
	sqlite3_stmt *const note = record_prepare(record, SQL_NOTE_WAIT, err);

	if (!note)
		return -1;
	record_bind_text(note, 1, row->key.folder);
	record_bind_number(note, 2, row->key.uidvalidity);
	record_bind_text(note, 3, row->key.uid);
	record_bind_number(note, 4, row->waits);
	record_bind_text(note, 5, row->reason);
	record_bind_number(note, 6, row->time_s);
	return record_write(record, note, err);
}

int record_find_outlet(struct record *record, const char *folder,
	struct record_outlet *outlet_r, struct err *err)
{
	sqlite3_stmt *const find = record_prepare(record, SQL_OUTLET, err);
	int got;

	if (!find)
		return -1;
	record_bind_text(find, 1, folder);
	got = record_step(record, find, err);
	if (got == 1) {
		*outlet_r = (struct record_outlet){
			.tries = (uint32_t)sqlite3_column_int64(find, 0),
			.time_s = sqlite3_column_int64(find, 1),
		};
		(void)snprintf(outlet_r->folder, sizeof(outlet_r->folder), "%s", folder);
		record_column_text(find, 2, outlet_r->reason, sizeof(outlet_r->reason));
	}
	(void)sqlite3_reset(find);
	return got;
}

int record_put_outlet(
	struct record *record, const struct record_outlet *outlet, struct err *err)
{
	sqlite3_stmt *const put = record_prepare(record, SQL_PUT_OUTLET, err);

	if (!put)
		return -1;
	record_bind_text(put, 1, outlet->folder);
	record_bind_number(put, 2, outlet->tries);
	record_bind_number(put, 3, outlet->time_s);
	record_bind_text(put, 4, outlet->reason);
	return record_write(record, put, err);
}

int record_drop_outlet(struct record *record, const char *folder, struct err *err)
{
	sqlite3_stmt *const drop = record_prepare(record, SQL_DROP_OUTLET, err);

	if (!drop)
		return -1;
	record_bind_text(drop, 1, folder);
	return record_write(record, drop, err);
}

int record_list_held(struct record *record, const char *folder, uint32_t uidvalidity,
	struct buf *held, struct err *err)
{
	sqlite3_stmt *const list = record_prepare(record, SQL_HELD, err);
	int got;

	if (!list)
		return -1;
	record_bind_text(list, 1, folder);
	record_bind_number(list, 2, uidvalidity);
	while ((got = record_step(record, list, err)) == 1) {
		struct record_held one = { .id = sqlite3_column_int64(list, 0) };

		record_column_text(list, 1, one.uid, sizeof(one.uid));
		got = buf_add(held, &one, sizeof(one), err);
		if (got < 0)
			break;
	}
	(void)sqlite3_reset(list);
	return got < 0 ? -1 : 0;
}

int record_drop_held(struct record *record, int64_t id, struct err *err)
{
	sqlite3_stmt *const drop = record_prepare(record, SQL_DROP_HELD, err);

	if (!drop)
		return -1;
	record_bind_number(drop, 1, id);
	return record_write(record, drop, err);
}
