/* SPDX-License-Identifier: ISC */
#include "tests/mailfilter/imap_run.h"

static void listing_takes_each_uid_above_once_and_in_order(void **state)
{
	static const char *const script[] = { EXAMINE,
		"< UID FETCH 4:* (UID RFC822.SIZE INTERNALDATE)",
		"> * 3 FETCH (UID 9 RFC822.SIZE 900 INTERNALDATE \" 1-Feb-2026 12:00:00 +0100\")",
		"> * 2 FETCH (FLAGS (\\Seen))", "> * 2 FETCH (UID 6 FLAGS ())",
		"> * 1 FETCH (RFC822.SIZE 4294967299 UID 5)",
		"> * 3 FETCH (UID 9 RFC822.SIZE 900)",
		"> * 1 FETCH (UID 3 RFC822.SIZE 1)", "> * 1 FETCH (UID 0 RFC822.SIZE 1)",
		"> * 4 EXISTS", "> $ OK done", NULL };
	auto_free struct source_item *list = NULL;
	size_t count = 0;
	struct run run;

	(void)state;
	run_selected(&run, script);
	assert_int_equal(
		run.source->ops->list(run.source, 3, &list, &count, &run.err), 0);
	assert_int_equal(count, 2);
	assert_string_equal(list[0].uid, "5");
	assert_string_equal(list[1].uid, "9");
	assert_int_equal(list[1].size, 900);
	assert_int_equal(list[1].date_s, 1769943600);
	run_end(&run);
}

/* A folder with so many messages and this next UID. */
#define EXAMINE_OF(exists, next)                                                         \
	LOGIN, "< EXAMINE", ("> * " exists " EXISTS"), "> * OK [UIDVALIDITY 7] x",       \
		("> * OK [UIDNEXT " next "] x"), "> $ OK done"

static void a_large_folder_is_listed_in_ranges(void **state)
{
	static const char *const script[] = { EXAMINE_OF("20000", "30000"),
		"< UID FETCH 1:1000 ", "> * 1 FETCH (UID 10 RFC822.SIZE 1)",
		"> $ OK done", "< UID FETCH 1001:5000 ", "> $ OK done",
		"< UID FETCH 5001:21000 ", "> $ OK done", "< UID FETCH 21001:* ",
		"> * 2 FETCH (UID 40000 RFC822.SIZE 2)", "> $ OK done", NULL };
	auto_free struct source_item *list = NULL;
	size_t count = 0;
	struct run run;

	(void)state;
	run_selected(&run, script);
	assert_int_equal(
		run.source->ops->list(run.source, 0, &list, &count, &run.err), 0);
	assert_int_equal(count, 2);
	assert_string_equal(list[1].uid, "40000");
	run_end(&run);
}

static void a_large_folder_is_named_first_and_measured_later(void **state)
{
	static const char dated[] = "> * 2 FETCH (INTERNALDATE \" 1-Feb-2026 12:00:00 "
				    "+0100\" UID 10 RFC822.SIZE 900)";
	static const char *const script[] = { EXAMINE_OF("90", "100"),
		"< UID FETCH 1:* (UID)", "> * 1 FETCH (UID 9)", "> * 2 FETCH (UID 10)",
		"> * 3 FETCH (FLAGS ())", "> * 4 FETCH (UID 11 FLAGS ())", "> $ OK done",
		"< UID FETCH 9:10 (UID RFC822.SIZE INTERNALDATE)",
		"> * 4 FETCH (UID 11 RFC822.SIZE 4)", "> * 2 FETCH (UID 10 FLAGS ())",
		dated, "> $ OK done", "< UID FETCH 11:11 ", "> $ NO not now", NULL };
	auto_free struct source_item *list = NULL;
	const struct source_ops *ops;
	size_t count = 0;
	struct run run;

	(void)state;
	run_selected(&run, script);
	ops = run.source->ops;
	assert_int_equal(ops->names(run.source, 0, &list, &count, &run.err), 1);
	assert_int_equal(count, 3);
	assert_string_equal(list[2].uid, "11");
	assert_int_equal(ops->measure(run.source, list, 2, &run.err), 0);
	/* Gone in between, told, not asked for. */
	assert_int_equal(list[0].size, 0);
	assert_int_equal(list[1].size, 900);
	assert_int_equal(list[1].date_s, 1769943600);
	assert_int_equal(list[2].size, 0);
	assert_int_equal(ops->measure(run.source, list + 2, 1, &run.err), -1);
	assert_int_equal(run.err.kind, ERR_SESSION);
	run_end(&run);
}

static void few_messages_are_named_and_measured_at_once(void **state)
{
	static const char *const script[] = { EXAMINE_OF("90", "100"),
		"< UID FETCH 37:* (UID RFC822.SIZE INTERNALDATE)",
		"> * 2 FETCH (UID 40 RFC822.SIZE 4)", "> $ OK done", NULL };
	auto_free struct source_item *list = NULL;
	size_t count = 0;
	struct run run;

	(void)state;
	run_selected(&run, script);
	assert_int_equal(
		run.source->ops->names(run.source, 36, &list, &count, &run.err), 0);
	assert_int_equal(count, 1);
	assert_int_equal(list[0].size, 4);
	run_end(&run);
}

static void a_listing_that_fails_leaves_nothing(void **state)
{
	static const char *const answers[] = { "> * 1 FETCH (UID 1 RFC822.SIZE",
		"> * 1 FETCH (UID 1 RFC822.SIZE x)", "> $ NO no",
		"= * 1 FETCH (UID 1 RFC822.SIZE 5)\r\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		const char *script[] = { EXAMINE, "< UID FETCH 1:* ", answers[i], NULL };
		struct source_item *list = NULL;
		size_t count = 0;
		struct run run;

		run_selected(&run, script);
		assert_int_equal(
			run.source->ops->list(run.source, 0, &list, &count, &run.err),
			-1);
		assert_int_equal(run.err.kind, ERR_SESSION);
		assert_null(list);
		run_end(&run);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listing_takes_each_uid_above_once_and_in_order),
		cmocka_unit_test(a_large_folder_is_listed_in_ranges),
		cmocka_unit_test(a_large_folder_is_named_first_and_measured_later),
		cmocka_unit_test(few_messages_are_named_and_measured_at_once),
		cmocka_unit_test(a_listing_that_fails_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
