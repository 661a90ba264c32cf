/* SPDX-License-Identifier: ISC */
#include "tests/mailfilter/imap_run.h"

/* No MOVE: what may have been copied by a session that broke. */
#define POOR                                                                             \
	"> * OK hello", "< CAPABILITY", "> * CAPABILITY IMAP4rev1", "> $ OK done",       \
		"< LOGIN", "> $ OK in", "< CAPABILITY", "> * CAPABILITY IMAP4rev1",      \
		"> $ OK done", "< SELECT \"INBOX\"", FOLDER
#define HEADS                                                                            \
	"< UID FETCH 1:2 (UID BODY.PEEK[]<0.8192>)",                                     \
		"= * 1 FETCH (UID 1 BODY[]<0> {3}\r\none)\r\n",                          \
		"= * 2 FETCH (UID 2 BODY[]<0> {3}\r\ntwo)\r\n", "> $ OK done"

struct copy_case {
	const char *script[30];
	enum err_kind kind;
	const char *why;
};

static const struct copy_case copy_cases[] = {
	/* The first is there, another of its size is not. */
	{ { HEADS, "< EXAMINE \"done\"", FOLDER, "< UID FETCH 1:*",
		  "> * 1 FETCH (UID 7 RFC822.SIZE 3)",
		  "> * 2 FETCH (UID 8 RFC822.SIZE 4)",
		  "> * 3 FETCH (UID 9 RFC822.SIZE 3)", "> $ OK done",
		  "< UID FETCH 7,9 (UID BODY.PEEK[]<0.8192>)",
		  "= * 1 FETCH (UID 7 BODY[]<0> {3}\r\nxxx)\r\n",
		  "= * 3 FETCH (UID 9 BODY[]<0> {3}\r\none)\r\n", "> $ OK done",
		  "< SELECT \"INBOX\"", FOLDER, "< UID STORE 1 +FLAGS.SILENT (\\Deleted)",
		  "> $ OK done", "< UID COPY 2:3 \"done\"", "> $ OK done",
		  "< UID STORE 2:3 +FLAGS.SILENT (\\Deleted)", "> $ OK done" },
		ERR_NONE, "" },
	/* The folder is not there yet. */
	{ { HEADS, "< EXAMINE \"done\"", "> $ NO [NONEXISTENT] none",
		  "< SELECT \"INBOX\"", FOLDER, "< UID COPY 1:3 \"done\"",
		  "> $ NO [TRYCREATE] none", "< CREATE \"done\"", "> $ OK done",
		  "< UID COPY 1:3 \"done\"", "> $ OK done", "< UID STORE 1:3",
		  "> $ OK done" },
		ERR_NONE, "" },
	{ { HEADS, "< EXAMINE \"done\"", FOLDER, "< UID FETCH 1:*", "> * BYE bye" },
		ERR_SESSION, "bye" },
	{ { HEADS, "< EXAMINE \"done\"", FOLDER, "< UID FETCH 1:*", "> $ OK done",
		  "< SELECT \"INBOX\"", "> * OK [UIDVALIDITY 8] x", "> $ OK done" },
		ERR_SESSION, "UIDVALIDITY" },
};

static void a_copy_of_a_broken_session_is_not_made_again(void **state)
{
	struct source_item owed[] = { { .uid = "1", .size = 3, .again = true },
		{ .uid = "2", .size = 3, .again = true }, { .uid = "3", .size = 3 } };
	char folder[] = "done";

	(void)state;
	for (size_t i = 0; i < sizeof(copy_cases) / sizeof(copy_cases[0]); i++) {
		const struct copy_case *test = &copy_cases[i];
		const char *script[STEPS_MAX] = { POOR };
		struct run run;
		int result;

		JOIN(script, test->script);
		run_start(&run, script);
		run.account.after_kind = AFTER_MOVE;
		run.account.after_folder = folder;
		assert_int_equal(run_select(&run), 0);
		result = run.source->ops->settle(run.source, owed, 3, &run.err);
		run_check(&run, i, result, test->kind, test->why);
		run_end(&run);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_of_a_broken_session_is_not_made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
