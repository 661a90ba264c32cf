/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
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
	int64_t logged_at;

	(void)state;
	book.untold = false;
	sweep_book_note_idle(&book, "");
	assert_false(book.untold);
	sweep_book_note_idle(&book, "fork: no more processes");
	assert_true(book.untold);
	assert_string_equal(
		book.report.trouble, "no worker starts: fork: no more processes");
	assert_true(book.idle_at > 0);
	/* What is known already is no news. */
	book.untold = false;
	sweep_book_note_idle(&book, "fork: no more processes");
	assert_false(book.untold);
	/* The log hears of another only after a while. */
	book.idle_at--;
	logged_at = book.idle_at;
	sweep_book_note_idle(&book, "fork: no more processes, again");
	assert_int_equal(book.idle_at, logged_at);
	book.idle_at -= 60000;
	sweep_book_note_idle(&book, "fork: no more processes");
	assert_true(book.idle_at >= logged_at);
	/* It stands in the next report as well. */
	sweep_book_save(&book);
	assert_non_null(strstr(book.report.trouble, "no more processes"));
	book.untold = false;
	sweep_book_note_idle(&book, "");
	assert_true(book.untold);
	assert_string_equal(book.report.trouble, "");
}

static const struct hash digest = { { 1 } };
static const struct stat stat_of = { .st_ino = 1 };
static const struct sweep_answer infected = { .kind = VERDICT_INFECTED,
	.signature = "Test.Find" };
static char path[80];

static struct sweep_scanned put_find(void)
{
	(void)snprintf(path, sizeof(path), "%s/find", folder);
	assert_int_equal(file_replace(path, span_str("x"), 0600, NULL), 0);
	return (struct sweep_scanned){
		.path = path, .stat = &stat_of, .digest = &digest
	};
}

/* Nothing is said at the end; another walker comes. */
static void is_killed(void)
{
	struct err err = { 0 };

	sweep_book_close(&book);
	if (sweep_book_open(folder, &book, &err) < 0)
		fail_msg("%s", err.text);
	book.moves = true;
}

static void a_find_that_was_moved_is_known_after_a_kill(void **state)
{
	const struct sweep_scanned scanned = put_find();

	(void)state;
	book.moves = true;
	assert_false(sweep_book_begin(&book, &digest));
	sweep_book_foretell(&book, &scanned, &infected);
	assert_int_equal(unlink(path), 0);
	is_killed();
	assert_true(sweep_book_begin(&book, &digest));
	assert_int_equal(book.report.pass, 1);
	assert_int_equal(book.report.now.counts.infected, 1);
	assert_non_null(sweep_report_find(&book.report, path));
	/* As one that was told of to its end. */
	sweep_book_add(&book, &scanned, &infected);
	is_killed();
	assert_true(sweep_book_begin(&book, &digest));
	assert_int_equal(book.report.now.counts.infected, 1);
	sweep_book_end(&book);
	assert_non_null(sweep_report_find(&book.report, path));
	/* Until a pass ends without it. */
	book.report.now.ended_s = 1;
	assert_false(sweep_book_begin(&book, &digest));
	assert_int_equal(book.report.now.counts.infected, 0);
	sweep_book_end(&book);
	assert_null(sweep_report_find(&book.report, path));
}

static void a_find_that_is_still_there_is_counted_once_it_is_found_again(void **state)
{
	const struct sweep_scanned scanned = put_find();

	(void)state;
	book.moves = true;
	assert_false(sweep_book_begin(&book, &digest));
	sweep_book_foretell(&book, &scanned, &infected);
	is_killed();
	assert_true(sweep_book_begin(&book, &digest));
	assert_int_equal(book.report.now.counts.infected, 0);
	sweep_book_add(&book, &scanned, &infected);
	assert_int_equal(book.report.now.counts.infected, 1);
	assert_int_equal(book.report.find_count, 1);
}

static void what_is_not_moved_is_not_foretold(void **state)
{
	const struct sweep_answer clean = { .kind = VERDICT_CLEAN };
	struct sweep_scanned scanned = put_find();

	(void)state;
	assert_false(sweep_book_begin(&book, &digest));
	sweep_book_foretell(&book, &scanned, &infected);
	book.moves = true;
	sweep_book_foretell(&book, &scanned, &clean);
	scanned.is_mail = true;
	sweep_book_foretell(&book, &scanned, &infected);
	assert_int_equal(book.report.find_count, 0);
	scanned.is_mail = false;
	sweep_book_foretell(&book, &scanned, &infected);
	assert_int_equal(book.report.find_count, 1);
}

static void a_find_that_will_not_be_moved_is_looked_at_once(void **state)
{
	static const struct {
		const char *detail;
		bool is_mail, moves, is_known;
	} cases[] = {
		{ "not moved: a mailbox, with other mails in it", false, true, true },
		{ "not moved: mailfilter keeps it: \"mailfilter quarantine\"", false,
			true, true },
		{ "a mail: rescan", true, true, true },
		{ "not moved: no space left on device", false, true, false },
		{ "", true, true, false },
		{ "", false, true, false },
		{ "", false, false, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct stat stat_here = { .st_ino = 10 + i };
		struct sweep_scanned scanned = put_find();
		struct sweep_entry entry = {
			.path = path, .stat = stat_here, .is_mail = cases[i].is_mail
		};
		struct sweep_answer answer = infected;

		book.moves = cases[i].moves;
		(void)sweep_book_begin(&book, &digest);
		(void)snprintf(
			answer.detail, sizeof(answer.detail), "%s", cases[i].detail);
		scanned.stat = &stat_here;
		scanned.is_mail = cases[i].is_mail;
		sweep_book_add(&book, &scanned, &answer);
		assert_int_equal(
			sweep_book_knows(&book, &entry, &digest), cases[i].is_known);
	}
}

static void it_rests_less_where_more_is_due_and_never_not_at_all(void **state)
{
	static const struct hash other = { { 2 } };
	static const struct {
		bool is_other, is_barred;
		int64_t rest_ms, interval_ms, is_ms;
	} cases[] = {
		{ false, false, 5000, 86400000, 86400000 },
		{ true, false, 5000, 86400000, 5000 },
		{ true, false, 0, 86400000, 0 }, /* the pass ends that */
		{ true, false, 86400000, 5000, 5000 },
		{ false, true, 3600000, 86400000, 3600000 },
		{ false, true, 0, 86400000, 60000 },
		{ false, true, 0, 1000, 1000 },
		{ true, true, 0, 86400000, 0 },
	};

	(void)state;
	(void)sweep_book_begin(&book, &digest);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct settings settings = { .sweep_rest_ms = cases[i].rest_ms,
			.sweep_interval_ms = cases[i].interval_ms };

		(void)snprintf(book.barred, sizeof(book.barred), "%s",
			cases[i].is_barred ? "/srv is not swept" : "");
		assert_int_equal(sweep_book_rest_ms(&book, &settings,
					 cases[i].is_other ? &other : &digest),
			cases[i].is_ms);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(that_no_worker_starts_is_told_until_one_does),
		TEST(a_find_that_was_moved_is_known_after_a_kill),
		TEST(a_find_that_is_still_there_is_counted_once_it_is_found_again),
		TEST(it_rests_less_where_more_is_due_and_never_not_at_all),
		TEST(what_is_not_moved_is_not_foretold),
		TEST(a_find_that_will_not_be_moved_is_looked_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
