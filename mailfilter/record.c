/* SPDX-License-Identifier: ISC */
#include "mailfilter/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"

#include "mailfilter/owner.h"
#include "mailfilter/record_private.h"

enum {
	BUSY_MS = 10000 /* how long another process of ours may hold the lock */
};

static enum err_kind kind_of(int code, int errnum)
{
	switch (code & 0xff) {
	case SQLITE_IOERR:
		return code == SQLITE_IOERR_NOMEM ? ERR_FATAL : ERR_AGAIN;
	case SQLITE_FULL:
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return ERR_AGAIN;
	case SQLITE_CANTOPEN:
		return errnum ? file_err_kind(errnum) : ERR_ACCOUNT;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_ACCOUNT;
	default:
		return ERR_FATAL;
	}
}

int record_fail(const struct record *record, const char *what, struct err *err)
{
	const int code = sqlite3_extended_errcode(record->db), primary = code & 0xff;
	const char *const why = sqlite3_errmsg(record->db);
	/* Kept from an earlier failure, it belongs to these two alone. */
	const int errnum = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN
				   ? sqlite3_system_errno(record->db)
				   : 0;

	if (primary == SQLITE_NOMEM)
		return err_memory(err);
	if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB)
		return err_set(err, ERR_ACCOUNT,
			"%s is damaged (%s): put back a copy of it, or move it away with its "
			"-wal and -shm; mail still on the server is then delivered again",
			record->path, why);
	/* SQLite tells the last errno, of its try to read what it could not make. */
	if (primary == SQLITE_CANTOPEN && errnum == ENOENT &&
		access(record->path, F_OK) == 0)
		return err_set(err, ERR_AGAIN,
			"%s %s: the files -wal and -shm beside it cannot be made: the disk "
			"may be full or in trouble, or the folder read-only",
			what, record->path);
	return err_set(err, kind_of(code, errnum), "%s %s: %s%s%s", what, record->path,
		why, errnum ? ": " : "", errnum ? strerror(errnum) : "");
}

sqlite3_stmt *record_prepare(
	struct record *record, enum record_sql which, struct err *err)
{
	sqlite3_stmt **const statement = &record->statements[which];

	if (!*statement &&
		sqlite3_prepare_v3(record->db, record_texts[which], -1,
			SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK) {
		(void)record_fail(record, "cannot read", err);
		return NULL;
	}
	return *statement;
}

void record_bind_text(sqlite3_stmt *statement, int position, const char *text)
{
	/* Fails only on a wrong position: our own mistake, which no test would pass. */
	(void)sqlite3_bind_text(statement, position, text, -1, SQLITE_STATIC);
}

void record_bind_number(sqlite3_stmt *statement, int position, int64_t number)
{
	(void)sqlite3_bind_int64(statement, position, number);
}

void record_bind_head(sqlite3_stmt *statement, int position, const struct head *head)
{
	(void)sqlite3_bind_blob(statement, position, head->hash.bytes,
		head->known ? HASH_SIZE : 0, SQLITE_STATIC);
}

void record_column_head(sqlite3_stmt *statement, int column, struct head *head)
{
	const void *const bytes = sqlite3_column_blob(statement, column);

	head->known = bytes && sqlite3_column_bytes(statement, column) == HASH_SIZE;
	if (head->known)
		memcpy(head->hash.bytes, bytes, HASH_SIZE);
}

void record_column_text(sqlite3_stmt *statement, int column, char *text, size_t size)
{
	const unsigned char *const value = sqlite3_column_text(statement, column);

	(void)snprintf(text, size, "%s", value ? (const char *)value : "");
}

int record_step(struct record *record, sqlite3_stmt *statement, struct err *err)
{
	switch (sqlite3_step(statement)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return record_fail(record, "cannot read", err);
	}
}

int record_write(struct record *record, sqlite3_stmt *statement, struct err *err)
{
	int done = -1;

	/* After a failure SQLite may have ended the transaction by itself; what is written then
	 * would stand alone. */
	if (record->begun && (record->failed || sqlite3_get_autocommit(record->db)))
		(void)err_set(err, ERR_AGAIN, "%s: an earlier write of this batch failed",
			record->path);
	else if (sqlite3_step(statement) == SQLITE_DONE)
		done = 0;
	else
		(void)record_fail(record, "cannot write", err);
	if (done < 0)
		record->failed = true;
	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement);
	return done;
}

/* Made here and not by SQLite, so that its mode is not left to the umask. */
static int make_file(const char *dir, const char *path, struct err *err)
{
	auto_close int fd = -1;
	auto_close int dirfd = -1;

	if (access(path, F_OK) == 0)
		return 0;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		S_IRUSR | S_IWUSR);
	if (fd < 0 && errno != EEXIST)
		return err_errno(err, file_err_kind(errno), "cannot make %s", path);
	if (file_open_dir(dir, &dirfd, err) < 0)
		return -1;
	return file_sync_dir(dirfd, path, err);
}

static int connect_to(struct record *record, const char *path, int flags, struct err *err)
{
	(void)sqlite3_close(record->db);
	record->db = NULL;
	if (sqlite3_open_v2(path, &record->db,
		    flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
		    NULL) != SQLITE_OK) {
		if (!record->db)
			return err_memory(err);
		return record_fail(record, "cannot open", err);
	}
	(void)sqlite3_busy_timeout(record->db, BUSY_MS);
	return 0;
}

/* For who only reads, a database that is not there yet is an empty one. */
static int open_empty(struct record *record, struct err *err)
{
	if (connect_to(record, ":memory:", SQLITE_OPEN_READWRITE, err) < 0)
		return -1;
	return record_schema(record, false, err);
}

static int open_read_only(struct record *record, struct err *err)
{
	bool empty;

	if (access(record->path, F_OK) < 0 && errno == ENOENT)
		return open_empty(record, err);
	if (connect_to(record, record->path, SQLITE_OPEN_READONLY, err) < 0 ||
		record_is_empty(record, &empty, err) < 0)
		return -1;
	return empty ? open_empty(record, err) : record_schema(record, true, err);
}

static int open_to_write(struct record *record, const char *dir, struct err *err)
{
	if (owner_check(dir, err) < 0 || file_mkdirs(dir, S_IRWXU, err) < 0 ||
		make_file(dir, record->path, err) < 0 ||
		connect_to(record, record->path, SQLITE_OPEN_READWRITE, err) < 0)
		return -1;
	return record_schema(record, false, err);
}

int record_open(
	const char *dir, bool read_only, struct record **record_r, struct err *err)
{
	struct record *record = calloc(1, sizeof(*record));
	int done;

	if (!record)
		return err_memory(err);
	if (asprintf(&record->path, "%s/state.db", dir) < 0) {
		free(record);
		return err_memory(err);
	}
	done = read_only ? open_read_only(record, err) : open_to_write(record, dir, err);
	if (done < 0) {
		record_close(record);
		return -1;
	}
	*record_r = record;
	return 0;
}

void record_close(struct record *record)
{
	if (!record)
		return;
	record_rollback(record);
	for (size_t i = 0; i < SQL_TEXTS; i++)
		(void)sqlite3_finalize(record->statements[i]);
	(void)sqlite3_close(record->db);
	free(record->path);
	free(record);
}

int record_begin(struct record *record, struct err *err)
{
	sqlite3_stmt *const begin = record_prepare(record, SQL_BEGIN, err);

	if (!begin || record_write(record, begin, err) < 0)
		return -1;
	record->begun = true;
	record->failed = false;
	return 0;
}

int record_begin_reading(struct record *record, struct err *err)
{
	sqlite3_stmt *const begin = record_prepare(record, SQL_BEGIN_READING, err);
	int got;

	if (!begin)
		return -1;
	got = record_step(record, begin, err);
	(void)sqlite3_reset(begin);
	return got < 0 ? -1 : 0;
}

void record_end_reading(struct record *record)
{
	record_rollback(record);
}

int record_commit(struct record *record, struct err *err)
{
	sqlite3_stmt *const commit = record_prepare(record, SQL_COMMIT, err);
	const int done = commit ? record_write(record, commit, err) : -1;

	if (done < 0)
		record_rollback(record);
	record->begun = false;
	return done;
}

void record_rollback(struct record *record)
{
	/* SQLite may have rolled back by itself; and closing does it as well. */
	if (record->db && !sqlite3_get_autocommit(record->db))
		(void)sqlite3_exec(
			record->db, record_texts[SQL_ROLLBACK], NULL, NULL, NULL);
	record->begun = record->failed = false;
}
