/* SPDX-License-Identifier: ISC
 *
 * A folder whose messages have got new UIDs: what is recorded is known again by size and head. */
#include "tests/mailfilter/mailbox.h"

#include <sysexits.h>

#include "common/mime.h"

static void a_folder_numbered_anew_gives_nothing_twice_and_loses_nothing(void **state)
{
	struct mailbox *mailbox = *state;
	struct fake_folder *folder = &mailbox->fake.folders[0];
	struct report report;

	folder->messages[1].bytes = another;
	assert_int_equal(run(mailbox).delivered, 4);
	/* A new one has come meanwhile, of the size and header of an old one. */
	folder->messages[2].bytes = look_alike;
	renumber(folder, 2, tens);
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.delivered, 1);
	assert_int_equal(fake_count(&mailbox->fake, "fetch"), 1);
	assert_int_equal(fake_count(&mailbox->fake, "fetch A/30;"), 1);
	assert_int_equal(row(mailbox, "A", "1").state, 0);
	/* And once more, all is known by its UID. */
	report = run(mailbox);
	assert_int_equal(report.listed, 0);
	assert_string_equal(mailbox->fake.log, "");
}

static void equal_messages_are_known_as_often_as_they_were_recorded(void **state)
{
	struct mailbox *mailbox = *state;
	struct fake_folder *folder = &mailbox->fake.folders[0];

	assert_int_equal(run(mailbox).delivered, 4);
	for (size_t i = 2; i < 5; i++)
		folder->messages[i].bytes = inert;
	renumber(folder, 2, tens);
	assert_int_equal(run(mailbox).delivered, 3);
	assert_string_equal(
		strstr(mailbox->fake.log, "fetch"), "fetch A/30;fetch A/40;fetch A/50;");
}

static void mail_that_comes_back_later_is_known_then(void **state)
{
	struct mailbox *mailbox = *state;
	struct fake_folder *folder = &mailbox->fake.folders[0];

	folder->messages[1].bytes = another;
	assert_int_equal(run(mailbox).delivered, 4);
	/* Put back from a copy, one today and one tomorrow; numbered anew in between. */
	renumber(folder, 2, tens);
	folder->messages[1].gone = true;
	assert_int_equal(run(mailbox).delivered, 0);
	folder->uidvalidity = 1;
	assert_int_equal(run(mailbox).delivered, 0);
	folder->messages[1].gone = false;
	assert_int_equal(run(mailbox).delivered, 0);
	assert_string_equal(mailbox->fake.log, "head A/20;");
	assert_int_equal(world_files(&mailbox->world, "new"), 4);
}

static void what_is_owed_held_and_parked_stays_so_under_new_uids(void **state)
{
	struct mailbox *mailbox = *state;
	struct fake_folder *folder = &mailbox->fake.folders[0];
	char large[WORLD_MESSAGE_MAX + 100] = "Subject: large\r\n\r\n";
	struct report report;

	memset(large + strlen(large), 'x', sizeof(large) - strlen(large) - 1);
	folder->messages[1].bytes = suspicious;
	folder->messages[2] = (struct fake_message){ "3", large, 0, 0, 0 };
	folder->messages[3] = (struct fake_message){ "4", suspicious, 0, 0, 0 };
	mailbox->world.account.after_kind = AFTER_FLAG;
	mailbox->fake.settle_breaks = 1000;
	report = run(mailbox);
	assert_int_equal(report.parked, 1);
	assert_int_equal(row(mailbox, "A", "1").state, RECORD_DONE);
	assert_int_equal(row(mailbox, "A", "2").state, RECORD_HELD);
	assert_int_equal(row(mailbox, "A", "3").state, RECORD_PARKED);
	mailbox->fake.settle_breaks = 0;
	renumber(folder, 2, tens);
	mailbox->uidvalidity = 2;
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(fake_count(&mailbox->fake, "settle A/10;"), 1);
	assert_int_equal(fake_count(&mailbox->fake, "fetch A"), 0);
	assert_int_equal(report.parked, 0);
	assert_int_equal(report.held, 2);
	assert_int_equal(row(mailbox, "A", "10").state, RECORD_SETTLED);
	assert_int_equal(row(mailbox, "A", "20").state, RECORD_HELD);
	assert_int_equal(row(mailbox, "A", "30").state, RECORD_PARKED);
	assert_int_equal(row(mailbox, "A", "40").state, RECORD_HELD);
}

static void put_row(struct mailbox *mailbox, const struct record_row *row)
{
	struct record *record;
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/work", mailbox->world.dir);
	assert_int_equal(record_open(path, false, &record, NULL), 0);
	assert_int_equal(record_put(record, row, NULL), 0);
	record_close(record);
}

static void an_intent_keeps_its_name_under_a_new_uid(void **state)
{
	struct mailbox *mailbox = *state;
	struct record_row intent, after_all;

	mailbox->fake.folders[0].messages[1].bytes = another;
	assert_int_equal(run(mailbox).delivered, 4);
	/* As if the process had died between the delivery and its record. */
	intent = row(mailbox, "A", "1");
	intent.state = RECORD_INTENT;
	put_row(mailbox, &intent);
	renumber(&mailbox->fake.folders[0], 2, tens);
	mailbox->uidvalidity = 2;
	assert_int_equal(run(mailbox).delivered, 1);
	assert_int_equal(world_files(&mailbox->world, "new"), 4);
	after_all = row(mailbox, "A", "10");
	assert_int_equal(after_all.state, RECORD_SETTLED);
	assert_string_equal(after_all.name, intent.name);
}

static void matching_that_is_cut_off_goes_on(void **state)
{
	struct mailbox *mailbox = *state;
	struct fake_folder *folder = &mailbox->fake.folders[0];
	struct report report;

	folder->messages[1].bytes = another;
	assert_int_equal(run(mailbox).delivered, 4);
	renumber(folder, 2, tens);
	mailbox->fake.heads_kill = true;
	assert_true(dies(mailbox));
	mailbox->fake.heads_kill = false;
	mailbox->fake.heads_breaks = 2;
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.delivered, 0);
	assert_int_equal(mailbox->fake.sessions, 4);
	assert_int_equal(world_files(&mailbox->world, "new"), 4);
}

static void a_server_that_renumbers_at_each_login_is_visited_less(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report = { 0 };

	assert_int_equal(run(mailbox).delivered, 4);
	mailbox->fake.renumbers = true;
	for (int i = 0; i < 3; i++) {
		report = run(mailbox);
		assert_int_equal(report.err.kind, ERR_NONE);
		assert_int_equal(report.delivered, 0);
	}
	report = run(mailbox);
	assert_int_equal(report_exit_code(&report), EX_TEMPFAIL);
	assert_non_null(strstr(report.err.text, "again and again"));
	assert_string_equal(mailbox->fake.log, "");
}

static void what_an_older_program_recorded_is_not_guessed(void **state)
{
	struct mailbox *mailbox = *state;
	struct record_row old;
	struct report report;

	assert_int_equal(run(mailbox).delivered, 4);
	old = row(mailbox, "A", "1");
	old.head.known = false;
	put_row(mailbox, &old);
	mailbox->fake.folders[0].uidvalidity = 2;
	mailbox->fake.folders[1].messages[2] =
		(struct fake_message){ "3", inert, 0, 0, 0 };
	report = run(mailbox);
	assert_int_equal(report.delivered, 1);
	assert_string_equal(mailbox->fake.log, "fetch B/3;");
	assert_non_null(
		strstr(report.err.text, "A: the server numbers its messages anew"));
	assert_int_equal(report_exit_code(&report), EX_TEMPFAIL);
}

static void a_dry_run_does_not_match(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	assert_int_equal(run(mailbox).delivered, 4);
	mailbox->fake.folders[0].uidvalidity = 2;
	mailbox->dry_run = true;
	report = run(mailbox);
	assert_int_equal(report.delivered, 0);
	assert_non_null(strstr(report.err.text, "not dry"));
	mailbox->dry_run = false;
	assert_int_equal(row(mailbox, "A", "1").state, RECORD_SETTLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_folder_numbered_anew_gives_nothing_twice_and_loses_nothing),
		TEST(equal_messages_are_known_as_often_as_they_were_recorded),
		TEST(mail_that_comes_back_later_is_known_then),
		TEST(what_is_owed_held_and_parked_stays_so_under_new_uids),
		TEST(an_intent_keeps_its_name_under_a_new_uid),
		TEST(matching_that_is_cut_off_goes_on),
		TEST(a_server_that_renumbers_at_each_login_is_visited_less),
		TEST(what_an_older_program_recorded_is_not_guessed),
		TEST(a_dry_run_does_not_match),
	};

	(void)alarm(120);
	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
