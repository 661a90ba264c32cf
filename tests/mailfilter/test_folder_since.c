/* SPDX-License-Identifier: ISC
 *
 * With which mail an account begins, and with which each folder that comes later. */
#include "tests/mailfilter/mailbox.h"

#include "common/clock.h"
#include "common/mime.h"

static void begin_now(struct mailbox *mailbox)
{
	static char text[] = "now";

	mailbox->world.account.since_kind = SINCE_NOW;
	mailbox->world.account.since = text;
}

/* Another one comes to A while it is listed. */
static void one_arrives(struct fake_source *fake)
{
	fake->folders[0].messages[2] = (struct fake_message){ "3", another, 0, 0, 0 };
	fake->arrives = NULL;
}

static void since_now_begins_behind_what_is_there(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	begin_now(mailbox);
	mailbox->fake.arrives = one_arrives;
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.delivered, 0);
	assert_int_equal(report.listed, 0);
	/* What came while it was listed, and what comes now. */
	mailbox->fake.folders[1].messages[2] =
		(struct fake_message){ "3", inert, 0, 0, 0 };
	report = run(mailbox);
	assert_int_equal(report.delivered, 2);
	assert_string_equal(mailbox->fake.log, "fetch A/3;fetch B/3;");
	assert_int_equal(run(mailbox).listed, 0);
}

static void a_folder_that_comes_into_being_later_is_not_passed_over(void **state)
{
	struct mailbox *mailbox = *state;
	int64_t now_s = clock_wall_s();

	begin_now(mailbox);
	want(mailbox, "*", "!none");
	mailbox->fake.folders[2].name = NULL;
	assert_int_equal(run(mailbox).delivered, 0);
	want(mailbox, "*", "!none");
	/* One from before the account was, one that came since, and one of unknown age. */
	mailbox->fake.folders[2].messages[1] =
		(struct fake_message){ "2", inert, 0, 0, 0 };
	mailbox->fake.folders[2].messages[2] =
		(struct fake_message){ "3", inert, 0, 0, 0 };
	mailbox->fake.folders[2].dates[0] = now_s - 1000;
	mailbox->fake.folders[2].dates[1] = now_s + 1000;
	assert_int_equal(run(mailbox).delivered, 2);
	assert_string_equal(mailbox->fake.log, "fetch C/2;fetch C/3;");
	assert_int_equal(run(mailbox).listed, 0);
}

static void since_days_passes_over_what_is_older(void **state)
{
	static char days_text[] = "10";
	static const int ages[] = { 12, 9, 30, 0, 11 };
	static const int64_t day_s = 86400;
	struct mailbox *mailbox = *state;
	struct fake_folder *folder = &mailbox->fake.folders[0];
	int64_t now_s = clock_wall_s();

	mailbox->world.account.folders.count = 1;
	mailbox->world.account.since_kind = SINCE_DAYS;
	mailbox->world.account.since_days = 10;
	mailbox->world.account.since = days_text;
	for (size_t i = 0; i < 5; i++) {
		folder->messages[i] = (struct fake_message){ tens[i], inert, 0, 0, 0 };
		folder->dates[i] = ages[i] ? now_s - ages[i] * day_s : 0;
	}
	mailbox->dry_run = true;
	assert_int_equal(run(mailbox).delivered, 2);
	mailbox->dry_run = false;
	assert_int_equal(run(mailbox).delivered, 2);
	assert_string_equal(mailbox->fake.log, "fetch A/20;fetch A/40;");
	assert_int_equal(run(mailbox).listed, 0);
	assert_string_equal(mailbox->fake.log, "");
	/* What is put there later is new, how old it may be. */
	folder->messages[5] = (struct fake_message){ tens[5], another, 0, 0, 0 };
	folder->dates[5] = now_s - 100 * day_s;
	assert_int_equal(run(mailbox).delivered, 1);
}

static void what_was_passed_over_is_not_new_under_new_uids(void **state)
{
	struct mailbox *mailbox = *state;
	struct fake_folder *folder = &mailbox->fake.folders[0];
	int64_t now_s = clock_wall_s();

	mailbox->world.account.folders.count = 1;
	begin_now(mailbox);
	folder->dates[0] = folder->dates[1] = now_s - 1000;
	assert_int_equal(run(mailbox).delivered, 0);
	folder->messages[2] = (struct fake_message){ "3", look_alike, 0, 0, 0 };
	folder->dates[2] = now_s + 10;
	assert_int_equal(run(mailbox).delivered, 1);
	folder->messages[3] = (struct fake_message){ "4", another, 0, 0, 0 };
	folder->dates[3] = now_s + 20;
	renumber(folder, 2, tens);
	assert_int_equal(run(mailbox).delivered, 1);
	assert_non_null(strstr(mailbox->fake.log, "fetch A/40;"));
	assert_int_equal(run(mailbox).listed, 0);
}

static void since_now_is_written_down_where_there_are_no_uids(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	make_pop3(mailbox);
	begin_now(mailbox);
	mailbox->dry_run = true;
	assert_int_equal(run(mailbox).listed, 0);
	mailbox->dry_run = false;
	report = run(mailbox);
	assert_int_equal(report.delivered + report.settled, 0);
	assert_int_equal(row(mailbox, "", "1").state, RECORD_PASSED);
	mailbox->fake.folders[0].messages[2] =
		(struct fake_message){ "3", inert, 0, 0, 0 };
	report = run(mailbox);
	assert_int_equal(report.delivered, 1);
	assert_string_equal(mailbox->fake.log, "fetch /3;settle /3;");
	assert_false(mailbox->fake.folders[0].messages[0].gone);
	/* It is for the first run alone. */
	mailbox->world.account.since_kind = SINCE_ALL;
	assert_int_equal(run(mailbox).listed, 0);
}

static void since_counts_nothing_once_the_account_has_begun(void **state)
{
	struct mailbox *mailbox = *state;

	assert_int_equal(run(mailbox).delivered, 4);
	mailbox->fake.folders[0].messages[2] =
		(struct fake_message){ "3", inert, 0, 0, 0 };
	begin_now(mailbox);
	assert_int_equal(run(mailbox).delivered, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(since_now_begins_behind_what_is_there),
		TEST(a_folder_that_comes_into_being_later_is_not_passed_over),
		TEST(since_days_passes_over_what_is_older),
		TEST(what_was_passed_over_is_not_new_under_new_uids),
		TEST(since_now_is_written_down_where_there_are_no_uids),
		TEST(since_counts_nothing_once_the_account_has_begun),
	};

	(void)alarm(120);
	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
