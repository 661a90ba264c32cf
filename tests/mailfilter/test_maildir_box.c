/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"

#include "mailfilter/maildir_box.h"

static char top[64];
static struct maildir_box box;

static void make(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
	(void)state;
	(void)snprintf(top, sizeof(top), "/tmp/test_maildir_box.XXXXXX");
	if (!mkdtemp(top) || chdir(top) < 0 || mkdir("tmp", 0700) < 0 ||
		mkdir("new", 0700) < 0 || mkdir("cur", 0700) < 0)
		return -1;
	box = (struct maildir_box){ .tmp = -1, .new = -1, .cur = -1 };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	maildir_box_close(&box);
	return chdir("/") < 0 ? -1 : file_remove_tree(top, true, NULL);
}

static void open_box(void)
{
	struct err err = { 0 };

	maildir_box_close(&box);
	if (maildir_box_open(top, &box, &err) != 1)
		fail_msg("%s", err.text);
}

static void write_new(const char *name)
{
	struct body body;
	struct err err = { 0 };

	body_init(&body, top, 100);
	assert_int_equal(body_add(&body, span_str("cleaned"), &err), 0);
	if (maildir_box_write(&box, name, &body, 1700000000, &err) < 0)
		fail_msg("%s", err.text);
	body_done(&body);
}

static int replace(const char *old, const char *name)
{
	struct err err = { 0 };
	int done = maildir_box_replace(&box, old, name, &err);

	if (done < 0)
		fail_msg("%s", err.text);
	return done;
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

static void what_is_no_maildir_is_not_made_one(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(rmdir("cur"), 0);
	assert_int_equal(maildir_box_open(top, &box, &err), 0);
	assert_false(is_there("cur"));
	assert_int_equal(maildir_box_open("/nowhere/at/all", &box, &err), 0);
}

static void a_message_is_found_where_its_reader_moved_it(void **state)
{
	struct err err = { 0 };
	int64_t date_s = 0;
	int fd = -1;

	(void)state;
	make("new/one", "1");
	open_box();
	assert_int_equal(rename("new/one", "cur/one:2,S"), 0);
	assert_int_equal(maildir_box_read(&box, "one", &fd, &date_s, &err), 1);
	(void)close(fd);
	assert_int_equal(rename("cur/one:2,S", "cur/one:2,FS"), 0);
	assert_int_equal(maildir_box_read(&box, "one", &fd, &date_s, &err), 1);
	(void)close(fd);
	assert_int_equal(unlink("cur/one:2,FS"), 0);
	assert_int_equal(maildir_box_read(&box, "one", &fd, &date_s, &err), 0);
	assert_int_equal(maildir_box_read(&box, "on", &fd, &date_s, &err), 0);
}

static void a_link_is_not_followed(void **state)
{
	struct err err = { 0 };
	int64_t date_s = 0;
	int fd = -1;

	(void)state;
	make("cur/one:2,", "1");
	open_box();
	make("other", "2");
	assert_int_equal(unlink("cur/one:2,"), 0);
	assert_int_equal(symlink("../other", "cur/one:2,"), 0);
	assert_int_equal(maildir_box_read(&box, "one", &fd, &date_s, &err), -1);
	assert_int_equal(fd, -1);
}

static void the_new_one_has_folder_flags_and_date_of_the_old(void **state)
{
	static const struct {
		const char *before, *after;
	} cases[] = { { "new/one", "new/two" }, { "cur/one:2,FSa", "cur/two:2,FSa" },
		{ "cur/one", "cur/two" }, { "cur/one:2,", "cur/two:2," } };
	struct stat st;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make(cases[i].before, "infected");
		open_box();
		write_new("two");
		assert_int_equal(replace("one", "two"), 1);
		assert_false(is_there(cases[i].before));
		assert_int_equal(stat(cases[i].after, &st), 0);
		assert_int_equal(st.st_mtime, 1700000000);
		assert_int_equal(st.st_mode & 07777, 0600);
		maildir_box_forget(&box, "two");
		assert_false(is_there("tmp/two"));
		assert_false(is_there("tmp/two=kept"));
		assert_int_equal(unlink(cases[i].after), 0);
	}
}

static void flags_that_change_under_our_hands_are_kept(void **state)
{
	(void)state;
	make("new/one", "infected");
	open_box();
	write_new("two");
	assert_int_equal(rename("new/one", "cur/one:2,S"), 0);
	assert_int_equal(replace("one", "two"), 1);
	assert_true(is_there("cur/two:2,S"));
	assert_false(is_there("cur/one:2,S"));
}

static void nothing_comes_back_for_what_was_deleted(void **state)
{
	(void)state;
	make("cur/one:2,S", "infected");
	open_box();
	write_new("two");
	assert_int_equal(unlink("cur/one:2,S"), 0);
	assert_int_equal(replace("one", "two"), 0);
	assert_false(is_there("cur/two:2,S"));
	assert_false(is_there("new/two"));
	maildir_box_forget(&box, "two");
	assert_false(is_there("tmp/two"));
	assert_false(is_there("tmp/two=kept"));
}

static void cut_off_before_it_was_shown_it_is_not_shown(void **state)
{
	struct err err = { 0 };

	(void)state;
	make("cur/one:2,S", "infected");
	open_box();
	write_new("two");
	open_box();
	assert_int_equal(maildir_box_is_shown(&box, "two", &err), 0);
	assert_int_equal(maildir_box_is_shown(&box, "three", &err), 0);
	/* Written anew over what was left. */
	write_new("two");
	assert_int_equal(replace("one", "two"), 1);
}

static void cut_off_between_both_it_is_taken_up_with_the_flags_of_now(void **state)
{
	struct err err = { 0 };

	(void)state;
	make("cur/one:2,S", "infected");
	open_box();
	write_new("two");
	assert_int_equal(rename("tmp/two", "cur/two:2,S"), 0);
	assert_int_equal(rename("cur/one:2,S", "cur/one:2,FS"), 0);
	open_box();
	assert_int_equal(maildir_box_is_shown(&box, "two", &err), 1);
	assert_int_equal(replace("one", "two"), 1);
	assert_true(is_there("cur/two:2,FS"));
	assert_false(is_there("cur/two:2,S"));
	assert_false(is_there("cur/one:2,FS"));
}

static void cut_off_after_both_the_new_one_stays(void **state)
{
	(void)state;
	open_box();
	write_new("two");
	assert_int_equal(rename("tmp/two", "cur/two:2,S"), 0);
	open_box();
	assert_int_equal(replace("one", "two"), 1);
	assert_true(is_there("cur/two:2,S"));
	assert_int_equal(replace("one", "two"), 1);
	assert_true(is_there("cur/two:2,S"));
}

static void one_that_was_shown_and_moved_elsewhere_is_not_shown_again(void **state)
{
	struct err err = { 0 };

	(void)state;
	make("cur/one:2,S", "infected");
	open_box();
	write_new("two");
	assert_int_equal(rename("tmp/two", "moved"), 0);
	assert_int_equal(maildir_box_is_shown(&box, "two", &err), 1);
	assert_int_equal(replace("one", "two"), 1);
	assert_false(is_there("cur/two:2,S"));
	assert_false(is_there("cur/one:2,S"));
}

static void one_that_was_shown_and_deleted_does_not_come_back(void **state)
{
	struct err err = { 0 };

	(void)state;
	make("cur/one:2,S", "infected");
	open_box();
	write_new("two");
	assert_int_equal(unlink("tmp/two"), 0);
	assert_int_equal(maildir_box_is_shown(&box, "two", &err), 1);
	assert_int_equal(replace("one", "two"), 1);
	assert_false(is_there("cur/two:2,S"));
	assert_false(is_there("cur/one:2,S"));
}

/* Killed before it was shown, and then "cp -al": the link of the backup is no word of a reader. */
static void a_backup_made_of_links_has_not_shown_it(void **state)
{
	struct err err = { 0 };

	(void)state;
	make("cur/one:2,S", "infected");
	open_box();
	write_new("two");
	assert_int_equal(link("tmp/two", "backup"), 0);
	open_box();
	assert_int_equal(maildir_box_is_shown(&box, "two", &err), 0);
	assert_int_equal(replace("one", "two"), 1);
	assert_true(is_there("cur/two:2,S"));
	assert_false(is_there("cur/one:2,S"));
}

/* By a version that linked where this one renames. */
static void what_an_older_version_showed_is_shown(void **state)
{
	struct err err = { 0 };

	(void)state;
	make("cur/one:2,S", "infected");
	make("tmp/two", "cleaned");
	assert_int_equal(link("tmp/two", "moved"), 0);
	open_box();
	assert_int_equal(maildir_box_is_shown(&box, "two", &err), 1);
	assert_int_equal(replace("one", "two"), 1);
	assert_false(is_there("cur/one:2,S"));
	maildir_box_forget(&box, "two");
	assert_false(is_there("tmp/two"));
}

static void a_name_that_leaves_the_folder_is_refused(void **state)
{
	static const char *const names[] = { "", ".", "../x", "a/b", "a:2,S" };
	struct body body;
	struct err err = { 0 };

	(void)state;
	open_box();
	body_init(&body, top, 100);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(maildir_box_write(&box, names[i], &body, 0, &err), -1);
	body_done(&body);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_no_maildir_is_not_made_one),
		TEST(a_message_is_found_where_its_reader_moved_it),
		TEST(a_link_is_not_followed),
		TEST(the_new_one_has_folder_flags_and_date_of_the_old),
		TEST(flags_that_change_under_our_hands_are_kept),
		TEST(nothing_comes_back_for_what_was_deleted),
		TEST(cut_off_before_it_was_shown_it_is_not_shown),
		TEST(cut_off_between_both_it_is_taken_up_with_the_flags_of_now),
		TEST(cut_off_after_both_the_new_one_stays),
		TEST(one_that_was_shown_and_moved_elsewhere_is_not_shown_again),
		TEST(one_that_was_shown_and_deleted_does_not_come_back),
		TEST(a_backup_made_of_links_has_not_shown_it),
		TEST(what_an_older_version_showed_is_shown),
		TEST(a_name_that_leaves_the_folder_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
