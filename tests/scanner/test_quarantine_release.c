/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <unistd.h>

#include "scanner/quarantine_release.h"
#include "tests/scanner/killed.h"
#include "tests/scanner/quarantined.h"

enum {
	THEN = 1000000000
};

static char id[QUARANTINE_ID_MAX];

/* A file of then, moved. */
static struct quarantine with_one(void)
{
	const struct timespec times[] = { { THEN, 1 }, { THEN, 2 } };
	struct quarantine quarantine = open_quarantine();

	put_file(path, BYTES);
	assert_int_equal(chmod(path, 04751), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(path, 1234, 77), 0);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	take_one(&quarantine, id);
	return quarantine;
}

static int release(const char *to, struct err *err)
{
	auto_quarantine struct quarantine quarantine = open_quarantine();
	struct quarantine_item item;

	return quarantine_release(&quarantine, id, to, &item, err);
}

static enum quarantine_state state_of(const struct quarantine *quarantine)
{
	struct quarantine_item item = { 0 };

	assert_int_equal(quarantine_read(quarantine, id, &item, NULL), 0);
	return item.state;
}

static bool has_data(const struct quarantine *quarantine)
{
	auto_close int fd = -1;

	return quarantine_data(quarantine, id, &fd, NULL) == 0;
}

static void a_file_goes_back_as_it_was(void **state)
{
	auto_quarantine struct quarantine quarantine = with_one();
	struct quarantine_item item;
	struct stat stat_of;
	struct err err = { 0 };

	(void)state;
	if (quarantine_release(&quarantine, id, NULL, &item, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(has_file(path, BYTES));
	assert_int_equal(names_in(folder), 1);
	assert_int_equal(stat(path, &stat_of), 0);
	/* But for what lets it be run as its owner. */
	assert_int_equal(stat_of.st_mode, S_IFREG | 0751);
	assert_int_equal(stat_of.st_mtim.tv_sec, THEN);
	assert_int_equal(stat_of.st_mtim.tv_nsec, 2);
	if (geteuid() == 0) {
		assert_int_equal(stat_of.st_uid, 1234);
		assert_int_equal(stat_of.st_gid, 77);
	}
	assert_int_equal(state_of(&quarantine), QUARANTINE_RELEASED);
	assert_false(has_data(&quarantine));
	assert_true(quarantine_released(
		&quarantine, &item.hash, (char[QUARANTINE_ID_MAX]){ 0 }));
	assert_int_equal(quarantine_release(&quarantine, id, NULL, &item, &err), 1);
}

static void what_is_there_is_never_written_over(void **state)
{
	auto_quarantine struct quarantine quarantine = with_one();
	struct quarantine_item item;
	struct err err = { 0 };

	(void)state;
	put_file(path, "another");
	assert_int_equal(quarantine_release(&quarantine, id, NULL, &item, &err), -1);
	assert_non_null(strstr(err.text, "--to"));
	assert_true(has_file(path, "another"));
	assert_int_equal(names_in(folder), 1);
	assert_int_equal(state_of(&quarantine), QUARANTINE_KEPT);
	/* Not through a link that stands there, either. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("nowhere", path), 0);
	assert_int_equal(quarantine_release(&quarantine, id, NULL, &item, &err), -1);
	assert_int_equal(names_in(folder), 1);
	assert_true(has_data(&quarantine));
}

static void no_link_is_followed_to_its_folder(void **state)
{
	auto_quarantine struct quarantine quarantine = with_one();
	struct quarantine_item item;
	char elsewhere[80];
	struct err err = { 0 };

	(void)state;
	(void)snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", base);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(mkdir(elsewhere, 0755), 0);
	assert_int_equal(symlink(elsewhere, folder), 0);
	assert_int_equal(quarantine_release(&quarantine, id, NULL, &item, &err), -1);
	assert_non_null(strstr(err.text, "a link"));
	assert_int_equal(names_in(elsewhere), 0);
	assert_int_equal(unlink(folder), 0);
	/* Nor is a folder made. */
	assert_int_equal(quarantine_release(&quarantine, id, NULL, &item, &err), -1);
	assert_int_equal(access(folder, F_OK), -1);
	assert_int_equal(state_of(&quarantine), QUARANTINE_KEPT);
	(void)snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere/it", base);
	assert_int_equal(quarantine_release(&quarantine, id, elsewhere, &item, &err), 0);
	assert_true(has_file(elsewhere, BYTES));
}

static void a_path_that_is_none_is_refused(void **state)
{
	static const char *const none[] = { "it", "", "/", "/tmp/", "/tmp/..", "/tmp/." };
	auto_quarantine struct quarantine quarantine = with_one();
	struct quarantine_item item;
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_int_equal(
			quarantine_release(&quarantine, id, none[i], &item, &err), -1);
	assert_int_equal(state_of(&quarantine), QUARANTINE_KEPT);
}

static void bytes_that_changed_in_quarantine_do_not_come_out(void **state)
{
	auto_quarantine struct quarantine quarantine = with_one();
	struct quarantine_item item;
	char name[128];
	struct err err = { 0 };

	(void)state;
	(void)snprintf(name, sizeof(name), "%s/%s.file", quarantine_path, id);
	put_file(name, "the bytes of a FIND");
	assert_int_equal(quarantine_release(&quarantine, id, NULL, &item, &err), -1);
	assert_non_null(strstr(err.text, "not those that were moved"));
	assert_int_equal(names_in(folder), 0);
}

static void delete_leaves_nothing(void **state)
{
	auto_quarantine struct quarantine quarantine = with_one();
	struct quarantine_item item;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(quarantine_delete(&quarantine, id, &item, &err), 0);
	assert_string_equal(item.path, path);
	assert_int_equal(names_in(quarantine_path), 1);
	assert_int_equal(quarantine_delete(&quarantine, id, &item, &err), -1);
	assert_int_equal(err.kind, ERR_MESSAGE);
}

static void delete_of_one_released_lets_it_be_moved_again(void **state)
{
	auto_quarantine struct quarantine quarantine = with_one();
	struct quarantine_item item;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(quarantine_release(&quarantine, id, NULL, &item, &err), 0);
	assert_int_equal(quarantine_delete(&quarantine, id, &item, &err), 0);
	assert_true(has_file(path, BYTES));
	assert_false(quarantine_released(
		&quarantine, &item.hash, (char[QUARANTINE_ID_MAX]){ 0 }));
}

/* A move that was cut off before the original was gone. */
static void one_that_was_never_moved_is_said_and_forgotten(void **state)
{
	auto_quarantine struct quarantine quarantine = with_one();
	struct quarantine_item item = { 0 };
	struct stat stat_of;
	struct err err = { 0 };

	(void)state;
	put_file(path, BYTES);
	assert_int_equal(stat(path, &stat_of), 0);
	assert_int_equal(quarantine_read(&quarantine, id, &item, &err), 0);
	item.state = QUARANTINE_TAKING;
	item.inode = stat_of.st_ino;
	item.modified_s = (uint64_t)stat_of.st_mtim.tv_sec;
	item.modified_ns = (uint64_t)stat_of.st_mtim.tv_nsec;
	assert_int_equal(quarantine_write(&quarantine, &item, &err), 0);
	assert_int_equal(quarantine_release(&quarantine, id, NULL, &item, &err), -1);
	assert_non_null(strstr(err.text, "never moved"));
	assert_true(has_file(path, BYTES));
	assert_int_equal(names_in(quarantine_path), 1);
}

/* Whoever owns the folder may put there what has no end. */
static void what_stands_there_by_then_is_not_read_without_end(void **state)
{
	auto_quarantine struct quarantine quarantine = with_one();
	struct quarantine_item item = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(quarantine_read(&quarantine, id, &item, &err), 0);
	item.state = QUARANTINE_RELEASING;
	assert_int_equal(quarantine_write(&quarantine, &item, &err), 0);
	quarantine_close(&quarantine);
	put_file(path, "");
	assert_int_equal(truncate(path, (off_t)1 << 40), 0);
	(void)alarm(20);
	assert_int_equal(release(NULL, &err), -1);
	(void)alarm(0);
	assert_non_null(strstr(err.text, "is there already"));
}

static void release_it(void)
{
	struct err err = { 0 };

	(void)release(NULL, &err);
}

static void killed_at_any_step_a_second_release_ends_it(void **state)
{
	bool killed;
	unsigned n = 0;
	struct err err = { 0 };

	(void)state;
	do {
		auto_quarantine struct quarantine quarantine = with_one();

		quarantine_close(&quarantine);
		killed = killed_before(n++, release_it);
		if (release(NULL, &err) < 0)
			fail_msg("before call %u: %s", n - 1, err.text);
		assert_true(has_file(path, BYTES));
		assert_int_equal(names_in(folder), 1);
		/* The lock, and what is known of it. */
		assert_int_equal(names_in(quarantine_path), 2);
		assert_int_equal(file_remove_tree(quarantine_path, true, &err), 0);
		assert_int_equal(unlink(path), 0);
	} while (killed);
	assert_in_range(n, 20, 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_goes_back_as_it_was),
		TEST(what_is_there_is_never_written_over),
		TEST(no_link_is_followed_to_its_folder),
		TEST(a_path_that_is_none_is_refused),
		TEST(bytes_that_changed_in_quarantine_do_not_come_out),
		TEST(delete_leaves_nothing),
		TEST(what_stands_there_by_then_is_not_read_without_end),
		TEST(delete_of_one_released_lets_it_be_moved_again),
		TEST(one_that_was_never_moved_is_said_and_forgotten),
		TEST(killed_at_any_step_a_second_release_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
