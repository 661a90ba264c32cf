/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"

#include "scanner/signatures.h"

static char folder[64];
static char *items[] = { folder };
static const struct schema_list folders = { items, 1 };

static struct signatures_without none;

static int start(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/test-signatures-XXXXXX");
	assert_non_null(mkdtemp(folder));
	return 0;
}

static int stop(void **state)
{
	(void)state;
	return file_remove_tree(folder, true, NULL);
}

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_true(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static struct signatures take(void)
{
	struct signatures signatures = { 0 };
	struct err err;

	if (signatures_read(&folders, &none, &signatures, &err) < 0)
		fail_msg("%s", err.text);
	return signatures;
}

/* To open it for reading would wait for whoever writes to it. */
static void what_is_no_file_is_refused_and_not_waited_for(void **state)
{
	struct signatures signatures = { 0 };
	struct err err = { 0 };
	char path[128];

	(void)state;
	put("one.ndb", "Test:0:*:6162636465666768\n");
	(void)snprintf(path, sizeof(path), "%s/pipe.ndb", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	(void)alarm(10);
	assert_int_equal(signatures_read(&folders, &none, &signatures, &err), -1);
	(void)alarm(0);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_non_null(strstr(err.text, "pipe.ndb: not a file"));
}

static void official_sets_are_known_by_name(void **state)
{
	static const struct {
		const char *name;
		bool has_main, has_daily;
		const char *words; /* of what is unprotected by now */
	} cases[] = {
		{ "own.ndb", false, false, "official signatures (main and daily)" },
		{ "main.cvd.old.ndb", false, false, "official signatures" },
		{ "main.cld", true, false, "daily signatures are not loaded" },
		{ "daily.cvd", true, true, "" },
	};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		auto_signatures struct signatures signatures = { 0 };

		put(cases[i].name, "x");
		signatures = take();
		assert_int_equal(signatures.files, i + 1);
		assert_int_equal(signatures.has_main, cases[i].has_main);
		assert_int_equal(signatures.has_daily, cases[i].has_daily);
		if (cases[i].words[0])
			assert_non_null(strstr(
				signatures_unprotected(&signatures), cases[i].words));
		else
			assert_string_equal(signatures_unprotected(&signatures), "");
		assert_true(strlen(signatures_unprotected(&signatures)) < 256);
	}
}

static void the_digest_follows_names_and_contents_alone(void **state)
{
	auto_signatures struct signatures first = { 0 };
	auto_signatures struct signatures again = { 0 };
	auto_signatures struct signatures other = { 0 };
	auto_signatures struct signatures renamed = { 0 };
	char from[128], to[128];

	(void)state;
	put("b.ndb", "two");
	put("a.ndb", "one");
	put("ignored.txt", "x");
	first = take();
	assert_int_equal(file_remove_tree(folder, false, NULL), 0);
	put("a.ndb", "one");
	put("b.ndb", "two");
	again = take();
	assert_true(hash_equal(&first.digest, &again.digest));
	put("b.ndb", "twO");
	other = take();
	assert_false(hash_equal(&first.digest, &other.digest));
	(void)snprintf(from, sizeof(from), "%s/b.ndb", folder);
	(void)snprintf(to, sizeof(to), "%s/c.ndb", folder);
	assert_int_equal(rename(from, to), 0);
	renamed = take();
	assert_false(hash_equal(&renamed.digest, &other.digest));
}

static void a_changed_folder_is_not_the_same(void **state)
{
	auto_signatures struct signatures signatures = { 0 };
	bool same = false;

	(void)state;
	put("a.ndb", "one");
	signatures = take();
	assert_int_equal(signatures_same(&folders, &signatures, &same, NULL), 0);
	assert_true(same);
	put("ignored.txt", "x");
	assert_int_equal(signatures_same(&folders, &signatures, &same, NULL), 0);
	assert_true(same);
	put("b.ndb", "two");
	assert_int_equal(signatures_same(&folders, &signatures, &same, NULL), 0);
	assert_false(same);
}

static void an_empty_or_unreadable_folder_is_refused(void **state)
{
	struct signatures signatures = { 0 };
	struct err err = { 0 };
	char path[128];

	(void)state;
	assert_int_equal(signatures_read(&folders, &none, &signatures, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	(void)snprintf(path, sizeof(path), "%s/a.ndb", folder);
	assert_int_equal(symlink("/nowhere/at/all", path), 0);
	assert_int_equal(signatures_read(&folders, &none, &signatures, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(signatures_read(&folders, &none, &signatures, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_non_null(strstr(err.text, "a.ndb"));
}

static void a_folder_behind_the_first_that_cannot_be_read_is_left_out(void **state)
{
	auto_signatures struct signatures alone = { 0 };
	auto_signatures struct signatures both = { 0 };
	struct signatures_without without = { 0 };
	struct signatures dropped = { 0 };
	char second[128], link[160];
	char *two[] = { folder, second };
	struct schema_list list = { two, 2 };
	struct err err = { 0 };

	(void)state;
	put("a.ndb", "one");
	alone = take();
	(void)snprintf(second, sizeof(second), "%s/second", folder);
	(void)snprintf(link, sizeof(link), "%s/second/z.ndb", folder);
	assert_int_equal(mkdir(second, 0700), 0);
	put("second/main.cvd", "two");
	assert_int_equal(symlink("/nowhere/at/all", link), 0);
	if (signatures_read(&list, &without, &both, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(without.folders, 2);
	assert_non_null(strstr(without.why, second));
	assert_non_null(strstr(without.why, "z.ndb"));
	assert_true(hash_equal(&alone.digest, &both.digest));
	assert_int_equal(both.files, 1);
	assert_false(both.has_main);
	/* The same as the first is not forgiven. */
	two[0] = second;
	two[1] = folder;
	without = (struct signatures_without){ 0 };
	assert_int_equal(signatures_read(&list, &without, &dropped, &err), -1);
	assert_int_equal(without.folders, 0);
}

static void change_times(const char *name, const struct timespec *modified)
{
	const struct timespec times[2] = { *modified, *modified };
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void a_file_that_was_just_written_in_place_may_be_half(void **state)
{
	int64_t left;

	(void)state;
	put("own.ndb", "half");
	left = signatures_unsettled_ms(&folders, 60000);
	assert_true(left > 50000 && left <= 60000);
	(void)usleep(20000);
	assert_int_equal(signatures_unsettled_ms(&folders, 10), 0);
	put("no signatures", "half");
	assert_int_equal(signatures_unsettled_ms(&folders, 10), 0);
}

static void what_was_renamed_or_dated_after_its_last_byte_is_whole(void **state)
{
	char from[128], to[128];

	(void)state;
	put("own.new", "whole");
	(void)usleep(20000); /* the kernel's clock for files is coarse */
	(void)snprintf(from, sizeof(from), "%s/own.new", folder);
	(void)snprintf(to, sizeof(to), "%s/own.ndb", folder);
	assert_int_equal(rename(from, to), 0);
	assert_int_equal(signatures_unsettled_ms(&folders, 60000), 0);
	put("own.ndb", "written over");
	assert_true(signatures_unsettled_ms(&folders, 60000) > 0);
	change_times("own.ndb", &(struct timespec){ .tv_sec = 1000000000 });
	assert_int_equal(signatures_unsettled_ms(&folders, 60000), 0);
	/* A file of the future, too, and a folder that is not there. */
	change_times("own.ndb", &(struct timespec){ .tv_sec = 5000000000 });
	assert_int_equal(signatures_unsettled_ms(&folders, 60000), 0);
	assert_int_equal(file_remove_tree(folder, true, NULL), 0);
	assert_int_equal(signatures_unsettled_ms(&folders, 60000), 0);
	assert_int_equal(mkdir(folder, 0700), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			official_sets_are_known_by_name, start, stop),
		cmocka_unit_test_setup_teardown(
			what_is_no_file_is_refused_and_not_waited_for, start, stop),
		cmocka_unit_test_setup_teardown(
			the_digest_follows_names_and_contents_alone, start, stop),
		cmocka_unit_test_setup_teardown(
			a_changed_folder_is_not_the_same, start, stop),
		cmocka_unit_test_setup_teardown(
			an_empty_or_unreadable_folder_is_refused, start, stop),
		cmocka_unit_test_setup_teardown(
			a_folder_behind_the_first_that_cannot_be_read_is_left_out, start,
			stop),
		cmocka_unit_test_setup_teardown(
			a_file_that_was_just_written_in_place_may_be_half, start, stop),
		cmocka_unit_test_setup_teardown(
			what_was_renamed_or_dated_after_its_last_byte_is_whole, start,
			stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
