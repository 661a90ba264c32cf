/* SPDX-License-Identifier: ISC
 *
 * Which folders an account means: patterns, folders that come and go, and renamed ones. */
#include "tests/mailfilter/mailbox.h"

#include <sysexits.h>

#include "common/mime.h"

static void a_missing_folder_stops_no_other_and_is_named(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	mailbox->world.account.after_kind = AFTER_DELETE;
	mailbox->fake.folders[0].missing = true;
	report = run(mailbox);
	assert_int_equal(report.delivered, 2);
	assert_int_equal(report.settled, 2);
	assert_int_equal(row(mailbox, "B", "1").state, RECORD_SETTLED);
	assert_int_equal(report_exit_code(&report), EX_TEMPFAIL);
	assert_non_null(strstr(report.err.text, "folder \"A\": no such folder"));
}

static void a_pattern_means_the_folders_that_are_there(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	want(mailbox, "*", "!B");
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.delivered, 3);
	assert_int_equal(fake_count(&mailbox->fake, "fetch B"), 0);
	/* A new one is seen by the next run. */
	want(mailbox, "*", "A");
	report = run(mailbox);
	assert_int_equal(report.delivered, 2);
	assert_int_equal(fake_count(&mailbox->fake, "fetch B"), 2);
	assert_int_equal(run(mailbox).listed, 0);
}

static void what_is_fetched_is_not_where_it_goes_to(void **state)
{
	struct mailbox *mailbox = *state;
	char target[] = "B", trash[] = "trash";

	want(mailbox, "*", "!none");
	mailbox->world.account.after_kind = AFTER_MOVE;
	mailbox->world.account.after_folder = target;
	assert_int_equal(run(mailbox).delivered, 3);
	assert_int_equal(fake_count(&mailbox->fake, "fetch B"), 0);
	mailbox->world.account.after_kind = AFTER_TRASH;
	mailbox->world.account.after_folder = NULL;
	mailbox->world.account.after = trash;
	mailbox->fake.folders[1].marks = SOURCE_FOLDER_TRASH;
	mailbox->dry_run = true;
	assert_int_equal(run(mailbox).delivered, 0);
}

static void a_found_folder_that_vanishes_is_no_failure(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	want(mailbox, "*", "!none");
	mailbox->fake.folders[1].missing = mailbox->fake.folders[1].listed = true;
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.delivered, 3);
	assert_int_equal(report_exit_code(&report), EX_OK);
	/* One that the settings name must be there. */
	want(mailbox, "*", "B");
	report = run(mailbox);
	assert_int_equal(report_exit_code(&report), EX_TEMPFAIL);
	assert_non_null(strstr(report.err.text, "\"B\""));
}

static void a_renamed_folder_gives_nothing_twice(void **state)
{
	struct mailbox *mailbox = *state;
	struct fake_folder *folder = &mailbox->fake.folders[2];
	struct report report;

	want(mailbox, "*", "!none");
	assert_int_equal(run(mailbox).delivered, 5);
	folder->name = "Older";
	folder->messages[1] = (struct fake_message){ "2", inert, 0, 0, 0 };
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.delivered, 1);
	assert_int_equal(fake_count(&mailbox->fake, "fetch Older/1"), 0);
	assert_int_equal(row(mailbox, "Older", "1").state, RECORD_SETTLED);
	assert_int_equal(row(mailbox, "C", "1").state, 0);
	assert_int_equal(run(mailbox).listed, 0);
}

static void a_copy_in_another_folder_is_no_renamed_one(void **state)
{
	struct mailbox *mailbox = *state;

	want(mailbox, "*", "!none");
	mailbox->fake.folders[2].name = NULL;
	assert_int_equal(run(mailbox).delivered, 4);
	want(mailbox, "*", "!none");
	mailbox->fake.folders[2].messages[0].bytes = inert;
	assert_int_equal(run(mailbox).delivered, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_missing_folder_stops_no_other_and_is_named),
		TEST(a_pattern_means_the_folders_that_are_there),
		TEST(what_is_fetched_is_not_where_it_goes_to),
		TEST(a_found_folder_that_vanishes_is_no_failure),
		TEST(a_renamed_folder_gives_nothing_twice),
		TEST(a_copy_in_another_folder_is_no_renamed_one),
	};

	(void)alarm(120);
	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
