/* SPDX-License-Identifier: ISC */
#include "tests/mailfilter/imap_run.h"

/* Opened for reading alone until something is to be removed. */
#define OFFERS(capabilities)                                                             \
	"< CAPABILITY", ("> * CAPABILITY IMAP4rev1 " capabilities), "> $ OK done"
#define IN_PLACE(capabilities)                                                           \
	"> * OK hello", OFFERS(capabilities), "< LOGIN", "> $ OK done",                  \
		OFFERS(capabilities), "< EXAMINE \"INBOX\"", FOLDER,                     \
		"< SELECT \"INBOX\"", FOLDER

static const struct {
	const char *script[STEPS_MAX];
	const char *folder; /* for originals, or NULL */
	size_t count;
	bool marked;
	enum err_kind kind;
} in_place_cases[] = {
	{ { IN_PLACE("UIDPLUS"), "< UID STORE 1:3 +FLAGS.SILENT (\\Deleted)",
		  "> $ OK done", "< UID EXPUNGE 1:3", "> $ OK done" },
		NULL, 3, false, ERR_NONE },
	{ { IN_PLACE(""), "< UID STORE 1:3 +FLAGS.SILENT (\\Deleted)", "> $ OK done" },
		NULL, 3, true, ERR_NONE },
	{ { IN_PLACE("MOVE"), "< UID MOVE 1:3 \"kept\"", "> $ OK done" }, "kept", 3,
		false, ERR_NONE },
	{ { IN_PLACE("UIDPLUS"), "< UID COPY 1:3 \"kept\"", "> $ OK done",
		  "< UID STORE 1:3 +FLAGS.SILENT (\\Deleted)", "> $ OK done",
		  "< UID EXPUNGE 1:3", "> $ OK done" },
		"kept", 3, false, ERR_NONE },
	{ { IN_PLACE(""), "< UID COPY 1:3 \"kept\"", "> $ NO [OVERQUOTA] full" }, "kept",
		3, false, ERR_ACCOUNT },
	{ { EXAMINE, "< SELECT \"INBOX\"", "> * OK [UIDVALIDITY 8] x", "> $ OK done" },
		NULL, 3, false, ERR_SESSION },
};

static void what_was_replaced_in_place_is_removed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(in_place_cases) / sizeof(in_place_cases[0]); i++) {
		char folder[] = "kept";
		struct run run;
		int result;

		run_start(&run, in_place_cases[i].script);
		run.account.deliver_kind = DELIVER_INPLACE;
		run.account.after_kind =
			in_place_cases[i].folder ? AFTER_MOVE : AFTER_DELETE;
		run.account.after_folder = folder;
		assert_int_equal(run_select(&run), 0);
		result = run.source->ops->settle(
			run.source, items, in_place_cases[i].count, &run.err);
		run_check(&run, i, result, in_place_cases[i].kind, "");
		assert_int_equal(run.source->leaves_marked, in_place_cases[i].marked);
		run_end(&run);
	}
}

struct settle_case {
	enum after_kind after;
	enum err_kind kind;
	const char *script[12];
	const char *why;
};

static const struct settle_case settle_cases[] = {
	{ AFTER_FLAG, ERR_NONE,
		{ "< UID STORE 1:3 +FLAGS.SILENT (\\Flagged)", "> $ OK done" }, "" },
	{ AFTER_FLAG, ERR_ACCOUNT,
		{ "< UID STORE 1:3 +FLAGS.SILENT (\\Flagged)", "> $ NO read-only" },
		"read-only" },
	{ AFTER_DELETE, ERR_NONE,
		{ "< UID STORE 1:3 +FLAGS.SILENT (\\Deleted)", "> $ OK done",
			"< UID EXPUNGE 1:3", "> * 1 EXPUNGE", "> $ OK done" },
		"" },
	{ AFTER_DELETE, ERR_SESSION, { "< UID STORE 1:3", "> $ NO [INUSE] busy" },
		"busy" },
	{ AFTER_MOVE, ERR_NONE,
		{ "< UID MOVE 1:3 \"done\"", "> * OK [COPYUID 7 1:3 4:6] moved",
			"> * 1 EXPUNGE", "> $ OK done" },
		"" },
	{ AFTER_MOVE, ERR_NONE,
		{ "< UID MOVE 1:3 \"done\"", "> $ NO [TRYCREATE] none",
			"< CREATE \"done\"", "> $ OK done", "< UID MOVE 1:3 \"done\"",
			"> $ OK [COPYUID 7 1:3 4:6] done" },
		"" },
	{ AFTER_MOVE, ERR_ACCOUNT,
		{ "< UID MOVE 1:3 \"done\"", "> $ NO [TRYCREATE] none",
			"< CREATE \"done\"", "> $ OK done", "< UID MOVE 1:3 \"done\"",
			"> $ NO [TRYCREATE] still none" },
		"still none" },
	{ AFTER_MOVE, ERR_ACCOUNT,
		{ "< UID MOVE 1:3 \"done\"", "> $ NO [TRYCREATE] none",
			"< CREATE \"done\"", "> $ NO not allowed" },
		"not allowed" },
	{ AFTER_MOVE, ERR_SESSION, { "< UID MOVE", "= $ O" }, "closed" },
	/* Another client deletes some of them meanwhile. */
	{ AFTER_FLAG, ERR_NONE,
		{ "< UID STORE 1:3 +FLAGS.SILENT (\\Flagged)", "> * 2 EXPUNGE",
			"> * 7 EXISTS", "> * 1 FETCH (UID 1 FLAGS (\\Flagged))",
			"> * 1 FETCH (FLAGS (\\Seen))", "> * VANISHED 2",
			"> $ NO [EXPUNGEISSUED] some are gone" },
		"" },
	{ AFTER_DELETE, ERR_NONE,
		{ "< UID STORE 1:3", "> * 2 EXPUNGE",
			"> $ NO [EXPUNGEISSUED] some are gone", "< UID EXPUNGE 1:3",
			"> * 1 EXPUNGE", "> * 1 EXPUNGE", "> $ OK done" },
		"" },
	{ AFTER_MOVE, ERR_SESSION,
		{ "< UID MOVE 1:3", "> $ NO [EXPUNGEISSUED] some are gone" },
		"some are gone" },
	{ AFTER_FLAG, ERR_SESSION,
		{ "< UID STORE 1:3", "> * OK [UIDVALIDITY 8] moved", "> $ OK done" },
		"UIDVALIDITY" },
	{ AFTER_FLAG, ERR_SESSION, { "< UID STORE 1:3", "> * BYE going down" },
		"going down" },
	{ AFTER_FLAG, ERR_SESSION, { "< UID STORE 1:3", "! stall" }, "in time" },
};

static void settling_asks_for_what_the_account_says_and_no_more(void **state)
{
	char folder[] = "done";

	(void)state;
	for (size_t i = 0; i < sizeof(settle_cases) / sizeof(settle_cases[0]); i++) {
		const struct settle_case *test = &settle_cases[i];
		const char *script[STEPS_MAX] = { SELECT };
		struct run run;
		int result;

		JOIN(script, test->script);
		run_start(&run, script);
		run.account.after_kind = test->after;
		run.account.after_folder = folder;
		assert_int_equal(run_select(&run), 0);
		result = run.source->ops->settle(run.source, items, 3, &run.err);
		run_check(&run, i, result, test->kind, test->why);
		run_end(&run);
	}
}

static void keeping_sends_nothing(void **state)
{
	static const char *const script[] = { EXAMINE, LOGOUT, NULL };
	struct run run;

	(void)state;
	run_selected(&run, script);
	assert_int_equal(run.source->ops->settle(run.source, items, 3, &run.err), 0);
	run_finish(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_replaced_in_place_is_removed),
		cmocka_unit_test(settling_asks_for_what_the_account_says_and_no_more),
		cmocka_unit_test(keeping_sends_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
