/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <linux/fs.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/scanner/quarantined.h"

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

/* Something found, and a quarantine that is to have it. */
struct attempt {
	struct quarantine quarantine;
	struct held held; /* once it was scanned: hold() */
	struct err err;
};

static struct attempt attempt_begin(void)
{
	struct attempt attempt = { .quarantine = open_quarantine() };

	put_file(path, BYTES);
	return attempt;
}

static void attempt_end(struct attempt *attempt)
{
	quarantine_close(&attempt->quarantine);
}

#define auto_attempt DEFER(attempt_end)

static void assert_refused(struct attempt *attempt)
{
	char id[QUARANTINE_ID_MAX];

	assert_int_equal(
		take_held(&attempt->quarantine, &attempt->held, id, &attempt->err), -1);
}

/* It is where it was, nothing is beside it, and this is said. */
static void assert_stays(const struct attempt *attempt, const char *says)
{
	assert_non_null(strstr(attempt->err.text, says));
	assert_true(has_file(path, BYTES));
	assert_int_equal(names_in(folder), 1);
	assert_untouched();
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
		auto_attempt struct attempt attempt = attempt_begin();
		struct stat before = { 0 }, after = { 0 };

		attempt.held = hold();
		between[i]();
		(void)lstat(path, &before);
		assert_refused(&attempt);
		assert_non_null(strstr(attempt.err.text, "changed or exchanged"));
		(void)lstat(path, &after);
		assert_int_equal(before.st_ino, after.st_ino);
		assert_untouched();
		assert_int_equal(file_remove_tree(folder, false, &attempt.err), 0);
	}
}

static void other_bytes_than_those_scanned_stay(void **state)
{
	auto_attempt struct attempt attempt = attempt_begin();

	(void)state;
	attempt.held = hold();
	attempt.held.hash.bytes[0] ^= 1;
	assert_refused(&attempt);
	assert_stays(&attempt, "");
}

static void where_nothing_may_be_removed_it_stays_and_what_to_do_is_said(void **state)
{
	auto_attempt struct attempt attempt = attempt_begin();

	(void)state;
	attempt.held = hold();
	if (geteuid() != 0) {
		assert_int_equal(chmod(folder, 0555), 0);
		assert_refused(&attempt);
		assert_int_equal(chmod(folder, 0755), 0);
	} else {
		assert_int_equal(chmod(base, 0755), 0);
		assert_int_equal(chown(quarantine_path, 65534, 65534), 0);
		assert_int_equal(seteuid(65534), 0);
		assert_refused(&attempt);
		assert_int_equal(seteuid(0), 0);
	}
	assert_stays(&attempt, "mailfilter-scanner-sweep-write.conf");
}

static void where_the_copy_has_no_room_it_stays(void **state)
{
	auto_attempt struct attempt attempt = attempt_begin();
	const struct rlimit small = { 8, RLIM_INFINITY };
	struct rlimit was;

	(void)state;
	attempt.held = hold();
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_refused(&attempt);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(attempt.err.kind, ERR_AGAIN);
	assert_stays(&attempt, quarantine_path);
}

static int set_immutable(int flags)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);

	return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

static void what_is_immutable_stays_and_that_is_said(void **state)
{
	auto_attempt struct attempt attempt = attempt_begin();

	(void)state;
	/* Root's right, and not of every file system. */
	if (set_immutable(FS_IMMUTABLE_FL) < 0)
		skip();
	attempt.held = hold();
	assert_refused(&attempt);
	assert_int_equal(set_immutable(0), 0);
	assert_stays(&attempt, "immutable");
}

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
