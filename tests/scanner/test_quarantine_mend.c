/* SPDX-License-Identifier: ISC
 *
 * What was cut off while it was taken is ended, or taken back. */
#include "tests/test.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/scanner/killed.h"
#include "tests/scanner/quarantined.h"

/* As a file server whose answer was lost and that was asked once more: what was set aside is gone, and it
 * says that it never was. */
static bool server_lies;

int unlinkat(int dir, const char *name, int flags)
{
	const long result = syscall(SYS_unlinkat, dir, name, flags);

	if (result < 0 || !server_lies || strncmp(name, ".mailfilter-", 12) != 0)
		return (int)result;
	errno = ENOENT;
	return -1;
}

static void what_is_gone_although_it_could_not_be_removed_is_kept(void **state)
{
	auto_quarantine struct quarantine quarantine = open_quarantine();
	char id[QUARANTINE_ID_MAX];
	struct quarantine_item item = { 0 };
	auto_quarantine_ids struct quarantine_ids ids = { 0 };
	struct err err = { 0 };
	struct held held;
	size_t left = 1;

	(void)state;
	put_file(path, BYTES);
	held = hold();
	server_lies = true;
	(void)take_held(&quarantine, &held, id, &err);
	server_lies = false;
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(quarantine_mend_all(&quarantine, &left, &err), 0);
	assert_int_equal(quarantine_ids(&quarantine, &ids, &err), 0);
	assert_int_equal(ids.count, 1);
	assert_int_equal(quarantine_read(&quarantine, ids.ids[0], &item, &err), 0);
	assert_int_equal(item.state, QUARANTINE_KEPT);
	assert_int_equal(names_in(quarantine_path), 3);
}

/* A move that failed was cut off while its copy was removed. */
static void what_was_set_aside_and_has_no_copy_gets_its_name_back(void **state)
{
	auto_quarantine struct quarantine quarantine = open_quarantine();
	char id[QUARANTINE_ID_MAX], aside[160];
	struct quarantine_item item = { 0 };
	struct stat stat_of;
	struct err err = { 0 };
	size_t left = 1;

	(void)state;
	put_file(path, BYTES);
	take_one(&quarantine, id);
	assert_int_equal(quarantine_read(&quarantine, id, &item, &err), 0);
	assert_int_equal(quarantine_remove_data(&quarantine, id, &err), 0);
	(void)snprintf(aside, sizeof(aside), "%s/.mailfilter-quarantine-%s", folder, id);
	put_file(aside, BYTES);
	assert_int_equal(stat(aside, &stat_of), 0);
	item.state = QUARANTINE_TAKING;
	item.inode = stat_of.st_ino;
	item.modified_s = (uint64_t)stat_of.st_mtim.tv_sec;
	item.modified_ns = (uint64_t)stat_of.st_mtim.tv_nsec;
	assert_int_equal(quarantine_write(&quarantine, &item, &err), 0);
	assert_int_equal(quarantine_mend_all(&quarantine, &left, &err), 0);
	assert_int_equal(left, 0);
	assert_true(has_file(path, BYTES));
	assert_int_equal(names_in(folder), 1);
	assert_untouched();
}

/* In the process that is killed, and without. */
static void take_it(void)
{
	auto_quarantine struct quarantine quarantine = open_quarantine();

	take_one(&quarantine, (char[QUARANTINE_ID_MAX]){ 0 });
}

static void mend(void)
{
	auto_quarantine struct quarantine quarantine = open_quarantine();
	struct err err = { 0 };
	size_t left = 1;

	if (quarantine_mend_all(&quarantine, &left, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(left, 0);
}

/* The file is where it was, or it is kept; never neither, never what is half. */
static bool is_kept(void)
{
	auto_quarantine struct quarantine quarantine = open_quarantine();
	auto_quarantine_ids struct quarantine_ids ids = { 0 };
	struct err err = { 0 };

	assert_int_equal(quarantine_ids(&quarantine, &ids, &err), 0);
	if (ids.count == 0) {
		assert_true(has_file(path, BYTES));
		assert_int_equal(names_in(folder), 1);
		assert_untouched();
		return false;
	}
	assert_int_equal(ids.count, 1);
	/* The lock, its bytes and what is known of it. */
	assert_int_equal(names_in(quarantine_path), 3);
	check_taken(&quarantine, ids.ids[0]);
	return true;
}

static void killed_at_any_step_it_is_where_it_was_or_kept(void **state)
{
	unsigned n = 0, kept = 0;
	bool killed;
	struct err err = { 0 };

	(void)state;
	do {
		put_file(path, BYTES);
		killed = killed_before(n++, take_it);
		/* And once more: what was mended stays. */
		mend();
		kept += is_kept();
		mend();
		(void)is_kept();
		assert_int_equal(file_remove_tree(quarantine_path, true, &err), 0);
		assert_int_equal(file_remove_tree(folder, false, &err), 0);
	} while (killed);
	assert_in_range(kept, 2, n - 20);
}

static void mending_killed_at_any_step_is_done_by_the_next(void **state)
{
	unsigned calls = 0, n;
	struct err err = { 0 };

	(void)state;
	put_file(path, BYTES);
	while (killed_before(calls, take_it)) {
		bool killed;

		n = 0;
		do {
			killed = killed_before(n, mend);
			n += 5;
		} while (killed);
		mend();
		(void)is_kept();
		assert_int_equal(file_remove_tree(quarantine_path, true, &err), 0);
		assert_int_equal(file_remove_tree(folder, false, &err), 0);
		put_file(path, BYTES);
		calls += 3;
	}
}

/* As a kill leaves it between these steps. */
static void cut_off(struct quarantine_item *item, const struct quarantine *quarantine)
{
	struct err err = { 0 };

	if (quarantine_read(quarantine, item->id, item, &err) < 0)
		fail_msg("%s", err.text);
	item->state = QUARANTINE_TAKING;
	assert_int_equal(quarantine_write(quarantine, item, &err), 0);
}

static void what_came_instead_gets_its_name_back(void **state)
{
	auto_quarantine struct quarantine quarantine = open_quarantine();
	struct quarantine_item item = { 0 };
	char aside[128];
	struct err err = { 0 };
	bool none;

	(void)state;
	put_file(path, BYTES);
	take_one(&quarantine, item.id);
	cut_off(&item, &quarantine);
	(void)snprintf(
		aside, sizeof(aside), "%s/.mailfilter-quarantine-%s", folder, item.id);
	put_file(aside, "what somebody put there");
	assert_int_equal(quarantine_mend(&quarantine, &item, &none, &err), 0);
	assert_true(none);
	assert_true(has_file(path, "what somebody put there"));
	assert_untouched();
}

static void what_cannot_be_looked_at_is_left_as_it_is(void **state)
{
	auto_quarantine struct quarantine quarantine = open_quarantine();
	struct quarantine_item item = { 0 };
	char moved[80];
	struct err err = { 0 };
	size_t left = 0;
	bool none;

	(void)state;
	put_file(path, BYTES);
	take_one(&quarantine, item.id);
	cut_off(&item, &quarantine);
	/* A link in the way is not followed. */
	(void)snprintf(moved, sizeof(moved), "%s/moved", base);
	assert_int_equal(rename(folder, moved), 0);
	assert_int_equal(symlink(moved, folder), 0);
	assert_int_equal(quarantine_mend(&quarantine, &item, &none, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_int_equal(quarantine_mend_all(&quarantine, &left, &err), 0);
	assert_int_equal(left, 1);
	assert_int_equal(unlink(folder), 0);
	assert_int_equal(rename(moved, folder), 0);
	assert_int_equal(quarantine_mend(&quarantine, &item, &none, &err), 0);
	check_taken(&quarantine, item.id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_gone_although_it_could_not_be_removed_is_kept),
		TEST(what_was_set_aside_and_has_no_copy_gets_its_name_back),
		TEST(killed_at_any_step_it_is_where_it_was_or_kept),
		TEST(mending_killed_at_any_step_is_done_by_the_next),
		TEST(what_came_instead_gets_its_name_back),
		TEST(what_cannot_be_looked_at_is_left_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
