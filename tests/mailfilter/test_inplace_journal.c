/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"

#include "mailfilter/inplace_journal.h"

static char top[64], path[96];

static int setup(void **state)
{
	(void)state;
	(void)strcpy(top, "/tmp/test_journal.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/inplace.journal", top);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return file_remove_tree(top, true, NULL);
}

static struct inplace_journal open_it(void)
{
	struct inplace_journal journal = { 0 };
	struct err err = { 0 };

	if (inplace_journal_open(top, &journal, &err) < 0)
		fail_msg("%s", err.text);
	return journal;
}

static const struct inplace_entry first = { .name = "1.a",
	.token = "token",
	.folder = "A folder of \xc3\xa4",
	.uidvalidity = UINT32_MAX,
	.from_uid = 5,
	.until_s = 1234567890123 };

static void what_was_put_is_there_for_the_next_run(void **state)
{
	struct inplace_journal journal = open_it();
	struct inplace_entry second = first, *found;

	(void)state;
	assert_int_equal(inplace_journal_put(&journal, &first, NULL), 0);
	(void)strcpy(second.name, "2.b");
	assert_int_equal(inplace_journal_put(&journal, &second, NULL), 0);
	inplace_journal_find(&journal, "1.a")->until_s = 7;
	assert_int_equal(inplace_journal_save(&journal, NULL), 0);
	inplace_journal_close(&journal);

	journal = open_it();
	assert_int_equal(journal.count, 2);
	found = inplace_journal_find(&journal, "1.a");
	assert_non_null(found);
	assert_string_equal(found->folder, first.folder);
	assert_string_equal(found->token, "token");
	assert_int_equal(found->uidvalidity, UINT32_MAX);
	assert_int_equal(found->from_uid, 5);
	assert_int_equal(found->until_s, 7);
	assert_int_equal(inplace_journal_find(&journal, "2.b")->until_s, 1234567890123);
	/* Dropped, and with the last of them from the file, too. */
	inplace_journal_drop(&journal, "1.a");
	inplace_journal_drop(&journal, "unknown");
	assert_null(inplace_journal_find(&journal, "1.a"));
	inplace_journal_drop(&journal, "2.b");
	inplace_journal_close(&journal);
	journal = open_it();
	assert_int_equal(journal.count, 0);
	inplace_journal_close(&journal);
}

static void one_of_the_same_name_takes_its_place(void **state)
{
	struct inplace_journal journal = open_it();
	struct inplace_entry again = first;

	(void)state;
	again.from_uid = 9;
	assert_int_equal(inplace_journal_put(&journal, &first, NULL), 0);
	assert_int_equal(inplace_journal_put(&journal, &again, NULL), 0);
	assert_int_equal(journal.count, 1);
	assert_int_equal(inplace_journal_find(&journal, "1.a")->from_uid, 9);
	inplace_journal_close(&journal);
}

static void what_cannot_be_written_does_not_count(void **state)
{
	struct inplace_journal journal = open_it();
	struct err err = { 0 };

	(void)state;
	assert_int_equal(file_remove_tree(top, true, NULL), 0);
	assert_int_equal(inplace_journal_put(&journal, &first, &err), -1);
	assert_int_equal(journal.count, 0);
	inplace_journal_close(&journal);
	assert_int_equal(file_mkdirs(top, 0700, NULL), 0);
}

static void more_than_fit_are_refused(void **state)
{
	struct inplace_journal journal = open_it();
	struct inplace_entry entry = first;
	struct err err = { 0 };

	(void)state;
	for (int i = 0; i < INPLACE_JOURNAL_MAX - 1; i++) {
		(void)snprintf(journal.entries[i].name, MESSAGE_NAME_MAX, "%d", i);
		(void)strcpy(journal.entries[i].token, "t");
		(void)strcpy(journal.entries[i].folder, "f");
	}
	journal.count = INPLACE_JOURNAL_MAX - 1;
	assert_int_equal(inplace_journal_put(&journal, &entry, &err), 0);
	(void)strcpy(entry.name, "one more");
	assert_int_equal(inplace_journal_put(&journal, &entry, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_null(inplace_journal_find(&journal, "one more"));
	inplace_journal_close(&journal);
	journal = open_it();
	assert_int_equal(journal.count, INPLACE_JOURNAL_MAX);
	inplace_journal_close(&journal);
}

static void lines_that_are_not_ours_are_passed_over(void **state)
{
	static const char text[] =
		"put\nput n\nput n t 1 2 3\nput n t 1 2 x F\nput n t 4294967296 2 3 F\n"
		"got n t 1 2 3 F\n\nput good t 1 2 3 F with  blanks\n"
		"put good t 9 9 9 again\n"
		"put 01234567890123456789012345678901234567890123456789012345678901234567890"
		"123456789012345678901234567890123456789012345678901234567890 t 1 2 3 F\n"
		"put torn t 1 2 3 F";
	struct inplace_journal journal;
	auto_close int fd = open(path, O_WRONLY | O_CREAT, 0600);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(file_write(fd, span_str(text), path, NULL), 0);
	journal = open_it();
	assert_int_equal(journal.count, 1);
	assert_string_equal(journal.entries[0].name, "good");
	assert_string_equal(journal.entries[0].folder, "F with  blanks");
	assert_int_equal(journal.entries[0].uidvalidity, 1);
	inplace_journal_close(&journal);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_put_is_there_for_the_next_run),
		TEST(one_of_the_same_name_takes_its_place),
		TEST(what_cannot_be_written_does_not_count),
		TEST(more_than_fit_are_refused),
		TEST(lines_that_are_not_ours_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
