/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"

#include "mailfilter/maildir_list.h"

static char top[64];
static struct maildir_list list;

static int setup(void **state)
{
	(void)state;
	(void)snprintf(top, sizeof(top), "/tmp/test_maildir_list.XXXXXX");
	if (!mkdtemp(top) || chdir(top) < 0 || mkdir("new", 0700) < 0 ||
		mkdir("cur", 0700) < 0)
		return -1;
	list = (struct maildir_list){ .path = top };
	list.new = open("new", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	list.cur = open("cur", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return list.new < 0 || list.cur < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	maildir_list_done(&list);
	(void)close(list.new);
	(void)close(list.cur);
	return chdir("/") < 0 ? -1 : file_remove_tree(top, true, NULL);
}

static void make(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* "new/a;cur/b:2,S;" */
static const char *all(void)
{
	static char text[4096];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < list.count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s/%s;",
			list.items[i].cur ? "cur" : "new", list.items[i].name);
	return text;
}

static void only_files_with_names_of_messages_are_listed(void **state)
{
	(void)state;
	make("new/b", "12345");
	make("cur/a:2,S", "");
	make("cur/c", "1");
	make("new/.hidden", "1");
	make("new/:2,S", "1");
	make("cur/odd\n\x1b name:x", "1");
	assert_int_equal(mkdir("cur/dir", 0700), 0);
	assert_int_equal(mkfifo("new/fifo", 0600), 0);
	assert_int_equal(symlink("/etc/passwd", "new/link"), 0);
	assert_int_equal(symlink("b", "new/other"), 0);
	assert_int_equal(maildir_list_read(&list, NULL), 0);
	assert_string_equal(all(), "cur/a:2,S;new/b;cur/c;cur/odd\n\x1b name:x;");
	assert_int_equal(list.items[1].size, 5);
	assert_true(list.items[1].date_s > 1600000000);
}

static void a_message_that_stands_in_both_is_one(void **state)
{
	(void)state;
	make("new/a", "1");
	make("cur/a:2,", "1");
	make("cur/ab:2,F", "1");
	make("cur/ab:2,S", "1");
	make("new/a b", "1");
	assert_int_equal(maildir_list_read(&list, NULL), 0);
	assert_int_equal(list.count, 3);
	assert_string_equal(list.items[0].name, "a:2,");
	assert_string_equal(list.items[1].name, "a b");
	assert_memory_equal(list.items[2].name, "ab:2,", 5);
}

static void what_was_moved_is_found_again(void **state)
{
	(void)state;
	make("new/a", "1");
	make("new/b", "1");
	make("cur/c:2,", "1");
	assert_int_equal(maildir_list_read(&list, NULL), 0);
	assert_int_equal(rename("new/a", "cur/a:2,RS"), 0);
	assert_int_equal(rename("cur/c:2,", "cur/c:2,T"), 0);
	assert_int_equal(unlink("new/b"), 0);
	make("new/later", "1");
	assert_int_equal(maildir_list_refresh(&list, NULL), 0);
	assert_string_equal(all(), "cur/a:2,RS;new/b;cur/c:2,T;");
}

static void a_folder_that_cannot_be_read_says_so(void **state)
{
	struct err err = { 0 };

	(void)state;
	(void)close(list.cur);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	list.cur = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(maildir_list_read(&list, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	assert_non_null(strstr(err.text, "/cur"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_files_with_names_of_messages_are_listed),
		TEST(a_message_that_stands_in_both_is_one),
		TEST(what_was_moved_is_found_again),
		TEST(a_folder_that_cannot_be_read_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
