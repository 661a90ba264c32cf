/* SPDX-License-Identifier: ISC */
#include "tests/mailfilter/imap_run.h"

/* Which of the three have this head: "1", "13". */
static const char *with_head(const struct head heads[3], const char *bytes)
{
	static char text[4];
	struct head head = { .known = true };
	size_t used = 0;

	assert_int_equal(hash_span(span_str(bytes), &head.hash, NULL), 0);
	for (char i = 0; i < 3; i++)
		if (head_equal(&heads[(size_t)i], &head))
			text[used++] = (char)('1' + i);
	text[used] = '\0';
	return text;
}

static void heads_are_taken_from_the_start_of_each_message(void **state)
{
	static const char *const script[] = { EXAMINE,
		"< UID FETCH 1:3 (UID BODY.PEEK[]<0.8192>)",
		"= * 3 FETCH (BODY[]<0> {5}\r\nhello UID 3)\r\n",
		"> * 1 FETCH (FLAGS (\\Seen))",
		"= * 9 FETCH (UID 9 BODY[]<0> {3}\r\nbad)\r\n",
		"= * 1 FETCH (UID 1 BODY[]<0> {5}\r\nhello)\r\n",
		"> * 2 FETCH (UID 2 BODY[]<0> NIL)", "> $ OK done", "< EXAMINE", FOLDER,
		"< UID FETCH 2 (UID)", "> $ OK done", LOGOUT, NULL };
	struct head heads[3];
	struct run run;

	(void)state;
	run_selected(&run, script);
	assert_int_equal(
		run.source->ops->heads(run.source, items, 3, heads, &run.err), 0);
	assert_string_equal(with_head(heads, "hello"), "13");
	assert_false(heads[1].known);
	run_finish(&run);
}

static void more_than_a_head_is_no_other_head(void **state)
{
	/* The server gives 9,000 bytes where 8,192 were asked for, and then the whole. */
	static const char *const script[] = { EXAMINE, "< UID FETCH 1:3 (UID",
		"= * 1 FETCH (UID 1 BODY[]<0> {9000}\r\n", "* 9000 x",
		"= )\r\n* 2 FETCH (UID 2 BODY[] {10000}\r\n", "* 10000 x",
		"= )\r\n* 3 FETCH (UID 3 BODY[]<0> {8192}\r\n", "* 8192 x", "= )\r\n",
		"> $ OK done", NULL };
	char bytes[HEAD_BYTES + 1];
	struct head heads[3];
	struct run run;

	(void)state;
	memset(bytes, 'x', HEAD_BYTES);
	bytes[HEAD_BYTES] = '\0';
	run_selected(&run, script);
	assert_int_equal(
		run.source->ops->heads(run.source, items, 3, heads, &run.err), 0);
	assert_string_equal(with_head(heads, bytes), "123");
	run_end(&run);
}

static void heads_that_do_not_come_are_not_guessed(void **state)
{
	static const struct {
		const char *script[20];
		enum err_kind kind;
		const char *known;
	} cases[] = {
		{ { "= * 1 FETCH (UID 1 BODY[]<0> {5}\r\nhello)\r\n", "> $ OK done" },
			ERR_NONE, "1" },
		{ { "= * 1 FETCH (UID 1 BODY[]<0> {5}\r\nhel" }, ERR_SESSION, "" },
		{ { "= * 1 FETCH (UID 1 BODY[]<700> {5}\r\nhello)\r\n", "! stall" },
			ERR_SESSION, "" },
		{ { "> $ NO [INUSE] later" }, ERR_SESSION, "" },
		{ { "> $ NO no", "< UID FETCH 1 (UID", "> $ NO no", "< EXAMINE", FOLDER,
			  "< UID FETCH 1 (UID)", "> $ NO no", "< UID FETCH 2 (UID",
			  "= * 2 FETCH (UID 2 BODY[]<0> {5}\r\nhello)\r\n", "> $ OK done",
			  "< UID FETCH 3 (UID", "> $ NO [EXPUNGEISSUED] gone" },
			ERR_NONE, "2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *script[STEPS_MAX] = { EXAMINE, "< UID FETCH 1:3 (UID" };
		struct head heads[3] = { 0 };
		struct run run;
		int result;

		JOIN(script, cases[i].script);
		run_selected(&run, script);
		result = run.source->ops->heads(run.source, items, 3, heads, &run.err);
		assert_int_equal(result, cases[i].kind == ERR_NONE ? 0 : -1);
		if (result < 0)
			assert_int_equal(run.err.kind, cases[i].kind);
		else
			assert_string_equal(with_head(heads, "hello"), cases[i].known);
		run_end(&run);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_are_taken_from_the_start_of_each_message),
		cmocka_unit_test(more_than_a_head_is_no_other_head),
		cmocka_unit_test(heads_that_do_not_come_are_not_guessed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
