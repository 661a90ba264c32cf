/* SPDX-License-Identifier: ISC
 *
 * Which folders a mailbox has, and which of them is its trash. */
#include "tests/mailfilter/imap_run.h"

#define LISTED                                                                           \
	"> * LIST (\\HasNoChildren) \".\" Work", "> * LIST (\\Noselect) \".\" Lists",    \
		"> * LIST () \".\" Lists.a", "> * 4 EXISTS",                             \
		"> * LIST () \".\" bad&name", "> * LIST () \".\" inbox",                 \
		"= * LIST () \".\" {12}\r\nEntw&APw-rfe\r\n", "> * LIST () \".\" Work"

static void folders_are_listed_once_and_by_name(void **state)
{
	static const char *const script[] = { LOGIN, "< LIST \"\" \"*\"\r\n", LISTED,
		"> * LIST (\\Trash) \".\" Bin", "> $ OK done", LOGOUT, NULL };
	static const char *const names[] = { "Bin", "Entwürfe", "INBOX", "Lists",
		"Lists.a", "Work" };
	struct source_folder_list list = { 0 };
	struct run run;

	(void)state;
	run_opened(&run, script);
	assert_int_equal(run.source->ops->folders(run.source, &list, &run.err), 0);
	assert_int_equal(list.count, 6);
	for (size_t i = 0; i < 6; i++)
		assert_string_equal(list.items[i].name, names[i]);
	assert_int_equal(list.items[0].marks, SOURCE_FOLDER_TRASH);
	assert_int_equal(list.items[3].marks, SOURCE_FOLDER_NONE);
	assert_int_equal(list.items[4].separator, '.');
	assert_int_equal(list.odd_count, 1);
	assert_non_null(strstr(list.odd.text, "bad&name"));
	free(list.items);
	run_finish(&run);
}

static void folders_that_are_not_listed_say_why(void **state)
{
	static const struct {
		const char *script[6];
		enum err_kind kind;
		const char *why;
	} cases[] = {
		{ { "> $ NO not for you" }, ERR_ACCOUNT, "not for you" },
		{ { "> $ NO [INUSE] later" }, ERR_SESSION, "later" },
		{ { "> $ BAD what" }, ERR_SESSION, "what" },
		{ { "= * LIST () \"/\" {50}\r\nabc" }, ERR_SESSION, "closed" },
		{ { "! flood * LIST () \"/\" \"some folder\"\r\n" }, ERR_SESSION,
			"endless list of folders" },
		{ { "* 10001 * LIST () \"/\" some\r\n", "> $ OK done" }, ERR_ACCOUNT,
			"more than 10000 folders" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *script[STEPS_MAX] = { LOGIN, "< LIST" };
		struct source_folder_list list = { 0 };
		struct run run;
		int result;

		JOIN(script, cases[i].script);
		run_opened(&run, script);
		result = run.source->ops->folders(run.source, &list, &run.err);
		run_check(&run, i, result, cases[i].kind, cases[i].why);
		assert_null(list.items);
		run_end(&run);
	}
}

#define USES                                                                             \
	"> * OK hello", "< CAPABILITY", CAPABLE, "< LOGIN", "> $ OK welcome",            \
		"< CAPABILITY",                                                          \
		"> * CAPABILITY IMAP4rev1 MOVE SPECIAL-USE LIST-EXTENDED",               \
		"> $ OK done", "< SELECT \"INBOX\"", FOLDER

static void the_trash_is_found_once_a_session(void **state)
{
	static const char *const script[] = { USES,
		"< LIST \"\" \"*\" RETURN (SPECIAL-USE)\r\n", LISTED,
		"> * LIST (\\Trash) \".\" M&APw-ll", "> $ OK done",
		"< UID MOVE 1 \"M&APw-ll\"", "> $ OK done", "< UID MOVE 2 \"M&APw-ll\"",
		"> $ OK done", NULL };
	struct run run;

	(void)state;
	run_start(&run, script);
	run.account.after_kind = AFTER_TRASH;
	assert_int_equal(run_select(&run), 0);
	assert_int_equal(run.source->ops->settle(run.source, items, 1, &run.err), 0);
	assert_int_equal(run.source->ops->settle(run.source, items + 1, 1, &run.err), 0);
	run_end(&run);
}

static void without_a_trash_nothing_is_moved(void **state)
{
	static const struct {
		const char *answer, *why;
	} cases[] = {
		{ "> * LIST () \"/\" Other", "marks no folder as trash" },
		{ "> * LIST (\\Trash) \"/\" INBOX", "the folder itself" },
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const char *script[] = { SELECT, "< LIST \"\" \"*\"", cases[i].answer,
			"> $ OK done", LOGOUT, NULL };
		struct run run;

		run_start(&run, script);
		run.account.after_kind = AFTER_TRASH;
		assert_int_equal(run_select(&run), 0);
		assert_int_equal(
			run.source->ops->settle(run.source, items, 1, &run.err), -1);
		assert_int_equal(run.err.kind, ERR_ACCOUNT);
		assert_non_null(strstr(run.err.text, cases[i].why));
		run_finish(&run);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folders_are_listed_once_and_by_name),
		cmocka_unit_test(folders_that_are_not_listed_say_why),
		cmocka_unit_test(the_trash_is_found_once_a_session),
		cmocka_unit_test(without_a_trash_nothing_is_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
