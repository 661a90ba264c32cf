/* SPDX-License-Identifier: ISC */
#include "tests/mailfilter/quarantine_folder.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/mime.h"

#include "tests/deny.h"

static void keep(const char *id, const char *text)
{
	struct message *message = a_message(id, text);
	struct err err = { 0 };

	if (quarantine_write(quarantine, message, &err) < 0)
		fail_msg("%s", err.text);
	message_free(message);
}

/* Is this what the original of id holds? */
static bool kept(const char *id, const char *text)
{
	struct err err = { 0 };
	auto_close int fd = -1;
	char bytes[200];
	ssize_t got;

	if (quarantine_original(dir, id, &fd, &err) < 0)
		return false;
	got = read(fd, bytes, sizeof(bytes));
	return got == (ssize_t)strlen(text) && memcmp(bytes, text, (size_t)got) == 0;
}

static unsigned files(void)
{
	char path[128];
	auto_closedir DIR *list = NULL;
	struct dirent *entry;
	unsigned count = 0;

	(void)snprintf(path, sizeof(path), "%s/quarantine", dir);
	list = opendir(path);
	assert_non_null(list);
	while ((entry = readdir(list)))
		if (entry->d_name[0] != '.')
			count++;
	return count;
}

static void ids_are_valid_sort_by_time_and_differ(void **state)
{
	char first[QUARANTINE_ID_MAX], second[QUARANTINE_ID_MAX];

	(void)state;
	quarantine_new_id(first);
	quarantine_new_id(second);
	assert_true(quarantine_is_id(first));
	assert_true(quarantine_is_id(second));
	assert_string_not_equal(first, second);
	/* "20260131T120000-": only the time in front, so a second later is a greater text. */
	assert_int_equal(strlen(first), 32);
	assert_int_equal(strspn(first, "0123456789"), 8);
	assert_int_equal(first[8], 'T');
	assert_int_equal(strspn(first + 9, "0123456789"), 6);
	assert_int_equal(first[15], '-');
}

static void only_letters_digits_and_dashes_make_an_id(void **state)
{
	static const char *const bad[] = { "", "-rf", "..", ".", "a/b", "../a", "a.eml",
		"a b", "a\n", "\xc3\xa9", "1234567890123456789012345678901234567890" };

	(void)state;
	assert_true(quarantine_is_id("20260131T120000-00ff"));
	assert_true(quarantine_is_id("a"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = { 0 };
		int fd = -1;

		assert_false(quarantine_is_id(bad[i]));
		assert_int_equal(quarantine_original(dir, bad[i], &fd, &err), -1);
		assert_int_equal(err.kind, ERR_MESSAGE);
	}
}

static void write_refuses_what_is_no_id(void **state)
{
	struct message *message = a_message("../evil", "x");
	struct err err = { 0 };

	(void)state;
	assert_int_equal(quarantine_write(quarantine, message, &err), -1);
	assert_int_equal(err.kind, ERR_MESSAGE);
	assert_int_equal(files(), 0);
	message_free(message);
}

static void originals_come_back_byte_for_byte_after_a_sync(void **state)
{
	struct err err = { 0 };
	struct stat st;
	char path[128];

	(void)state;
	keep("one", "From: a\r\n\r\nfirst\n");
	keep("two", "");
	assert_false(kept("one", "From: a\r\n\r\nfirst\n"));
	assert_int_equal(quarantine_sync(quarantine, &err), 0);
	assert_true(kept("one", "From: a\r\n\r\nfirst\n"));
	assert_true(kept("two", ""));
	assert_int_equal(files(), 2);
	(void)snprintf(path, sizeof(path), "%s/quarantine/one.eml", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	(void)snprintf(path, sizeof(path), "%s/quarantine", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(quarantine_sync(quarantine, &err), 0);
}

static void an_orphan_is_overwritten_by_the_next_try(void **state)
{
	struct err err = { 0 };

	(void)state;
	keep("one", "first try");
	assert_int_equal(quarantine_sync(quarantine, &err), 0);
	keep("one", "second try");
	keep("one", "third try");
	assert_int_equal(quarantine_sync(quarantine, &err), 0);
	assert_true(kept("one", "third try"));
	assert_int_equal(files(), 1);
}

static void discard_leaves_what_was_synced_and_no_more(void **state)
{
	struct err err = { 0 };

	(void)state;
	keep("one", "1");
	assert_int_equal(quarantine_sync(quarantine, &err), 0);
	keep("two", "2");
	quarantine_discard(quarantine);
	assert_int_equal(quarantine_sync(quarantine, &err), 0);
	assert_true(kept("one", "1"));
	assert_false(kept("two", "2"));
	assert_int_equal(files(), 1);
}

static void a_killed_process_leaves_no_half_file(void **state)
{
	struct err err = { 0 };
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		keep("one", "1");
		(void)quarantine_sync(quarantine, &err);
		keep("two", "2");
		(void)raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(files(), 2);
	quarantine_close(quarantine);
	assert_int_equal(quarantine_open(dir, &quarantine, &err), 0);
	assert_int_equal(files(), 1);
	assert_true(kept("one", "1"));
}

static int on_a_bad_disk(uint32_t call)
{
	struct err err = { 0 };

	if (!deny(call, 0, EIO))
		return 1;
	keep("one", "new");
	keep("two", "new");
	if (quarantine_sync(quarantine, &err) == 0 || err.kind != ERR_AGAIN)
		return 2;
	/* Nothing may be left for the next sync to take for good. */
	if (quarantine_sync(quarantine, &err) < 0)
		return 3;
	return kept("one", "new") || kept("one", "old") ? 0 : 4;
}

static void a_failed_sync_keeps_whole_what_was_there(void **state)
{
	static const uint32_t calls[] = { SYS_fdatasync, SYS_renameat, SYS_fsync };
	struct err err = { 0 };

	(void)state;
	keep("one", "old");
	assert_int_equal(quarantine_sync(quarantine, &err), 0);
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		pid_t child = fork();
		int status = -1;

		assert_true(child >= 0);
		if (child == 0)
			_exit(on_a_bad_disk(calls[i]));
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
}

static void links_in_place_of_the_folder_or_a_file_are_refused(void **state)
{
	struct err err = { 0 };
	char path[128], aside[128];
	struct quarantine *other = NULL;
	int fd = -1;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/quarantine/one.eml", dir);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(quarantine_original(dir, "one", &fd, &err), -1);
	(void)snprintf(path, sizeof(path), "%s/quarantine/two.eml", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(quarantine_original(dir, "two", &fd, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	/* What is planted under its name does not stop the original. */
	keep("one", "1");
	keep("two", "2");
	assert_int_equal(quarantine_sync(quarantine, &err), 0);
	assert_true(kept("one", "1"));
	assert_true(kept("two", "2"));
	(void)snprintf(path, sizeof(path), "%s/quarantine", dir);
	(void)snprintf(aside, sizeof(aside), "%s/aside", dir);
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(symlink(aside, path), 0);
	assert_int_equal(quarantine_open(dir, &other, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	assert_int_equal(quarantine_original(dir, "one", &fd, &err), -1);
	/* One that is open already goes on in the folder it opened. */
	keep("three", "3");
	assert_int_equal(quarantine_sync(quarantine, &err), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rename(aside, path), 0);
	assert_true(kept("three", "3"));
}

static void a_folder_that_everybody_may_write_to_is_refused(void **state)
{
	struct quarantine *other = NULL;
	struct err err = { 0 };
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/quarantine", dir);
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(quarantine_open(dir, &other, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	assert_non_null(strstr(err.text, "chmod 700"));
}

static void an_unknown_original_is_said_to_be_missing(void **state)
{
	struct err err = { 0 };
	int fd = -1;

	(void)state;
	assert_int_equal(quarantine_original(dir, "none", &fd, &err), -1);
	assert_int_equal(err.kind, ERR_MESSAGE);
	assert_int_equal(fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_valid_sort_by_time_and_differ),
		TEST(only_letters_digits_and_dashes_make_an_id),
		TEST(write_refuses_what_is_no_id),
		TEST(originals_come_back_byte_for_byte_after_a_sync),
		TEST(an_orphan_is_overwritten_by_the_next_try),
		TEST(discard_leaves_what_was_synced_and_no_more),
		TEST(a_killed_process_leaves_no_half_file),
		TEST(a_failed_sync_keeps_whole_what_was_there),
		TEST(links_in_place_of_the_folder_or_a_file_are_refused),
		TEST(a_folder_that_everybody_may_write_to_is_refused),
		TEST(an_unknown_original_is_said_to_be_missing),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
