/* SPDX-License-Identifier: ISC
 *
 * What is settled and where, when sessions break before it is done. */
#include "tests/mailfilter/mailbox.h"

#include <sysexits.h>

#include "common/mime.h"

static void equal_uids_of_two_folders_are_settled_each_in_its_own(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	mailbox->world.account.after_kind = AFTER_DELETE;
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.delivered, 4);
	assert_int_equal(report.settled, 4);
	assert_int_equal(world_files(&mailbox->world, "new"), 4);
	assert_int_equal(world_files(&mailbox->world, "tmp"), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(
			fake_count(&mailbox->fake, i ? "settle B/1;" : "settle A/1;"), 1);
		assert_int_equal(
			fake_count(&mailbox->fake, i ? "settle B/2;" : "settle A/2;"), 1);
	}
	assert_int_equal(row(mailbox, "B", "2").state, RECORD_SETTLED);
	assert_int_equal(run(mailbox).listed, 0);
	assert_string_equal(mailbox->fake.log, "");
}

static void a_folder_that_will_not_settle_harms_no_other(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	mailbox->world.account.after_kind = AFTER_MOVE;
	/* Delivered and recorded, but still owed: one run before. */
	mailbox->fake.folders[0].settle_error = ERR_ACCOUNT;
	mailbox->fake.folders[1].messages[0].uid = NULL;
	mailbox->fake.folders[1].messages[1].uid = NULL;
	report = run(mailbox);
	assert_int_equal(report.delivered, 2);
	assert_int_equal(report_exit_code(&report), EX_TEMPFAIL);
	assert_non_null(strstr(report.err.text, "A: over quota"));
	/* The same numbers appear in the other folder: they are not what is owed. */
	mailbox->fake.folders[1].messages[0] =
		(struct fake_message){ "1", suspicious, 0, 0, 0 };
	mailbox->fake.folders[1].messages[1] =
		(struct fake_message){ "2", suspicious, 0, 0, 0 };
	report = run(mailbox);
	assert_int_equal(report.held, 2);
	assert_non_null(strstr(report.err.text, "A: over quota"));
	assert_int_equal(fake_count(&mailbox->fake, "settle"), 0);
	mailbox->fake.folders[0].settle_error = ERR_NONE;
	report = run(mailbox);
	assert_int_equal(fake_count(&mailbox->fake, "fetch A"), 0);
	assert_int_equal(fake_count(&mailbox->fake, "settle A"), 2);
	assert_int_equal(fake_count(&mailbox->fake, "settle B"), 0);
}

static void what_a_crash_left_unsettled_is_settled_without_a_fetch(void **state)
{
	static const enum after_kind kinds[] = { AFTER_DELETE, AFTER_FLAG, AFTER_MOVE };
	static const char *const uids[] = { "10", "11", "12" };
	struct mailbox *mailbox = *state;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct report report;
		const char *const uid = uids[i];

		mailbox->fake.folders[0].messages[2 + i] =
			(struct fake_message){ uid, inert, 0, 0, 0 };
		mailbox->world.account.after_kind = kinds[i];
		/* No session lives to the end of this run, as if the process had died. */
		mailbox->fake.settle_breaks = 1000;
		report = run(mailbox);
		assert_int_equal(report.err.kind, ERR_SESSION);
		assert_int_equal(row(mailbox, "A", uid).state, RECORD_DONE);
		mailbox->fake.settle_breaks = 0;
		report = run(mailbox);
		assert_int_equal(report.err.kind, ERR_NONE);
		assert_int_equal(fake_count(&mailbox->fake, "fetch"), 0);
		assert_int_equal(row(mailbox, "A", uid).state, RECORD_SETTLED);
		assert_int_equal(run(mailbox).settled, 0);
	}
	assert_int_equal(world_files(&mailbox->world, "new"), 4 + 3);
}

static void a_session_lost_before_settle_is_made_good_by_the_next(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	mailbox->world.account.after_kind = AFTER_DELETE;
	mailbox->fake.settle_breaks = 1;
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(mailbox->fake.sessions, 2);
	assert_int_equal(fake_count(&mailbox->fake, "fetch"), 4);
	assert_int_equal(fake_count(&mailbox->fake, "settle"), 4);
	assert_int_equal(report.delivered, 4);
}

/* Another client deletes the first message: all numbers change. */
static void delete_first(struct fake_source *fake)
{
	fake->folders[0].messages[0].gone = true;
}

static void numbers_of_a_lost_session_are_never_used_again(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	make_pop3(mailbox);
	mailbox->fake.folders[0].messages[2] =
		(struct fake_message){ "3", suspicious, 0, 0, 0 };
	mailbox->fake.finish_breaks = 1;
	mailbox->fake.meanwhile = delete_first;
	report = run(mailbox);
	assert_int_equal(report.delivered, 2);
	assert_int_equal(report.held, 1);
	assert_int_equal(mailbox->fake.sessions, 2);
	assert_false(mailbox->fake.folders[0].messages[2].gone);
	assert_string_equal(strstr(mailbox->fake.log, "settle"), "settle /2;");
	assert_int_equal(row(mailbox, "", "2").state, RECORD_SETTLED);
}

static void deletions_become_final_in_batches(void **state)
{
	static const char *const uids[] = { "1", "2", "3", "4", "5" };
	struct mailbox *mailbox = *state;
	struct report report;

	make_pop3(mailbox);
	mailbox->fake.source.settle_max = 2;
	for (size_t i = 0; i < 5; i++)
		mailbox->fake.folders[0].messages[i] =
			(struct fake_message){ uids[i], inert, 0, 0, 0 };
	mailbox->fake.folders[0].messages[3].bytes = suspicious;
	/* The line breaks at the end of the second session: only its deletions are lost. */
	mailbox->fake.finish_breaks = 1;
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.delivered, 4);
	assert_int_equal(report.held, 1);
	assert_int_equal(report.settled, 4);
	assert_int_equal(fake_count(&mailbox->fake, "fetch"), 4 + 1);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(mailbox->fake.folders[0].messages[i].gone, i != 3);
	assert_true(mailbox->fake.sessions >= 3);
	mailbox->fake.sessions = 0;
	assert_int_equal(run(mailbox).settled, 0);
	assert_int_equal(mailbox->fake.sessions, 1);
}

static void what_is_owed_is_deleted_before_more_is_fetched(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	make_pop3(mailbox);
	mailbox->fake.finish_breaks = 1000;
	report = run(mailbox);
	assert_int_equal(report.delivered, 2);
	assert_int_equal(report.settled, 0);
	mailbox->fake.finish_breaks = 0;
	mailbox->fake.source.settle_max = 2;
	mailbox->fake.folders[0].messages[2] =
		(struct fake_message){ "3", inert, 0, 0, 0 };
	report = run(mailbox);
	assert_int_equal(report.settled, 3);
	assert_string_equal(mailbox->fake.log, "settle /1;settle /2;fetch /3;settle /3;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(equal_uids_of_two_folders_are_settled_each_in_its_own),
		TEST(a_folder_that_will_not_settle_harms_no_other),
		TEST(what_a_crash_left_unsettled_is_settled_without_a_fetch),
		TEST(a_session_lost_before_settle_is_made_good_by_the_next),
		TEST(numbers_of_a_lost_session_are_never_used_again),
		TEST(deletions_become_final_in_batches),
		TEST(what_is_owed_is_deleted_before_more_is_fetched),
	};

	(void)alarm(120);
	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
