/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"

#include "mailfilter/maildir.h"

#define OWNER "0123abcd"

static char top[64], box[80], path[640];
static struct maildir maildir;

static const char *in(const char *name)
{
	(void)snprintf(path, sizeof(path), "%s/%s", box, name);
	return path;
}

static void touch(const char *name)
{
	int fd = open(in(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	(void)close(fd);
}

static bool there(const char *name)
{
	struct stat st;

	return lstat(in(name), &st) == 0;
}

static int setup(void **state)
{
	(void)state;
	(void)strcpy(top, "/tmp/test_maildir.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	(void)snprintf(box, sizeof(box), "%s/box", top);
	return 0;
}

static int setup_open(void **state)
{
	struct err err = { 0 };

	return setup(state) < 0 ? -1 : maildir_open(box, OWNER, &maildir, &err);
}

static int teardown(void **state)
{
	struct err err = { 0 };

	(void)state;
	return file_remove_tree(top, true, &err);
}

static int teardown_open(void **state)
{
	maildir_close(&maildir);
	return teardown(state);
}

static void open_makes_what_is_missing_for_its_owner_alone(void **state)
{
	static const char *const folders[] = { ".", "tmp", "new", "cur" };
	mode_t old = umask(0);
	struct err err = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(maildir_open(box, OWNER, &maildir, &err), 0);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		assert_int_equal(stat(in(folders[i]), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0700);
	}
	maildir_close(&maildir);
	assert_int_equal(rmdir(in("cur")), 0);
	assert_int_equal(maildir_open(box, OWNER, &maildir, &err), 0);
	assert_true(there("cur"));
	maildir_close(&maildir);
	(void)umask(old);
}

static void refused(const char *word)
{
	struct err err = { 0 };

	assert_int_equal(maildir_open(box, OWNER, &maildir, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	assert_non_null(strstr(err.text, box));
	if (!strstr(err.text, word))
		fail_msg("\"%s\" not in: %s", word, err.text);
}

static void a_folder_that_is_something_else_is_refused(void **state)
{
	(void)state;
	assert_int_equal(mkdir(box, 0700), 0);
	touch("thesis.txt");
	refused("not a Maildir");
	assert_false(there("new"));
}

static void a_file_is_refused(void **state)
{
	int fd = open(box, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	(void)close(fd);
	refused("not a folder");
}

static void links_and_files_in_place_of_the_folders_are_refused(void **state)
{
	static const char *const folders[] = { "tmp", "new", "cur" };

	(void)state;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		assert_true(mkdir(box, 0700) == 0 || i > 0);
		(void)rmdir(in(folders[i]));
		assert_int_equal(symlink(top, in(folders[i])), 0);
		refused(folders[i]);
		assert_int_equal(unlink(in(folders[i])), 0);
		touch(folders[i]);
		refused(folders[i]);
		assert_int_equal(unlink(in(folders[i])), 0);
		assert_int_equal(mkdir(in(folders[i]), 0700), 0);
	}
}

static void folders_open_to_everybody_are_refused(void **state)
{
	(void)state;
	assert_int_equal(mkdir(box, 0700), 0);
	assert_int_equal(mkdir(in("tmp"), 0700), 0);
	assert_int_equal(chmod(in("tmp"), 01777), 0);
	refused("chmod o-w");
}

static void the_path_itself_may_be_a_link(void **state)
{
	char real[80];
	struct err err = { 0 };

	(void)state;
	(void)snprintf(real, sizeof(real), "%s/real", top);
	assert_int_equal(mkdir(real, 0700), 0);
	assert_int_equal(symlink(real, box), 0);
	assert_int_equal(maildir_open(box, OWNER, &maildir, &err), 0);
	assert_true(there("new"));
	maildir_close(&maildir);
}

static void new_names_are_valid_and_differ(void **state)
{
	char first[MESSAGE_NAME_MAX], second[MESSAGE_NAME_MAX];

	(void)state;
	maildir_new_name(OWNER, first);
	maildir_new_name(OWNER, second);
	assert_true(maildir_is_name(first));
	assert_true(maildir_is_name(second));
	assert_string_not_equal(first, second);
	assert_true(strspn(first, "0123456789") >= 10);
}

static void names_that_leave_the_folder_or_carry_flags_are_no_names(void **state)
{
	static const char *const bad[] = { "", ".", "..", ".hidden", "../x", "a/b", "/a",
		"a:2,S", "a b", "a\n", "a\x7f", "\xc3\xa9" };
	char longest[MESSAGE_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(maildir_is_name(bad[i]));
	memset(longest, 'x', sizeof(longest));
	longest[MESSAGE_NAME_MAX] = '\0';
	assert_false(maildir_is_name(longest));
	longest[MESSAGE_NAME_MAX - 1] = '\0';
	assert_true(maildir_is_name(longest));
}

static void holds_finds_a_name_with_flags_or_without(void **state)
{
	static const struct {
		const char *file;
		int held;
	} cases[] = {
		{ "new/1.M2P3R4.h", 1 },
		{ "new/1.M2P3R4.h:2,", 1 },
		{ "cur/1.M2P3R4.h", 1 },
		{ "cur/1.M2P3R4.h:2,FS", 1 },
		{ "cur/1.M2P3R4.host:2,S", 0 },
		{ "new/1.M2P3R4", 0 },
		{ "tmp/1.M2P3R4.h", 0 },
		{ "cur/x1.M2P3R4.h:2,", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = { 0 };

		touch(cases[i].file);
		/* Twice: each look starts at the folder's beginning. */
		for (int k = 0; k < 2; k++)
			assert_int_equal(maildir_holds(&maildir, "1.M2P3R4.h", &err),
				cases[i].held);
		assert_int_equal(unlink(in(cases[i].file)), 0);
	}
}

#define TEST(name)      cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_OPEN(name) cmocka_unit_test_setup_teardown(name, setup_open, teardown_open)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(open_makes_what_is_missing_for_its_owner_alone),
		TEST(a_folder_that_is_something_else_is_refused),
		TEST(a_file_is_refused),
		TEST(links_and_files_in_place_of_the_folders_are_refused),
		TEST(folders_open_to_everybody_are_refused),
		TEST(the_path_itself_may_be_a_link),
		cmocka_unit_test(new_names_are_valid_and_differ),
		cmocka_unit_test(names_that_leave_the_folder_or_carry_flags_are_no_names),
		TEST_OPEN(holds_finds_a_name_with_flags_or_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
