/* SPDX-License-Identifier: ISC
 *
 * A server that goes away at any step, or does not show what it took: a copy that may be there is
 * looked for before it is put again. */
#include "tests/mailfilter/inplace_delivery.h"

#include "common/clock.h"

/* The whole conversation; each step of the server's is a place to stop. */
static const char *const conversation[] = { ENTER, NOOP, LOOK, FACTS, APPEND, "> + go on",
	BYTES, "> 7 OK done", NOOP, FIND, FOUND("11", "the-token"), DONE, HEAD("11"),
	NULL };

static void a_connection_lost_at_any_step_is_told_for_what_it_is(void **state)
{
	const size_t steps = sizeof(conversation) / sizeof(conversation[0]) - 1;
	const char *script[sizeof(conversation) / sizeof(conversation[0]) + 2];
	size_t doubts = 0, sure = 0;

	(void)state;
	for (size_t end = 0; end < steps; end++) {
		bool begun = false;
		struct run run;

		memcpy(script, conversation, end * sizeof(*script));
		script[end] = "! reset";
		script[end + 1] = NULL;
		/* What is read of a literal's lines belongs to one step. */
		if (conversation[end][0] == '<' && end > 0 &&
			conversation[end - 1][0] == '<')
			continue;
		for (size_t i = 0; i < end; i++)
			begun = begun || strcmp(conversation[i], "> + go on") == 0;
		run_one(&run, script);
		if (run.wrote == 0 ? run.showed != -1 : run.wrote != -1)
			fail_msg("step %zu: %d, %d", end, run.wrote, run.showed);
		assert_int_equal(run.err.kind, ERR_AGAIN);
		/* In doubt it is only once the server was told to take the bytes. */
		assert_int_equal(journaled(), begun ? 1 : 0);
		if (begun) {
			assert_true(run.message->repeat);
			doubts++;
		} else {
			sure++;
		}
		run_end(&run, false);
		assert_int_equal(file_remove_tree(top, false, NULL), 0);
	}
	assert_true(doubts >= 4 && sure >= 10);
}

static void put_entry(int64_t until_s)
{
	struct inplace_entry entry = {
		.uidvalidity = 7, .from_uid = 10, .until_s = until_s
	};
	struct inplace_journal journal = { 0 };

	(void)strcpy(entry.name, "1.name");
	(void)strcpy(entry.token, "the-token");
	(void)strcpy(entry.folder, "Inb\xc3\xa4");
	assert_int_equal(inplace_journal_open(top, &journal, NULL), 0);
	assert_int_equal(inplace_journal_put(&journal, &entry, NULL), 0);
	inplace_journal_close(&journal);
}

static void what_a_crash_cut_off_is_looked_for_before_it_is_put_again(void **state)
{
	static const char *const found[] = { ENTER, FIND, FOUND("15", "the-token"), DONE,
		HEAD("15"), LOGOUT, NULL };
	/* Not there, though it had its time; then a NOOP shows what came meanwhile. */
	static const char *const none[] = { ENTER, FIND, FOUND("15", "not-token"), DONE,
		NOOP, FIND, DONE, NOOP, LOGOUT, NULL };
	static const char *const late[] = { ENTER, FIND, DONE, NOOP, FIND,
		FOUND("15", "the-token"), DONE, HEAD("15"), LOGOUT, NULL };
	struct run run;

	(void)state;
	put_entry(clock_wall_s());
	run_start(&run, found);
	assert_int_equal(run.deliver->ops->write(run.deliver, run.message, &run.err), 1);
	assert_int_equal(run.message->placed.uid, 15);
	run_end(&run, true);

	put_entry(clock_wall_s() + 1);
	run_start(&run, late);
	assert_int_equal(run.deliver->ops->write(run.deliver, run.message, &run.err), 1);
	run_end(&run, true);

	put_entry(clock_wall_s() + 1);
	run_start(&run, none);
	assert_int_equal(run.deliver->ops->write(run.deliver, run.message, &run.err), 0);
	assert_int_equal(journaled(), 0);
	run_end(&run, true);
}

static void what_the_server_took_and_does_not_show_is_not_put_again_at_once(void **state)
{
	static const char *const script[] = { ENTER, NOOP, LOOK, FACTS, APPEND,
		"> + go on", BYTES, "> 7 OK [APPENDUID 7 11] done", NOOP, FIND, DONE,
		LOGOUT, NULL };
	static const char *const again[] = { ENTER, FIND, DONE, LOGOUT, NULL };
	struct run run;

	(void)state;
	run_one(&run, script);
	assert_int_equal(run.showed, -1);
	assert_int_equal(run.err.kind, ERR_AGAIN);
	assert_non_null(strstr(run.err.text, "does not show it"));
	assert_true(run.message->repeat);
	run_end(&run, true);
	run_one(&run, again);
	assert_int_equal(run.wrote, -1);
	assert_non_null(strstr(run.err.text, "does not show it"));
	run_end(&run, true);
}

static void where_the_folder_was_numbered_anew_all_of_it_is_looked_through(void **state)
{
	static const char *const script[] = { LOGIN, "< EXAMINE", "> * 2 EXISTS",
		"> * OK [UIDVALIDITY 8] x", "> * OK [UIDNEXT 3] x", "> $ OK done",
		"< UID FETCH 1:*", FOUND("2", "the-token"), DONE, HEAD("2"), LOGOUT,
		NULL };
	static const char *const other[] = { LOGIN, "< EXAMINE", "> * 2 EXISTS",
		"> * OK [UIDVALIDITY 8] x", "> $ OK done", LOGOUT, NULL };
	struct run run;

	(void)state;
	put_entry(clock_wall_s());
	run_start(&run, script);
	assert_int_equal(run.deliver->ops->write(run.deliver, run.message, &run.err), 1);
	assert_int_equal(run.message->placed.uid, 2);
	assert_int_equal(run.message->placed.uidvalidity, 8);
	run.deliver->ops->forget(run.deliver, "1.name");
	run_end(&run, true);

	run_one(&run, other);
	assert_int_equal(run.wrote, -1);
	assert_int_equal(run.err.kind, ERR_AGAIN);
	assert_non_null(strstr(run.err.text, "numbers its messages anew"));
	run_end(&run, true);
}

static int count_placed(void *arg, const struct deliver_placed *placed, struct err *err)
{
	(void)err;
	assert_string_equal(placed->name, "1.name");
	assert_string_equal(placed->folder, "Inb\xc3\xa4");
	assert_int_equal(placed->placed.uid, 15);
	assert_int_equal(placed->placed.uidvalidity, 7);
	(*(int *)arg)++;
	return 0;
}

static void copies_are_told_before_folders_are_listed(void **state)
{
	static const char *const found[] = { ENTER, FIND, FOUND("15", "the-token"), DONE,
		HEAD("15"), LOGOUT, NULL };
	static const char *const none[] = { ENTER, FIND, DONE, LOGOUT, NULL };
	static const char *const away[] = { "! reset", NULL };
	const char *const *const scripts[] = { found, none, away };
	const int told[] = { 1, 0, 0 };
	const size_t left[] = { 1, 0, 1 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct run run;
		int count = 0;

		put_entry(clock_wall_s());
		run_start(&run, scripts[i]);
		assert_int_equal(run.deliver->ops->placed(
					 run.deliver, count_placed, &count, &run.err),
			0);
		assert_int_equal(count, told[i]);
		assert_int_equal(journaled(), left[i]);
		run_end(&run, false);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_connection_lost_at_any_step_is_told_for_what_it_is),
		TEST(what_a_crash_cut_off_is_looked_for_before_it_is_put_again),
		TEST(what_the_server_took_and_does_not_show_is_not_put_again_at_once),
		TEST(where_the_folder_was_numbered_anew_all_of_it_is_looked_through),
		TEST(copies_are_told_before_folders_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
