/* SPDX-License-Identifier: ISC */
#include "tests/mailfilter/imap_run.h"

struct fetch_case {
	const char *answer[24];
	const char *text; /* of the sink */
	enum err_kind kind;
	const char *why;
};

static const struct fetch_case fetch_cases[] = {
	{ { ONE, TWO, THREE, "> $ OK done" }, "1=hello;2=two;3=three;", ERR_NONE, "" },
	{ { THREE, ONE, TWO, "> $ OK done" }, "3=three;1=hello;2=two;", ERR_NONE, "" },
	{ { "= * 1 FETCH (BODY[] {5}\r\nhello UID 1)\r\n", TWO, "> $ OK done" },
		"1=hello;2=two;3 absent;", ERR_NONE, "" },
	{ { "= * 1 FETCH (UID 1 FLAGS (\\Seen) BODY[] {5}\r\nhello FLAGS ())\r\n",
		  "> $ OK done" },
		"1=hello;2 absent;3 absent;", ERR_NONE, "" },
	{ { "= * 1 FETCH (UID 1 BODY[] {0}\r\n)\r\n",
		  "= * 2 FETCH (UID 2 BODY[] \"\")\r\n",
		  "= * 3 FETCH (UID 3 BODY[] \"a\\\"b\")\r\n", "> $ OK done" },
		"1=;2=;3=a\"b;", ERR_NONE, "" },
	{ { "= * 1 FETCH (UID 1 BODY[] NIL)\r\n", TWO, THREE, "> $ OK done",
		  "< EXAMINE \"INBOX\"", FOLDER, "< UID FETCH 1 (UID)",
		  "> * 1 FETCH (UID 1)", "> $ OK done" },
		"2=two;3=three;1 nil;", ERR_NONE, "" },
	/* NIL because it was expunged meanwhile; whether or not the server says so at once. */
	{ { "= * 1 FETCH (UID 1 BODY[] NIL)\r\n", TWO, THREE, "> * 1 EXPUNGE",
		  "> $ OK [EXPUNGEISSUED] gone", "< EXAMINE", FOLDER,
		  "< UID FETCH 1 (UID)", "> $ OK done" },
		"2=two;3=three;1 absent;", ERR_NONE, "" },
	{ { ONE, "= * 2 FETCH (UID 2 BODY[] NIL)\r\n", THREE, "> $ OK done", "< EXAMINE",
		  FOLDER, "< UID FETCH 2 (UID)", "> * 2 EXPUNGE",
		  "> * 2 FETCH (UID 3 FLAGS (\\Seen))", "> $ OK done" },
		"1=hello;3=three;2 absent;", ERR_NONE, "" },
	{ { ONE, "= * 2 FETCH (UID 2 BODY[] NIL)\r\n", THREE, "> $ OK done", "< EXAMINE",
		  FOLDER, "< UID FETCH 2 (UID)", "> * BYE shutting down" },
		"1=hello;3=three;", ERR_SESSION, "shutting down" },
	/* Of a folder that was deleted under the session some servers list all, and give none. Then
	 * another has its name, or none; what stays NIL in the same one is asked for no second time. */
	{ { ONE, "= * 2 FETCH (UID 2 BODY[] NIL)\r\n", "> $ OK done", "< EXAMINE",
		  "> * 0 EXISTS", "> * OK [UIDVALIDITY 8] x", "> $ OK done" },
		"1=hello;", ERR_SESSION, "UIDVALIDITY" },
	{ { ONE, "= * 2 FETCH (UID 2 BODY[] NIL)\r\n", "> $ OK done", "< EXAMINE",
		  "> $ NO [NONEXISTENT] no such folder" },
		"1=hello;", ERR_SESSION, "no such folder" },
	{ { "= * 2 FETCH (UID 2 BODY[] NIL)\r\n", "= * 3 FETCH (UID 3 BODY[] NIL)\r\n",
		  ONE, "> $ OK done", "< EXAMINE", FOLDER, "< UID FETCH 2 (UID)",
		  "> * 2 FETCH (UID 2)", "> $ OK done", "< UID FETCH 3 (UID)",
		  "> * 3 FETCH (UID 3)", "> $ OK done" },
		"1=hello;2 nil;3 nil;", ERR_NONE, "" },
	/* NIL first, the body later; and one message in two responses. */
	{ { "= * 1 FETCH (UID 1 BODY[] NIL)\r\n", ONE, TWO, TWO, THREE, "> $ OK done" },
		"1=hello;2=two;discard=two;3=three;", ERR_NONE, "" },
	/* Not asked for, and without a UID. */
	{ { "= * 9 FETCH (UID 77 BODY[] {3}\r\nbad)\r\n",
		  "= * 1 FETCH (BODY[] {3}\r\nbad)\r\n",
		  "= * 9 FETCH (UID 0 BODY[] {3}\r\nbad)\r\n", ONE, "> $ OK done" },
		"discard=bad;discard=bad;discard=bad;1=hello;2 absent;3 absent;",
		ERR_NONE, "" },
	/* News in between. */
	{ { "> * 5 EXISTS", "> * OK [ALERT] (((", ONE, "> * 3 EXPUNGE",
		  "> * 2 FETCH (UID 2 FLAGS (\\Seen))",
		  "> * 2 FETCH (FLAGS (\\Answered))", "> * METADATA \"\" {4}\r\n* 1 (x)",
		  "> * VANISHED 3", "> * LIST () \"/\" x", TWO, "> $ OK done" },
		"1=hello;2=two;3 absent;", ERR_NONE, "" },
	{ { "> $ OK done" }, "1 absent;2 absent;3 absent;", ERR_NONE, "" },
	/* One that cannot be read makes the server refuse the range. */
	{ { ONE, "> $ NO [SERVERBUG] internal error", "< UID FETCH 2 (UID", TWO,
		  "> $ OK done", "< UID FETCH 3 (UID",
		  "> $ NO [SERVERBUG] internal error", "< EXAMINE", FOLDER,
		  "< UID FETCH 3 (UID)", "> $ NO [SERVERBUG] internal error" },
		"1=hello;2=two;3 nil;", ERR_NONE, "" },
	{ { ONE, "> $ NO [EXPUNGEISSUED] gone", "< UID FETCH 2 (UID",
		  "> $ NO [EXPUNGEISSUED] gone", "< UID FETCH 3 (UID", THREE,
		  "> $ OK done" },
		"1=hello;2 absent;3=three;", ERR_NONE, "" },
	{ { ONE, "> $ NO [UNAVAILABLE] later" }, "1=hello;", ERR_SESSION, "later" },
	{ { ONE, "> $ BAD what" }, "1=hello;", ERR_SESSION, "what" },
	{ { ONE, "> * BYE shutting down" }, "1=hello;", ERR_SESSION, "shutting down" },
	{ { ONE, "= * 2 FETCH (UID 2 BODY[] {3}\r\nt" }, "1=hello;", ERR_SESSION,
		"closed" },
	{ { ONE, "= * 2 FETCH (UID 2 BODY[] {3}\r\nt", "! reset" }, "1=hello;",
		ERR_SESSION, "" },
	{ { ONE, "= * 2 FETCH (UID 2 BODY[] {3}\r\ntwo" }, "1=hello;", ERR_SESSION,
		"closed" },
	{ { ONE, TWO, THREE }, "1=hello;2=two;3=three;", ERR_SESSION, "closed" },
	{ { ONE, "= * 2 FETCH (UID 2 BODY[] {2}\r\ntwo)\r\n", "> $ OK done" }, "1=hello;",
		ERR_SESSION, "" },
	{ { ONE, "= * 2 FETCH (UID 2 BODY[] {4}\r\ntwo)\r\n", "> $ OK done" }, "1=hello;",
		ERR_SESSION, "" },
	{ { ONE, "= * 2 FETCH (UID 2 BODY[] {4294967299}\r\ntwo)\r\n" }, "1=hello;",
		ERR_SESSION, "over the limit" },
	{ { ONE, "= * 2 FETCH (UID 2 BODY[] {99999999999}\r\ntwo)\r\n" }, "1=hello;",
		ERR_SESSION, "over the limit" },
	{ { "= * 2 FETCH (UID 2 BODY[] {2000000}\r\n", "! stall" }, "", ERR_SESSION,
		"over the limit" },
	{ { "= * 1 FETCH (UID 1 BODY[] {3}\r\nabc BODY[] {3}\r\ndef)\r\n", "! stall" },
		"", ERR_SESSION, "one whole body" },
	{ { "= * 1 FETCH (UID 1 BODY[]<7> {3}\r\nabc)\r\n", "! stall" }, "", ERR_SESSION,
		"one whole body" },
	{ { "= * 1 FETCH (UID 1 BODY[TEXT] {3}\r\nabc)\r\n", "! stall" }, "", ERR_SESSION,
		"one whole body" },
	{ { "= * 1 FETCH (UID 1 RFC822 {3}\r\nabc)\r\n", "> $ OK done" },
		"1 absent;2 absent;3 absent;", ERR_NONE, "" },
	{ { "= * 1 FETCH (UID 1 BODYSTRUCTURE ", "* 20000 (", "! stall" }, "",
		ERR_SESSION, "too deep" },
	{ { "= * 1 FETCH (UID 1 X ", "! flood y" }, "", ERR_SESSION, "endless line" },
	{ { "! flood * 1 EXISTS\r\n" }, "", ERR_SESSION, "endless answer" },
	{ { "* 20 * 9 FETCH (UID 9 BODY[] {1}\r\nx)\r\n", "! stall" },
		"discard=x;discard=x;discard=x;discard=x;discard=x;discard=x;discard=x;"
		"discard=x;discard=x;discard=x;discard=x;discard=x;discard=x;discard=x;"
		"discard=x;discard=x;",
		ERR_SESSION, "not asked for" },
	{ { ONE, "> * OK [UIDVALIDITY 8] moved", TWO, THREE, "> $ OK done" },
		"1=hello;2=two;3=three;", ERR_SESSION, "UIDVALIDITY" },
	{ { ONE, "! stall" }, "1=hello;", ERR_SESSION, "in time" },
	{ { "= * 1 FETCH (UID 1 BODY[] {500}\r\n",
		  "~ drip drip drip drip drip drip drip drip "
		  "drip drip drip drip drip drip drip drip drip drip drip drip drip drip drip" },
		"", ERR_SESSION, "in time" },
	{ { "~ * 1 FETCH (UID 111111111111111111111111111111111111111111111111111111111" },
		"", ERR_SESSION, "in time" },
};

static void check_fetch(const struct fetch_case *test, size_t number)
{
	const char *script[STEPS_MAX] = { FETCH };
	struct run run;
	int result;

	JOIN(script, test->answer);
	run_start(&run, script);
	run.account.timeout_ms = 600;
	result = run_fetch(&run);
	if (strcmp(fetched_text(&run.fetched), test->text) != 0)
		fail_msg("case %zu: %s (%s)", number, fetched_text(&run.fetched),
			run.err.text);
	run_check(&run, number, result, test->kind, test->why);
	run_end(&run);
}

static void a_fetch_believes_only_what_came_whole_and_was_asked_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(fetch_cases) / sizeof(fetch_cases[0]); i++)
		check_fetch(&fetch_cases[i], i);
}

static void any_byte_may_be_in_a_body(void **state)
{
	static const char *const script[] = { FETCH,
		"= * 1 FETCH (UID 1 BODY[] {10}\r\n\\z\n.\r\n\\z)\r\n\xff)\r\n", TWO,
		THREE, "> $ OK done", NULL };
	static const char expected[] = "1=\0\n.\r\n\0)\r\n\xff;2=two;3=three;";
	struct run run;

	(void)state;
	run_start(&run, script);
	assert_int_equal(run_fetch(&run), 0);
	assert_true(span_equal(buf_span(&run.fetched.text),
		(struct span){ (const uint8_t *)expected, sizeof(expected) - 1 }));
	run_end(&run);
}

static void a_sink_that_refuses_ends_fetch_and_session(void **state)
{
	static const char *const script[] = { FETCH, ONE, TWO, THREE, "> $ OK done",
		NULL };
	struct source_sink sink;
	struct run run;

	(void)state;
	run_start(&run, script);
	run.fetched.refuse = ERR_AGAIN;
	assert_int_equal(run_fetch(&run), -1);
	assert_int_equal(run.err.kind, ERR_AGAIN);
	assert_string_equal(run.err.text, "the sink refuses");
	assert_int_equal(run.fetched.messages, 0);
	/* The session is in the middle of something. */
	sink = fetched_sink(&run.fetched);
	assert_int_equal(
		run.source->ops->fetch(run.source, items, 3, &sink, &run.err), -1);
	run_finish(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fetch_believes_only_what_came_whole_and_was_asked_for),
		cmocka_unit_test(any_byte_may_be_in_a_body),
		cmocka_unit_test(a_sink_that_refuses_ends_fetch_and_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
