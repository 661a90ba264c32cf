/* SPDX-License-Identifier: ISC
 *
 * Runs that die: the message that they die of is found and parked, and no other is blamed. */
#include "tests/mailfilter/mailbox.h"

#include "mailfilter/account_dir.h"

#include <sysexits.h>

#include "common/mime.h"

/* A run that dies of what it did, and its parent that sees it. */
static bool crashes(struct mailbox *mailbox)
{
	bool died = dies(mailbox);

	account_dir_note_crash(mailbox->world.dir, "work");
	return died;
}

/* The second of three is one that its reader dies of. */
static void second_kills(struct mailbox *mailbox)
{
	mailbox->fake.folders[0].messages[1].kills = true;
	mailbox->fake.folders[0].messages[2] =
		(struct fake_message){ "3", inert, 0, 0, 0 };
}

static void assert_parked(struct mailbox *mailbox)
{
	struct report report = run(mailbox);

	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.parked, 1);
	assert_int_equal(row(mailbox, "A", "2").state, RECORD_PARKED);
	assert_int_equal(world_files(&mailbox->world, "new"), 5 + 1 - 1);
	report = run(mailbox);
	assert_int_equal(report_exit_code(&report), EX_OK);
}

static void a_message_that_a_process_dies_of_is_found_and_parked(void **state)
{
	struct mailbox *mailbox = *state;

	second_kills(mailbox);
	/* The first takes along what came with it; then it is alone, twice. */
	assert_true(crashes(mailbox));
	assert_int_equal(row(mailbox, "A", "2").state, 0);
	assert_true(crashes(mailbox));
	assert_int_equal(row(mailbox, "A", "1").state, RECORD_SETTLED);
	assert_int_equal(row(mailbox, "A", "2").attempts, 1);
	assert_true(crashes(mailbox));
	assert_parked(mailbox);
}

static void a_message_is_not_blamed_for_kills_that_nobody_saw_until_they_are_many(
	void **state)
{
	struct mailbox *mailbox = *state;

	second_kills(mailbox);
	for (int i = 0; i < 1 + CAREFUL_CUTS; i++)
		assert_true(dies(mailbox));
	assert_int_equal(row(mailbox, "A", "2").state, RECORD_HELD);
	assert_parked(mailbox);
}

static void a_crash_among_kills_from_outside_counts_as_the_first(void **state)
{
	struct mailbox *mailbox = *state;

	second_kills(mailbox);
	for (int i = 0; i < CAREFUL_CUTS; i++)
		assert_true(dies(mailbox));
	assert_true(crashes(mailbox));
	assert_true(dies(mailbox));
	assert_int_equal(row(mailbox, "A", "2").state, RECORD_HELD);
	assert_int_equal(row(mailbox, "A", "2").attempts, CAREFUL_CRASHES);
	assert_true(crashes(mailbox));
	assert_parked(mailbox);
}

static void runs_that_die_of_something_else_park_nothing(void **state)
{
	struct mailbox *mailbox = *state;

	mailbox->fake.folders[1].messages[1].kills = true;
	assert_true(dies(mailbox));
	mailbox->fake.folders[1].messages[1].kills = false;
	mailbox->fake.folders[0].messages[0].kills = true;
	assert_true(dies(mailbox));
	mailbox->fake.folders[0].messages[0].kills = false;
	assert_int_equal(row(mailbox, "A", "1").state, RECORD_HELD);
	assert_int_equal(run(mailbox).delivered, 4);
	assert_int_equal(row(mailbox, "A", "1").state, RECORD_SETTLED);
	assert_int_equal(run(mailbox).listed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_message_that_a_process_dies_of_is_found_and_parked),
		TEST(a_message_is_not_blamed_for_kills_that_nobody_saw_until_they_are_many),
		TEST(a_crash_among_kills_from_outside_counts_as_the_first),
		TEST(runs_that_die_of_something_else_park_nothing),
	};

	(void)alarm(120);
	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
