/* SPDX-License-Identifier: ISC
 *
 * The form of state.db: made where there is none, checked where there is one. */
#include <stdio.h>

#include "mailfilter/record_private.h"

enum {
	SCHEMA_VERSION = 8,
	APPLICATION_ID = 0x6d666c74 /* "mflt": tells our file from any other SQLite one */
};

/* fate: what has been done with an original in quarantine. unparked: in front of which messages
 * the next listing has to start, although they were done with. */
#define SINCE_2                                                                          \
	"CREATE TABLE fate ("                                                            \
	" id TEXT PRIMARY KEY, fate INTEGER NOT NULL, fate_s INTEGER NOT NULL,"          \
	" name TEXT NOT NULL) WITHOUT ROWID;"                                            \
	"CREATE TABLE unparked ("                                                        \
	" folder TEXT NOT NULL, uidvalidity INTEGER NOT NULL, uid INTEGER NOT NULL,"     \
	" PRIMARY KEY (folder, uidvalidity, uid)) WITHOUT ROWID;"

/* Asked for at each start, and few at any time: the 3 is RECORD_INTENT. */
#define BEGUN_4 "CREATE INDEX begun ON message (target) WHERE state = 3 AND target <> '';"

/* outlet: destinations that took nothing at the last try and cannot be asked before the next. */
#define OUTLET_5                                                                         \
	"CREATE TABLE outlet ("                                                          \
	" folder TEXT PRIMARY KEY, tries INTEGER NOT NULL, time_s INTEGER NOT NULL,"     \
	" reason TEXT NOT NULL) WITHOUT ROWID;"

/* rescan: how far delivered mail was scanned again, and with which signatures. replacing: files in
 * Maildirs that others take the place of. */
#define RESCAN_6                                                                         \
	"CREATE TABLE rescan ("                                                          \
	" id INTEGER PRIMARY KEY CHECK (id = 1), digest BLOB NOT NULL,"                  \
	" since_s INTEGER NOT NULL, position INTEGER NOT NULL,"                          \
	" done_s INTEGER NOT NULL);"                                                     \
	"CREATE TABLE replacing ("                                                       \
	" name TEXT PRIMARY KEY, new_name TEXT NOT NULL, quarantine_id TEXT NOT NULL,"   \
	" action INTEGER NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL)"         \
	" WITHOUT ROWID;"

/* For people: what came of it. */
#define RESCANNED_7                                                                      \
	"ALTER TABLE rescan ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;"           \
	"ALTER TABLE rescan ADD COLUMN scanned INTEGER NOT NULL DEFAULT 0;"              \
	"ALTER TABLE rescan ADD COLUMN infected INTEGER NOT NULL DEFAULT 0;"

/* Asked for at each visit, and few at any time: the 1 is RECORD_HELD. */
#define HELD_8 "CREATE INDEX held ON message (folder, uidvalidity) WHERE state = 1;"

/* message.target: the folder that a delivery was begun in, "" for the usual place; NULL where an
 * older form did not say. message.signatures: of its verdict, as record_signatures has them.
 * message.change counts up with every put, REPLACE included: the order of the last change, free of
 * the clock's jumps. */
static const char schema[] =
	"CREATE TABLE message ("
	" change INTEGER PRIMARY KEY,"
	" folder TEXT NOT NULL, uidvalidity INTEGER NOT NULL, uid TEXT NOT NULL,"
	" state INTEGER NOT NULL, action INTEGER NOT NULL, name TEXT NOT NULL,"
	" quarantine_id TEXT NOT NULL, verdict TEXT NOT NULL, reason TEXT NOT NULL,"
	" judged TEXT NOT NULL, size INTEGER NOT NULL, attempts INTEGER NOT NULL,"
	" time_s INTEGER NOT NULL,"
	" rule TEXT NOT NULL DEFAULT '', since_s INTEGER NOT NULL DEFAULT 0,"
	" listed_size INTEGER NOT NULL DEFAULT 0, head BLOB NOT NULL DEFAULT x'',"
	" stray_s INTEGER NOT NULL DEFAULT 0, target TEXT,"
	" waits INTEGER NOT NULL DEFAULT 0, signatures INTEGER NOT NULL DEFAULT 0,"
	" UNIQUE (folder, uidvalidity, uid));"
	"CREATE TABLE folder ("
	" folder TEXT PRIMARY KEY, uidvalidity INTEGER NOT NULL,"
	" done_uid INTEGER NOT NULL, since_s INTEGER NOT NULL DEFAULT 0,"
	" changes INTEGER NOT NULL DEFAULT 0, began_s INTEGER NOT NULL DEFAULT 0,"
	" passed_uid INTEGER NOT NULL DEFAULT 0, passed_s INTEGER NOT NULL DEFAULT 0)"
	" WITHOUT ROWID;"
	"CREATE TABLE run ("
	" id INTEGER PRIMARY KEY CHECK (id = 1), time_s INTEGER NOT NULL,"
	" summary TEXT NOT NULL);"
	"CREATE TABLE quarantined ("
	" id TEXT PRIMARY KEY, folder TEXT NOT NULL, uidvalidity INTEGER NOT NULL,"
	" uid TEXT NOT NULL, time_s INTEGER NOT NULL, size INTEGER NOT NULL,"
	" why TEXT NOT NULL, subject TEXT NOT NULL, sender TEXT NOT NULL,"
	" hash BLOB NOT NULL, found BLOB NOT NULL DEFAULT x'') WITHOUT ROWID;" SINCE_2
		BEGUN_4 OUTLET_5 RESCAN_6 RESCANNED_7 HELD_8;

/* From the form of this number to the next. */
static const char *const upgrades[SCHEMA_VERSION] = {
	[1] = "ALTER TABLE message ADD COLUMN rule TEXT NOT NULL DEFAULT '';"
	      "ALTER TABLE message ADD COLUMN since_s INTEGER NOT NULL DEFAULT 0;"
	      "ALTER TABLE quarantined ADD COLUMN found BLOB NOT NULL DEFAULT x'';" SINCE_2,
	[2] = "ALTER TABLE message ADD COLUMN listed_size INTEGER NOT NULL DEFAULT 0;"
	      "ALTER TABLE message ADD COLUMN head BLOB NOT NULL DEFAULT x'';"
	      "ALTER TABLE message ADD COLUMN stray_s INTEGER NOT NULL DEFAULT 0;"
	      "ALTER TABLE folder ADD COLUMN since_s INTEGER NOT NULL DEFAULT 0;"
	      "ALTER TABLE folder ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;"
	      "ALTER TABLE folder ADD COLUMN began_s INTEGER NOT NULL DEFAULT 0;"
	      "ALTER TABLE folder ADD COLUMN passed_uid INTEGER NOT NULL DEFAULT 0;"
	      "ALTER TABLE folder ADD COLUMN passed_s INTEGER NOT NULL DEFAULT 0;"
	      "INSERT OR IGNORE INTO folder (folder, uidvalidity, done_uid)"
	      " SELECT DISTINCT folder, 0, 0 FROM message WHERE uidvalidity = 0;",
	[3] = "ALTER TABLE message ADD COLUMN target TEXT;" BEGUN_4,
	/* What had been judged waited for a scanner. */
	[4] = "ALTER TABLE message ADD COLUMN waits INTEGER NOT NULL DEFAULT 0;"
	      "UPDATE message SET waits = 1 WHERE state = 1 AND judged <> '';" OUTLET_5,
	[5] = RESCAN_6,
	[6] = "ALTER TABLE message ADD COLUMN signatures INTEGER NOT NULL DEFAULT 0;" RESCANNED_7,
	[7] = HELD_8,
};

_Static_assert(RECORD_INTENT == 3, "the index of what was begun");
_Static_assert(RECORD_HELD == 1 && WAITS_SCANNER == 1,
	"the upgrade of what waits, and the index of what is held");

static int execute(struct record *record, const char *sql, struct err *err)
{
	if (sqlite3_exec(record->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return record_fail(record, "cannot set up", err);
	return 0;
}

/* The one number that a statement gives. */
static int number(
	struct record *record, const char *sql, int64_t *number_r, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	int got = -1;

	if (sqlite3_prepare_v2(record->db, sql, -1, &statement, NULL) == SQLITE_OK)
		got = sqlite3_step(statement);
	if (got == SQLITE_ROW)
		*number_r = sqlite3_column_int64(statement, 0);
	else
		(void)record_fail(record, "cannot read", err);
	(void)sqlite3_finalize(statement);
	return got == SQLITE_ROW ? 0 : -1;
}

int record_is_empty(struct record *record, bool *empty_r, struct err *err)
{
	int64_t count;

	if (number(record, "SELECT count(*) FROM sqlite_schema", &count, err) < 0)
		return -1;
	*empty_r = count == 0;
	return 0;
}

/* The number of its form, which this program knows or can bring up to date. */
static int check(struct record *record, int64_t *version_r, struct err *err)
{
	int64_t version, application;

	if (number(record, "PRAGMA application_id", &application, err) < 0 ||
		number(record, "PRAGMA user_version", &version, err) < 0)
		return -1;
	if (application != APPLICATION_ID)
		return err_set(err, ERR_ACCOUNT,
			"%s was not made by mailfilter: move it away, or choose another "
			"state-dir",
			record->path);
	if (version > SCHEMA_VERSION)
		return err_set(err, ERR_ACCOUNT,
			"%s was made by a newer mailfilter (its form is %lld, this program "
			"knows up to %d): install that version again",
			record->path, (long long)version, SCHEMA_VERSION);
	if (version < 1)
		return err_set(err, ERR_ACCOUNT,
			"%s has no form that this mailfilter knows (%lld): move it away; mail "
			"still on the server is then delivered again",
			record->path, (long long)version);
	*version_r = version;
	return 0;
}

/* Whole or not at all. */
static int upgrade(struct record *record, struct err *err)
{
	char mark[64];
	int64_t version;

	(void)snprintf(
		mark, sizeof(mark), "PRAGMA user_version = %d; COMMIT", SCHEMA_VERSION);
	if (execute(record, "BEGIN IMMEDIATE", err) < 0)
		return -1;
	/* Another process may have been first. */
	if (check(record, &version, err) == 0) {
		int done = 0;

		for (; done == 0 && version < SCHEMA_VERSION; version++)
			done = execute(record, upgrades[version], err);
		if (done == 0 && execute(record, mark, err) == 0)
			return 0;
	}
	(void)sqlite3_exec(record->db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

static int create(struct record *record, struct err *err)
{
	char marks[128];
	bool empty;

	(void)snprintf(marks, sizeof(marks),
		"PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
		APPLICATION_ID, SCHEMA_VERSION);
	if (execute(record, "BEGIN IMMEDIATE", err) < 0)
		return -1;
	/* Another process may have been first. */
	if (record_is_empty(record, &empty, err) < 0 ||
		(empty && (execute(record, schema, err) < 0 ||
				  execute(record, marks, err) < 0))) {
		(void)sqlite3_exec(record->db, "ROLLBACK", NULL, NULL, NULL);
		return -1;
	}
	return empty ? 0 : execute(record, "COMMIT", err);
}

int record_schema(struct record *record, bool read_only, struct err *err)
{
	int64_t version = SCHEMA_VERSION;
	bool empty;

	if (record_is_empty(record, &empty, err) < 0)
		return -1;
	if (!empty && check(record, &version, err) < 0)
		return -1;
	if (read_only && version < SCHEMA_VERSION)
		return err_set(err, ERR_AGAIN,
			"%s is of an older mailfilter: the next run that serves the account "
			"brings it up to date",
			record->path);
	if (read_only)
		return 0;
	/* A file system without shared memory keeps a rollback journal; EXTRA also makes its
	 * removal durable, and is FULL where there is a WAL. */
	if (execute(record, "PRAGMA journal_mode = WAL; PRAGMA synchronous = EXTRA",
		    err) < 0)
		return -1;
	if (!empty)
		return version < SCHEMA_VERSION ? upgrade(record, err) : 0;
	if (create(record, err) < 0)
		return -1;
	return check(record, &version, err);
}
