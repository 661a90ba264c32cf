/* SPDX-License-Identifier: ISC
 *
 * One account from login to logout: what is measured, what ends a run, and what a dry run does. */
#include "tests/mailfilter/mailbox.h"

#include "mailfilter/account_dir.h"

#include <sys/stat.h>
#include <sysexits.h>

#include "common/mime.h"

/* More than are measured first: the last one is measured before it is fetched all the same. */
static void a_folder_is_measured_while_its_first_mail_is_on_its_way(void **state)
{
	static char uids[FAKE_MESSAGES_MAX][4];
	static const char larger[] =
		"From: a@example.org\r\nSubject: larger\r\n\r\nToo much of a text.\r\n";
	struct mailbox *mailbox = *state;
	struct fake_folder *folder = &mailbox->fake.folders[0];
	struct report report;

	mailbox->world.account.folders.count = 1;
	for (size_t i = 0; i < FAKE_MESSAGES_MAX; i++) {
		(void)snprintf(uids[i], sizeof(uids[i]), "%zu", i + 1);
		folder->messages[i] = (struct fake_message){ uids[i], inert, 0, 0, 0 };
	}
	folder->messages[0].bytes = suspicious;
	folder->messages[FAKE_MESSAGES_MAX - 1].bytes = larger;
	mailbox->world.account.message_max = strlen(suspicious);
	report = run(mailbox);
	assert_int_equal(report.held, 1);
	assert_int_equal(report.delivered, FAKE_MESSAGES_MAX - 2);
	assert_int_equal(report.parked, 1);
	assert_int_equal(mailbox->fake.measures, 2);
	assert_int_equal(fake_count(&mailbox->fake, "fetch A/40;"), 0);
	assert_int_equal(row(mailbox, "A", "40").listed_size, strlen(larger));
	assert_int_equal(row(mailbox, "A", "39").listed_size, strlen(inert));
	/* The held one keeps all behind it in the listing; what is done with is not measured. */
	(void)run(mailbox);
	assert_int_equal(mailbox->fake.measures, 3);
}

static void a_message_that_ends_every_session_is_parked_in_one_run(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	mailbox->fake.folders[0].messages[1].breaks = true;
	mailbox->fake.folders[0].messages[2] =
		(struct fake_message){ "3", inert, 0, 0, 0 };
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.parked, 1);
	assert_int_equal(report.delivered, 4);
	assert_int_equal(row(mailbox, "A", "2").state, RECORD_PARKED);
	assert_int_equal(report_exit_code(&report), EX_TEMPFAIL);
	report = run(mailbox);
	assert_int_equal(report_exit_code(&report), EX_OK);
	assert_string_equal(mailbox->fake.log, "");
}

static void a_server_that_never_serves_is_left_alone(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	mailbox->fake.folders[0].messages[0].bytes = suspicious;
	assert_int_equal(run(mailbox).held, 1);
	mailbox->fake.fetches_left = 0;
	mailbox->fake.sessions = 0;
	mailbox->fake.folders[1].messages[2] =
		(struct fake_message){ "3", inert, 0, 0, 0 };
	mailbox->fake.folders[1].messages[3] =
		(struct fake_message){ "4", inert, 0, 0, 0 };
	report = run(mailbox);
	/* It holds and parks: that is no progress. */
	assert_true(mailbox->fake.sessions <= ACCOUNT_SESSIONS_MAX);
	assert_int_equal(report.held, 1);
	assert_in_range(report.parked, 0, 1);
	assert_int_equal(report_exit_code(&report), EX_TEMPFAIL);
}

static bool exists(const struct mailbox *mailbox, const char *name)
{
	char path[160];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", mailbox->world.dir, name);
	return lstat(path, &st) == 0;
}

static void a_dry_run_makes_and_changes_nothing(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	mailbox->world.account.after_kind = AFTER_DELETE;
	mailbox->fake.folders[1].messages[1].bytes = suspicious;
	mailbox->dry_run = true;
	report = run(mailbox);
	assert_int_equal(report.delivered, 3);
	assert_int_equal(report.held, 1);
	assert_int_equal(fake_count(&mailbox->fake, "settle"), 0);
	assert_false(exists(mailbox, "work"));
	assert_false(exists(mailbox, "Maildir"));
	/* Also where there is something owed, held and to be counted. */
	mailbox->dry_run = false;
	mailbox->fake.settle_breaks = 1000;
	report = run(mailbox);
	assert_int_equal(report.delivered, 3);
	mailbox->fake.settle_breaks = 0;
	mailbox->dry_run = true;
	(void)run(mailbox);
	assert_int_equal(fake_count(&mailbox->fake, "settle"), 0);
	assert_int_equal(row(mailbox, "A", "1").state, RECORD_DONE);
	assert_int_equal(row(mailbox, "B", "2").state, RECORD_HELD);
	assert_int_equal(row(mailbox, "B", "2").attempts, 1);
}

static void a_dry_run_ends_with_its_first_session(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	mailbox->dry_run = true;
	mailbox->fake.folders[0].messages[1].breaks = true;
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_SESSION);
	assert_int_equal(mailbox->fake.sessions, 1);
	assert_int_equal(report.delivered, 1);
}

static void a_signal_ends_the_wait_for_a_scanner(void **state)
{
	struct mailbox *mailbox = *state;
	struct report report;

	mailbox->world.settings.scanner_wait_ms = 60000;
	mailbox->fake.folders[0].messages[0].bytes = suspicious;
	assert_int_equal(kill(getpid(), SIGTERM), 0);
	report = run(mailbox);
	assert_int_equal(report_exit_code(&report), EX_TEMPFAIL);
	assert_non_null(strstr(report.err.text, "signal"));
	assert_int_equal(world_files(&mailbox->world, "tmp"), 0);
	mailbox->world.settings.scanner_wait_ms = 50;
	report = run(mailbox);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.held, 1);
	assert_int_equal(world_files(&mailbox->world, "new"), 3);
}

static void a_second_one_is_told_who_is_at_work(void **state)
{
	struct mailbox *mailbox = *state;
	struct account_dir dir;
	struct report report;
	char pid[32];

	assert_int_equal(account_dir_open(mailbox->world.dir, "work", &dir, NULL), 0);
	report = run(mailbox);
	account_dir_close(&dir);
	assert_int_equal(mailbox->fake.sessions, 0);
	assert_int_equal(report_exit_code(&report), EX_TEMPFAIL);
	(void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	assert_non_null(strstr(report.err.text, pid));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_folder_is_measured_while_its_first_mail_is_on_its_way),
		TEST(a_message_that_ends_every_session_is_parked_in_one_run),
		TEST(a_server_that_never_serves_is_left_alone),
		TEST(a_dry_run_makes_and_changes_nothing),
		TEST(a_dry_run_ends_with_its_first_session),
		TEST(a_signal_ends_the_wait_for_a_scanner),
		TEST(a_second_one_is_told_who_is_at_work),
	};

	(void)alarm(120);
	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
