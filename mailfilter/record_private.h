/* SPDX-License-Identifier: ISC
 *
 * What the record's files share: the connection, its statements and the only way to run one.
 * For record*.c alone. */
#ifndef MAILFILTER_RECORD_PRIVATE_H
#define MAILFILTER_RECORD_PRIVATE_H

#include <sqlite3.h>

#include "common/buf.h"

#include "mailfilter/record.h"

/* Statements are prepared at their first use and kept. */
enum record_sql {
	SQL_BEGIN,
	SQL_BEGIN_READING,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_FIND,
	SQL_FIND_STATE,
	SQL_NOTE_WAIT,
	SQL_OUTLET,
	SQL_PUT_OUTLET,
	SQL_DROP_OUTLET,
	SQL_IS_DELIVERED,
	SQL_PUT,
	SQL_EACH,
	SQL_LAST,
	SQL_FOLDER,
	SQL_PUT_FOLDER,
	SQL_BEGAN,
	SQL_STRAY_ALL,
	SQL_LOSE_ROWS,
	SQL_LOSE_FOLDER,
	SQL_FOLDER_NAMES,
	SQL_UNTOLD,
	SQL_STRAYS,
	SQL_CLAIM,
	SQL_HELD,
	SQL_DROP_HELD,
	SQL_DROP_STRAYS,
	SQL_COUNT,
	SQL_RUN,
	SQL_SET_RUN,
	SQL_PUT_QUARANTINED,
	SQL_FIND_QUARANTINED,
	SQL_EACH_QUARANTINED,
	SQL_REASONS,
	SQL_TARGETS,
	SQL_EACH_UID,
	SQL_NOTE_UNPARKED,
	SQL_UNPARK,
	SQL_UNPARKED,
	SQL_LOWER_MARK,
	SQL_DROP_UNPARKED,
	SQL_SET_FATE,
	SQL_DROP_QUARANTINED,
	SQL_DROP_FATE,
	SQL_IS_RELEASED,
	SQL_RESCAN,
	SQL_PUT_RESCAN,
	SQL_NEXT_DELIVERED,
	SQL_PUT_REPLACING,
	SQL_FIND_REPLACING,
	SQL_DROP_REPLACING,
	SQL_REPLACED,
	SQL_SUSPECTS,
	SQL_NOTE_SUSPECT,
	SQL_SUSPECT,
	SQL_TEXTS
};

/* What each of them says. */
extern const char *const record_texts[SQL_TEXTS];

enum {
	RECORD_PAGE =
		64, /* rows read at once, so that none is open while the caller works */
	RECORD_CHANGE_COLUMN = 20, /* behind the columns of a row of messages */
};

struct record {
	sqlite3 *db;
	char *path;
	sqlite3_stmt *statements[SQL_TEXTS];
	bool begun;  /* between record_begin and the end of its transaction */
	bool failed; /* a write in it failed: it cannot be committed any more */
};

/* The statement, ready to be bound. NULL: err says why. */
sqlite3_stmt *record_prepare(
	struct record *record, enum record_sql which, struct err *err);

/* Values come from outside: bound, never part of a statement's text. The text must stay valid
 * until the statement has run. Positions count from 1. */
void record_bind_text(sqlite3_stmt *statement, int position, const char *text);
void record_bind_number(sqlite3_stmt *statement, int position, int64_t number);
void record_bind_head(sqlite3_stmt *statement, int position, const struct head *head);

/* A column's text, cut to size; "" for NULL. */
void record_column_text(sqlite3_stmt *statement, int column, char *text, size_t size);

/* Add all texts of the first column, each in size bytes (MESSAGE_FOLDER_MAX at most), NUL-ended and
 * filled with NULs. More than texts may hold: ERR_MESSAGE. */
int record_list_texts(struct record *record, enum record_sql which, size_t size,
	struct buf *texts, struct err *err);

/* The head in a column; not known where that is empty. */
void record_column_head(sqlite3_stmt *statement, int column, struct head *head);

/* A row of messages, whose columns are those of SQL_FIND. */
void record_read_row(sqlite3_stmt *from, struct record_row *row);

/* One step of a reading statement. 1: a row; 0: no more. */
int record_step(struct record *record, sqlite3_stmt *statement, struct err *err);

/* Run a writing statement to its end and reset it. */
int record_write(struct record *record, sqlite3_stmt *statement, struct err *err);

/* What went wrong last on this connection, as our kind of error. Returns -1. */
int record_fail(const struct record *record, const char *what, struct err *err);

/* Bring an open database to the form of this program. */
int record_schema(struct record *record, bool read_only, struct err *err);

/* Does it hold no schema yet, ours or another's? */
int record_is_empty(struct record *record, bool *empty_r, struct err *err);

#endif
