/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"

#include "scanner/sweep_book.h"

static char folder[] = "/tmp/test-sweep-book-XXXXXX";
static struct sweep_book book;

static int start(void **state)
{
	struct err err = { 0 };

	(void)state;
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
	return mkdtemp(folder) && sweep_book_open(folder, &book, &err) == 0 ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	sweep_book_close(&book);
	return file_remove_tree(folder, true, NULL);
}

static void that_no_worker_starts_is_told_until_one_does(void **state)
{
	(void)state;
	book.untold = false;
	sweep_book_note_idle(&book, "");
	assert_false(book.untold);
	sweep_book_note_idle(&book, "fork: no more processes");
	assert_true(book.untold);
	assert_string_equal(
		book.report.trouble, "no worker starts: fork: no more processes");
	/* What is known already is no news. */
	book.untold = false;
	sweep_book_note_idle(&book, "fork: no more processes");
	assert_false(book.untold);
	/* It stands in the next report as well. */
	sweep_book_save(&book);
	assert_non_null(strstr(book.report.trouble, "no more processes"));
	book.untold = false;
	sweep_book_note_idle(&book, "");
	assert_true(book.untold);
	assert_string_equal(book.report.trouble, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(that_no_worker_starts_is_told_until_one_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
