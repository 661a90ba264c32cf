/* SPDX-License-Identifier: ISC
 *
 * The record as a file: transactions, who may read it meanwhile, and what a crash, a full disk or
 * damage leaves of it. */
#include "tests/mailfilter/recorded.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void rollback_leaves_what_was_before(void **state)
{
	struct record *record = open_record(false);
	struct err err = { 0 };

	(void)state;
	put(record, "A", 1, RECORD_HELD);
	record_rollback(record);
	assert_int_equal(record_begin(record, &err), 0);
	put(record, "A", 2, RECORD_HELD);
	assert_int_equal(held(record), 2);
	record_rollback(record);
	assert_int_equal(held(record), 1);
	assert_int_equal(record_begin(record, &err), 0);
	put(record, "A", 3, RECORD_HELD);
	assert_int_equal(record_commit(record, &err), 0);
	assert_int_equal(held(record), 2);
	record_close(record);
}

static void close_rolls_back_and_accepts_null(void **state)
{
	struct record *record = open_record(false);
	struct err err = { 0 };

	(void)state;
	record_close(NULL);
	assert_int_equal(record_begin(record, &err), 0);
	put(record, "A", 1, RECORD_HELD);
	record_close(record);
	record = open_record(false);
	assert_int_equal(held(record), 0);
	record_close(record);
}

static void commit_without_begin_is_refused(void **state)
{
	struct record *record = open_record(false);
	struct err err = { 0 };

	(void)state;
	assert_int_equal(record_commit(record, &err), -1);
	assert_int_equal(record_begin(record, &err), 0);
	assert_int_equal(record_begin(record, &err), -1);
	/* The mistake dooms the transaction it was made in. */
	assert_int_equal(record_commit(record, &err), -1);
	assert_int_equal(record_begin(record, &err), 0);
	assert_int_equal(record_commit(record, &err), 0);
	record_close(record);
}

static void a_killed_writer_leaves_its_commits_and_no_more(void **state)
{
	struct record *record;
	struct err err = { 0 };
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		record = open_record(false);
		(void)record_begin(record, &err);
		put(record, "A", 1, RECORD_HELD);
		(void)record_commit(record, &err);
		(void)record_begin(record, &err);
		put(record, "A", 2, RECORD_HELD);
		(void)raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	record = open_record(true);
	assert_int_equal(held(record), 1);
	record_close(record);
	record = open_record(false);
	assert_int_equal(held(record), 1);
	put(record, "A", 3, RECORD_HELD);
	record_close(record);
}

static void a_reader_sees_what_is_committed_while_a_writer_works(void **state)
{
	struct record *writer = open_record(false), *reader;
	struct err err = { 0 };

	(void)state;
	put(writer, "A", 1, RECORD_HELD);
	assert_int_equal(record_begin(writer, &err), 0);
	put(writer, "A", 2, RECORD_HELD);
	reader = open_record(true);
	assert_int_equal(held(reader), 1);
	assert_int_equal(record_commit(writer, &err), 0);
	assert_int_equal(held(reader), 2);
	record_close(writer);
	assert_int_equal(held(reader), 2);
	record_close(reader);
	reader = open_record(true);
	assert_int_equal(held(reader), 2);
	record_close(reader);
}

static void a_reader_may_not_write(void **state)
{
	struct record_row row = a_row("A", 1, RECORD_HELD);
	struct record *record = open_record(false);
	struct err err = { 0 };

	(void)state;
	record_close(record);
	record = open_record(true);
	assert_int_equal(record_put(record, &row, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	record_close(record);
}

static void a_reader_of_nothing_sees_nothing_and_makes_nothing(void **state)
{
	struct record *record = open_record(true);
	struct stat st;

	(void)state;
	assert_int_equal(held(record), 0);
	record_close(record);
	assert_int_equal(stat(dir, &st), -1);
	/* A worker that was killed before its first table. */
	assert_int_equal(mkdir(dir, 0700), 0);
	(void)close(open(db, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	record = open_record(true);
	assert_int_equal(held(record), 0);
	record_close(record);
	record = open_record(false);
	put(record, "A", 1, RECORD_HELD);
	record_close(record);
}

static void nobody_else_may_read_whatever_the_umask(void **state)
{
	static const char *const files[] = { "state.db", "state.db-wal", "state.db-shm" };
	mode_t old = umask(0);
	struct record *record = open_record(false);
	struct stat st;

	(void)state;
	put(record, "A", 1, RECORD_HELD);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[128];

		(void)snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	record_close(record);
	(void)umask(old);
}

static void damage(off_t offset, size_t len)
{
	auto_close int fd = open(db, O_WRONLY | O_CLOEXEC);
	char junk[4096];

	memset(junk, 0x5a, sizeof(junk));
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, junk, len, offset), (ssize_t)len);
}

static void a_file_that_is_no_database_says_what_to_do(void **state)
{
	(void)state;
	record_close(open_record(false));
	damage(0, 100);
	refused("move it away");
}

static void reads_between_begin_and_end_see_what_stood_at_the_begin(void **state)
{
	const struct record_row old = a_row("A", 1, RECORD_HELD),
				new = a_row("A", 2, RECORD_HELD);
	struct record *record = open_record(false), *other = open_record(false);
	enum record_state found = 0;
	struct err err = { 0 };

	(void)state;
	put(record, "A", 1, RECORD_PARKED);
	assert_int_equal(record_begin_reading(record, &err), 0);
	assert_int_equal(record_find_state(record, &old.key, &found, &err), 1);
	assert_int_equal(found, RECORD_PARKED);
	put(other, "A", 2, RECORD_DONE);
	assert_int_equal(record_find_state(record, &new.key, &found, &err), 0);
	assert_int_equal(found, RECORD_PARKED);
	record_end_reading(record);
	assert_int_equal(record_find_state(record, &new.key, &found, &err), 1);
	assert_int_equal(found, RECORD_DONE);
	put(record, "A", 3, RECORD_HELD);
	record_close(other);
	record_close(record);
}

static void damaged_pages_are_an_error_and_not_an_unknown_message(void **state)
{
	struct record *record = open_record(false);
	struct record_row row;
	struct stat st;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(record_begin(record, &err), 0);
	for (unsigned i = 0; i < 2000; i++)
		put(record, "A", i, RECORD_HELD);
	assert_int_equal(record_commit(record, &err), 0);
	record_close(record);
	assert_int_equal(stat(db, &st), 0);
	for (off_t page = 4096; page < st.st_size; page += 4096)
		damage(page, 4096);
	record = open_record(false);
	row = a_row("A", 5, RECORD_HELD);
	assert_int_equal(record_find(record, &row.key, &row, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	assert_non_null(strstr(err.text, "move it away"));
	record_close(record);
}

static void put_many(struct record *record, unsigned count, struct err *err)
{
	for (unsigned i = 0; i < count; i++) {
		const struct record_row row = a_row("A", 1000 + i, RECORD_HELD);

		if (record_put(record, &row, err) < 0)
			return;
	}
}

static int on_a_full_disk(void)
{
	struct rlimit limit = { 0, RLIM_INFINITY };
	struct record *record = open_record(false);
	struct err err = { 0 };
	struct stat st;
	char wal[128];

	(void)signal(SIGXFSZ, SIG_IGN);
	for (unsigned i = 0; i < 10; i++)
		put(record, "A", i, RECORD_HELD);
	(void)snprintf(wal, sizeof(wal), "%s-wal", db);
	if (stat(wal, &st) < 0)
		return 1;
	limit.rlim_cur = (rlim_t)st.st_size + 20000;
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0 || record_begin(record, &err) < 0)
		return 2;
	put_many(record, 10000, &err);
	if (record_commit(record, &err) == 0 || err.kind != ERR_AGAIN)
		return 3;
	if (held(record) != 10)
		return 4;
	limit.rlim_cur = RLIM_INFINITY;
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0 || record_begin(record, &err) < 0)
		return 5;
	put_many(record, 100, &err);
	if (record_commit(record, &err) < 0 || held(record) != 110)
		return 6;
	record_close(record);
	return 0;
}

static void a_full_disk_is_again_and_nothing_is_half_written(void **state)
{
	struct record *record;
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(on_a_full_disk());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	record = open_record(true);
	assert_int_equal(held(record), 110);
	record_close(record);
}

static void a_folder_that_cannot_be_made_is_the_owners_to_mend(void **state)
{
	struct record *record = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(record_open("/proc/none", false, &record, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	(void)close(open(dir, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	assert_int_equal(record_open(dir, false, &record, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rollback_leaves_what_was_before),
		TEST(close_rolls_back_and_accepts_null),
		TEST(commit_without_begin_is_refused),
		TEST(a_killed_writer_leaves_its_commits_and_no_more),
		TEST(a_reader_sees_what_is_committed_while_a_writer_works),
		TEST(a_reader_may_not_write),
		TEST(a_reader_of_nothing_sees_nothing_and_makes_nothing),
		TEST(nobody_else_may_read_whatever_the_umask),
		TEST(a_file_that_is_no_database_says_what_to_do),
		TEST(reads_between_begin_and_end_see_what_stood_at_the_begin),
		TEST(damaged_pages_are_an_error_and_not_an_unknown_message),
		TEST(a_full_disk_is_again_and_nothing_is_half_written),
		TEST(a_folder_that_cannot_be_made_is_the_owners_to_mend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
