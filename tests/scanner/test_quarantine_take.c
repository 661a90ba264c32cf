/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/scanner/killed.h"
#include "tests/scanner/quarantined.h"

static int start(void **state)
{
	(void)state;
	return prepare(NULL);
}

/* On another file system than the quarantine. */
static int start_elsewhere(void **state)
{
	static char below[40];

	(void)state;
	(void)snprintf(below, sizeof(below), "/dev/shm/test_quarantine.XXXXXX");
	if (!mkdtemp(below))
		return -1;
	return prepare(below);
}

static int end_elsewhere(void **state)
{
	int failed = clean_up(state);

	*strrchr(folder, '/') = '\0';
	return failed | rmdir(folder);
}

/* Nothing came of it: the quarantine is as it was, with its lock alone. */
static void assert_untouched(void)
{
	assert_int_equal(names_in(quarantine_path), 1);
}

static void check_taken(const struct quarantine *quarantine, const char *id)
{
	struct quarantine_item item = { 0 };
	auto_close int fd = -1;
	char bytes[64] = "";
	struct err err = { 0 };

	assert_int_equal(names_in(folder), 0);
	if (quarantine_read(quarantine, id, &item, &err) < 0 ||
		quarantine_data(quarantine, id, &fd, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(read(fd, bytes, sizeof(bytes)), strlen(BYTES));
	assert_string_equal(bytes, BYTES);
	assert_int_equal(item.state, QUARANTINE_KEPT);
	assert_string_equal(item.path, path);
	assert_string_equal(item.signature, "Test.Find");
	assert_string_equal(item.where, "in it");
	assert_int_equal(item.size, strlen(BYTES));
	assert_int_equal(item.mode, 0640);
	assert_int_equal(item.uid, geteuid());
	assert_true(hash_equal(&item.signatures, &set));
}

static void a_find_is_moved(void **state)
{
	auto_quarantine struct quarantine quarantine = open_quarantine();
	char id[QUARANTINE_ID_MAX];

	(void)state;
	put_file(path, BYTES);
	take_one(&quarantine, id);
	check_taken(&quarantine, id);
}

static void a_file_with_other_names_loses_this_one(void **state)
{
	auto_quarantine struct quarantine quarantine = open_quarantine();
	struct quarantine_item item = { 0 };
	char id[QUARANTINE_ID_MAX], other[80];

	(void)state;
	(void)snprintf(other, sizeof(other), "%s/other", base);
	put_file(path, BYTES);
	assert_int_equal(link(path, other), 0);
	take_one(&quarantine, id);
	check_taken(&quarantine, id);
	assert_true(has_file(other, BYTES));
	assert_int_equal(quarantine_read(&quarantine, id, &item, NULL), 0);
	assert_int_equal(item.links, 2);
	/* And who writes to it changes nothing here. */
	put_file(other, "other");
	check_taken(&quarantine, id);
}

/* What may happen between scan and move. */
static void link_instead(void)
{
	char moved[80];

	(void)snprintf(moved, sizeof(moved), "%s/moved", base);
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(symlink(moved, path), 0);
}

static void other_instead(void)
{
	assert_int_equal(unlink(path), 0);
	put_file(path, BYTES);
}

static void folder_instead(void)
{
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void written_to(void)
{
	auto_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_int_equal(write(fd, "T", 1), 1);
}

static void mode_changed(void)
{
	assert_int_equal(chmod(path, 0600), 0);
}

static void gone(void)
{
	assert_int_equal(unlink(path), 0);
}

static void (*const between[])(void) = { link_instead, other_instead, folder_instead,
	written_to, mode_changed, gone };

static void what_is_not_as_it_was_scanned_stays(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(between) / sizeof(*between); i++) {
		auto_quarantine struct quarantine quarantine = open_quarantine();
		struct stat before = { 0 }, after = { 0 };
		char id[QUARANTINE_ID_MAX];
		struct err err = { 0 };
		struct held held;

		put_file(path, BYTES);
		held = hold();
		between[i]();
		(void)lstat(path, &before);
		assert_int_equal(take_held(&quarantine, &held, id, &err), -1);
		assert_non_null(strstr(err.text, "changed or exchanged"));
		(void)lstat(path, &after);
		assert_int_equal(before.st_ino, after.st_ino);
		assert_untouched();
		assert_int_equal(file_remove_tree(folder, false, &err), 0);
	}
}

static void other_bytes_than_those_scanned_stay(void **state)
{
	auto_quarantine struct quarantine quarantine = open_quarantine();
	char id[QUARANTINE_ID_MAX];
	struct err err = { 0 };
	struct held held;

	(void)state;
	put_file(path, BYTES);
	held = hold();
	held.hash.bytes[0] ^= 1;
	assert_int_equal(take_held(&quarantine, &held, id, &err), -1);
	assert_true(has_file(path, BYTES));
	assert_untouched();
}

static void where_nothing_may_be_removed_it_stays_and_what_to_do_is_said(void **state)
{
	auto_quarantine struct quarantine quarantine = open_quarantine();
	char id[QUARANTINE_ID_MAX];
	struct err err = { 0 };
	struct held held;

	(void)state;
	put_file(path, BYTES);
	held = hold();
	if (geteuid() != 0) {
		assert_int_equal(chmod(folder, 0555), 0);
		assert_int_equal(take_held(&quarantine, &held, id, &err), -1);
		assert_int_equal(chmod(folder, 0755), 0);
	} else {
		assert_int_equal(chmod(base, 0755), 0);
		assert_int_equal(chown(quarantine_path, 65534, 65534), 0);
		assert_int_equal(seteuid(65534), 0);
		assert_int_equal(take_held(&quarantine, &held, id, &err), -1);
		assert_int_equal(seteuid(0), 0);
	}
	assert_non_null(strstr(err.text, "mailfilter-scanner-sweep-write.conf"));
	assert_true(has_file(path, BYTES));
	assert_untouched();
}

static void where_the_copy_has_no_room_it_stays(void **state)
{
	auto_quarantine struct quarantine quarantine = open_quarantine();
	const struct rlimit small = { 8, RLIM_INFINITY };
	struct rlimit was;
	char id[QUARANTINE_ID_MAX];
	struct err err = { 0 };
	struct held held;

	(void)state;
	put_file(path, BYTES);
	held = hold();
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(take_held(&quarantine, &held, id, &err), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_non_null(strstr(err.text, quarantine_path));
	assert_true(has_file(path, BYTES));
	assert_untouched();
}

static int set_immutable(int flags)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);

	return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

static void what_is_immutable_stays_and_that_is_said(void **state)
{
	auto_quarantine struct quarantine quarantine = open_quarantine();
	char id[QUARANTINE_ID_MAX];
	struct err err = { 0 };
	struct held held;

	(void)state;
	put_file(path, BYTES);
	/* Root's right, and not of every file system. */
	if (set_immutable(FS_IMMUTABLE_FL) < 0)
		skip();
	held = hold();
	assert_int_equal(take_held(&quarantine, &held, id, &err), -1);
	assert_int_equal(set_immutable(0), 0);
	assert_non_null(strstr(err.text, "immutable"));
	assert_true(has_file(path, BYTES));
	assert_int_equal(names_in(folder), 1);
	assert_untouched();
}

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, clean_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_find_is_moved),
		cmocka_unit_test_setup_teardown(
			a_find_is_moved, start_elsewhere, end_elsewhere),
		TEST(a_file_with_other_names_loses_this_one),
		TEST(what_is_not_as_it_was_scanned_stays),
		TEST(other_bytes_than_those_scanned_stay),
		TEST(where_nothing_may_be_removed_it_stays_and_what_to_do_is_said),
		TEST(where_the_copy_has_no_room_it_stays),
		TEST(what_is_immutable_stays_and_that_is_said),
		TEST(what_is_gone_although_it_could_not_be_removed_is_kept),
		TEST(what_was_set_aside_and_has_no_copy_gets_its_name_back),
		TEST(killed_at_any_step_it_is_where_it_was_or_kept),
		TEST(mending_killed_at_any_step_is_done_by_the_next),
		TEST(what_came_instead_gets_its_name_back),
		TEST(what_cannot_be_looked_at_is_left_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
