/* SPDX-License-Identifier: ISC */
#include "tests/mailfilter/pop3_run.h"

#define LOGIN_OLD LOGIN_AS(INCAPABLE)

static int run_fetch(struct run *run)
{
	struct source_sink sink = fetched_sink(&run->fetched);

	if (run_open(run) < 0)
		return -1;
	return run->source->ops->fetch(run->source, items, 3, &sink, &run->err);
}

struct fetch_case {
	const char *answer[20];
	const char *text;
	enum err_kind kind;
	const char *why;
};

#define ASKED "< RETR 1", "< RETR 2", "< RETR 3"

static const struct fetch_case fetch_cases[] = {
	{ { ASKED, "= +OK\r\none\r\n.\r\n+OK 5 octets follow\r\ntwo\r\n.\r\n",
		  "= +ok\r\nthree\r\n.\r\n" },
		"a=one\r\n;b=two\r\n;c=three\r\n;", ERR_NONE, "" },
	/* Dots, bare LF and empty messages. */
	{ { ASKED, "= +OK\r\n..\r\n...\r\n.x\r\n\n.\n\r\n.\r\n", "= +OK\r\n.\r\n",
		  "= +OK\r\n\r\n.\r\n" },
		"a=.\r\n..\r\nx\r\n\n.\n\r\n;b=;c=\r\n;", ERR_NONE, "" },
	{ { ASKED, "= +OK\r\n1\r\n.\r\n", "> -ERR cannot read it",
		  "= +OK\r\n3\r\n.\r\n" },
		"a=1\r\n;b nil;c=3\r\n;", ERR_NONE, "" },
	{ { ASKED, "= +OK\r\n1\r\n.\r\n", "> -ERR [SYS/TEMP] not now" }, "a=1\r\n;",
		ERR_SESSION, "not now" },
	{ { ASKED, "= +OK\r\n1\r\n.\r\n+OK\r\n2\r\n" }, "a=1\r\n;", ERR_SESSION,
		"closed" },
	{ { ASKED, "= +OK\r\n1\r\n.\r\n+OK\r\n2\r\n." }, "a=1\r\n;", ERR_SESSION,
		"closed" },
	{ { ASKED, "= +OK\r\n1\r\n.\r\n+OK\r\n2\r\n.\n" }, "a=1\r\n;", ERR_SESSION,
		"closed" },
	{ { ASKED, "= +OK\r\n1\r\n.\r\n+OK\r\n2", "! reset" }, "a=1\r\n;", ERR_SESSION,
		"" },
	{ { ASKED, "= +OK\r\n1\r\n.\r\nwhat\r\n" }, "a=1\r\n;", ERR_SESSION,
		"no POP3 answer" },
	{ { ASKED, "= +OK\r\n", "! flood xxxxxxxxxxxxxx\r\n" }, "", ERR_SESSION,
		"over the limit" },
	{ { ASKED, "= +OK\r\n", "! flood x" }, "", ERR_SESSION, "over the limit" },
	{ { ASKED, "= +OK\r\n1\r\n", "! stall" }, "", ERR_SESSION, "in time" },
	{ { ASKED, "= +OK\r\n", "~ one byte at a time is slower than anybody should be" },
		"", ERR_SESSION, "in time" },
};

static void a_fetch_gives_out_what_came_to_its_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(fetch_cases) / sizeof(fetch_cases[0]); i++) {
		const struct fetch_case *test = &fetch_cases[i];
		const char *script[STEPS_MAX] = { LOGIN };
		struct run run;
		int result;

		JOIN(script, test->answer);
		run_start(&run, script);
		run.account.timeout_ms = 500;
		result = run_fetch(&run);
		if (strcmp(fetched_text(&run.fetched), test->text) != 0)
			fail_msg("case %zu: %s (%s)", i, fetched_text(&run.fetched),
				run.err.text);
		run_check(&run, i, result, test->kind, test->why);
		run_end(&run);
	}
}

static void a_nul_is_a_byte_like_others(void **state)
{
	static const char *const script[] = { LOGIN, ASKED,
		"= +OK\r\nab\\zcd\r\n\\z.\r\n.\r\n", "= +OK\r\n2\r\n.\r\n",
		"= +OK\r\n3\r\n.\r\n", NULL };
	static const char expected[] = "a=ab\0cd\r\n\0.\r\n;b=2\r\n;c=3\r\n;";
	struct run run;

	(void)state;
	run_start(&run, script);
	assert_int_equal(run_fetch(&run), 0);
	assert_true(span_equal(buf_span(&run.fetched.text),
		(struct span){ (const uint8_t *)expected, sizeof(expected) - 1 }));
	run_end(&run);
}

static void without_pipelining_one_command_waits_for_the_other(void **state)
{
	static const char *const script[] = { LOGIN_OLD, "< RETR 1",
		"= +OK\r\n1\r\n.\r\n", "< RETR 2", "= +OK\r\n2\r\n.\r\n", "< RETR 3",
		"= +OK\r\n3\r\n.\r\n", "< DELE 1", "> +OK", "< DELE 2", "> +OK",
		"< DELE 3", "> +OK", "< QUIT", "> +OK", NULL };
	struct run run;

	(void)state;
	run_start(&run, script);
	run.account.after_kind = AFTER_DELETE;
	assert_int_equal(run_fetch(&run), 0);
	assert_true(run.source->settle_at_finish);
	assert_int_equal(run.source->ops->settle(run.source, items, 3, &run.err), 0);
	run_finish(&run);
}

static void a_large_message_is_asked_for_alone(void **state)
{
	static const struct source_item large[] = {
		{ .uid = "a", .number = 1, .size = 3000000 },
		{ .uid = "b", .number = 2, .size = 3000000 },
		{ .uid = "c", .number = 3, .size = 10 },
	};
	/* The first answer comes before the second is asked for. */
	static const char *const script[] = { LOGIN, "< RETR 1", "= +OK\r\n1\r\n.\r\n",
		"< RETR 2", "< RETR 3", "= +OK\r\n2\r\n.\r\n+OK\r\n3\r\n.\r\n", NULL };
	struct source_sink sink;
	struct run run;

	(void)state;
	run_opened(&run, script);
	sink = fetched_sink(&run.fetched);
	assert_int_equal(
		run.source->ops->fetch(run.source, large, 3, &sink, &run.err), 0);
	assert_string_equal(fetched_text(&run.fetched), "a=1\r\n;b=2\r\n;c=3\r\n;");
	run_end(&run);
}

static void a_sink_that_refuses_ends_fetch_and_session(void **state)
{
	static const char *const script[] = { LOGIN, ASKED, "= +OK\r\n1\r\n.\r\n",
		"! stall", NULL };
	struct run run;

	(void)state;
	run_start(&run, script);
	run.fetched.refuse = ERR_FATAL;
	assert_int_equal(run_fetch(&run), -1);
	assert_int_equal(run.err.kind, ERR_FATAL);
	assert_string_equal(run.err.text, "the sink refuses");
	assert_int_equal(run.source->ops->settle(run.source, items, 3, &run.err), 0);
	run.account.after_kind = AFTER_DELETE;
	assert_int_equal(run.source->ops->settle(run.source, items, 3, &run.err), -1);
	assert_int_equal(run.err.kind, ERR_SESSION);
	run_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fetch_gives_out_what_came_to_its_end),
		cmocka_unit_test(a_nul_is_a_byte_like_others),
		cmocka_unit_test(without_pipelining_one_command_waits_for_the_other),
		cmocka_unit_test(a_large_message_is_asked_for_alone),
		cmocka_unit_test(a_sink_that_refuses_ends_fetch_and_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
