/* SPDX-License-Identifier: ISC
 *
 * Databases that older and newer versions, other programs and no program at all have made. */
#include "tests/mailfilter/recorded.h"

#include <sqlite3.h>
#include <sys/stat.h>

static void sql(const char *text)
{
	sqlite3 *connection = NULL;

	assert_int_equal(sqlite3_open(db, &connection), SQLITE_OK);
	assert_int_equal(sqlite3_exec(connection, text, NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(connection);
}

static int user_version(void)
{
	sqlite3 *connection = NULL;
	sqlite3_stmt *statement = NULL;
	int version;

	assert_int_equal(sqlite3_open(db, &connection), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(
				 connection, "PRAGMA user_version", -1, &statement, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	version = sqlite3_column_int(statement, 0);
	(void)sqlite3_finalize(statement);
	(void)sqlite3_close(connection);
	return version;
}

/* As the first version of the program made it. */
static const char first_form[] =
	"CREATE TABLE message (change INTEGER PRIMARY KEY, folder TEXT NOT NULL,"
	" uidvalidity INTEGER NOT NULL, uid TEXT NOT NULL, state INTEGER NOT NULL,"
	" action INTEGER NOT NULL, name TEXT NOT NULL, quarantine_id TEXT NOT NULL,"
	" verdict TEXT NOT NULL, reason TEXT NOT NULL, judged TEXT NOT NULL,"
	" size INTEGER NOT NULL, attempts INTEGER NOT NULL, time_s INTEGER NOT NULL,"
	" UNIQUE (folder, uidvalidity, uid));"
	"CREATE TABLE folder (folder TEXT PRIMARY KEY, uidvalidity INTEGER NOT NULL,"
	" done_uid INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE run (id INTEGER PRIMARY KEY CHECK (id = 1),"
	" time_s INTEGER NOT NULL, summary TEXT NOT NULL);"
	"CREATE TABLE quarantined (id TEXT PRIMARY KEY, folder TEXT NOT NULL,"
	" uidvalidity INTEGER NOT NULL, uid TEXT NOT NULL, time_s INTEGER NOT NULL,"
	" size INTEGER NOT NULL, why TEXT NOT NULL, subject TEXT NOT NULL,"
	" sender TEXT NOT NULL, hash BLOB NOT NULL) WITHOUT ROWID;"
	"INSERT INTO message VALUES (4, 'A', 7, '1', 5, 1, 'n', '', '', '', '', 20, 0, 9);"
	"INSERT INTO message VALUES (5, '', 0, 'x', 5, 1, 'n', '', '', '', '', 20, 0, 9);"
	"INSERT INTO folder VALUES ('A', 7, 1);"
	"PRAGMA application_id = 0x6d666c74; PRAGMA user_version = 1;";

static void a_database_of_an_older_version_is_brought_up_to_date(void **state)
{
	struct record *record = NULL;
	struct record_folder folder;
	struct record_row row;
	struct err err = { 0 };
	int64_t began_s = -1;
	struct record_quarantined quarantined;
	uint64_t untold = 0;

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	sql(first_form);
	/* Who only reads cannot do it. */
	assert_int_equal(record_open(dir, true, &record, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_non_null(strstr(err.text, "older mailfilter"));
	for (int i = 0; i < 2; i++) {
		record = open_record(false);
		assert_int_equal(find(record, "A", 1, &row), 1);
		assert_int_equal(row.size, 20);
		assert_false(row.head.known);
		assert_int_equal(record_find_folder(record, "A", &folder, &err), 1);
		assert_int_equal(folder.done_uid, 1);
		assert_int_equal(record_find_folder(record, "", &folder, &err), 1);
		assert_int_equal(record_began(record, &began_s, &err), 0);
		assert_int_equal(began_s, 0);
		assert_int_equal(record_untold(record, "A", 0, &untold, &err), 0);
		assert_int_equal(untold, 1);
		assert_int_equal(
			record_find_quarantined(record, "none", &quarantined, &err), 0);
		assert_int_equal(record_set_fate(record, "an-id", RECORD_RELEASED, "name",
					 1, &err),
			0);
		record_close(record);
	}
	record = open_record(true);
	record_close(record);
}

/* As the third version made it, with the intent of a delivery. */
static const char third_form[] =
	"CREATE TABLE message (change INTEGER PRIMARY KEY, folder TEXT NOT NULL,"
	" uidvalidity INTEGER NOT NULL, uid TEXT NOT NULL, state INTEGER NOT NULL,"
	" action INTEGER NOT NULL, name TEXT NOT NULL, quarantine_id TEXT NOT NULL,"
	" verdict TEXT NOT NULL, reason TEXT NOT NULL, judged TEXT NOT NULL,"
	" size INTEGER NOT NULL, attempts INTEGER NOT NULL, time_s INTEGER NOT NULL,"
	" rule TEXT NOT NULL DEFAULT '', since_s INTEGER NOT NULL DEFAULT 0,"
	" listed_size INTEGER NOT NULL DEFAULT 0, head BLOB NOT NULL DEFAULT x'',"
	" stray_s INTEGER NOT NULL DEFAULT 0, UNIQUE (folder, uidvalidity, uid));"
	"CREATE TABLE folder (folder TEXT PRIMARY KEY, uidvalidity INTEGER NOT NULL,"
	" done_uid INTEGER NOT NULL, since_s INTEGER NOT NULL DEFAULT 0,"
	" changes INTEGER NOT NULL DEFAULT 0, began_s INTEGER NOT NULL DEFAULT 0,"
	" passed_uid INTEGER NOT NULL DEFAULT 0, passed_s INTEGER NOT NULL DEFAULT 0)"
	" WITHOUT ROWID;"
	"CREATE TABLE run (id INTEGER PRIMARY KEY CHECK (id = 1),"
	" time_s INTEGER NOT NULL, summary TEXT NOT NULL);"
	"CREATE TABLE quarantined (id TEXT PRIMARY KEY, folder TEXT NOT NULL,"
	" uidvalidity INTEGER NOT NULL, uid TEXT NOT NULL, time_s INTEGER NOT NULL,"
	" size INTEGER NOT NULL, why TEXT NOT NULL, subject TEXT NOT NULL,"
	" sender TEXT NOT NULL, hash BLOB NOT NULL, found BLOB NOT NULL DEFAULT x'')"
	" WITHOUT ROWID;"
	"CREATE TABLE fate (id TEXT PRIMARY KEY, fate INTEGER NOT NULL,"
	" fate_s INTEGER NOT NULL, name TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE unparked (folder TEXT NOT NULL, uidvalidity INTEGER NOT NULL,"
	" uid INTEGER NOT NULL, PRIMARY KEY (folder, uidvalidity, uid)) WITHOUT ROWID;"
	"INSERT INTO message VALUES (4, 'A', 7, '1', 3, 1, 'n', '', '', '', '', 20, 0, 9,"
	" 'lists', 8, 20, x'', 0);"
	"PRAGMA application_id = 0x6d666c74; PRAGMA user_version = 3;";

static void of_a_delivery_begun_by_an_older_version_no_folder_is_known(void **state)
{
	char(*targets)[MESSAGE_TARGET_MAX] = NULL;
	struct record_row row;
	size_t count = 1;

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	sql(third_form);
	for (int i = 0; i < 2; i++) {
		struct record *record = open_record(false);

		assert_int_equal(find(record, "A", 1, &row), 1);
		assert_int_equal(row.state, RECORD_INTENT);
		assert_int_equal(row.waits, WAITS_VISIT);
		assert_int_equal(row.since_s, 8);
		assert_false(row.target_known);
		assert_string_equal(row.target, "");
		assert_int_equal(record_targets(record, &targets, &count, NULL), 0);
		assert_int_equal(count, 0);
		free(take_ptr(&targets));
		record_close(record);
	}
	assert_int_equal(user_version(), 8);
}

static void a_database_of_a_newer_version_is_refused_and_untouched(void **state)
{
	struct record *record = open_record(false);
	char mark[64];
	int version;

	(void)state;
	put(record, "A", 1, RECORD_HELD);
	record_close(record);
	version = user_version();
	(void)snprintf(mark, sizeof(mark), "PRAGMA user_version = %d", version);
	sql("PRAGMA user_version = 1000");
	refused("newer mailfilter");
	sql("PRAGMA user_version = 0");
	refused("no form");
	sql(mark);
	record = open_record(false);
	assert_int_equal(held(record), 1);
	record_close(record);
}

static void a_database_of_another_program_is_refused(void **state)
{
	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	sql("CREATE TABLE theirs (x)");
	refused("not made by mailfilter");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_database_of_an_older_version_is_brought_up_to_date),
		TEST(of_a_delivery_begun_by_an_older_version_no_folder_is_known),
		TEST(a_database_of_a_newer_version_is_refused_and_untouched),
		TEST(a_database_of_another_program_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
