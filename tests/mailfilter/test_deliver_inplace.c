/* SPDX-License-Identifier: ISC
 *
 * Delivery in place against a server that follows a script: what is said in which order, and what a
 * server that refuses leaves behind. */
#include "tests/mailfilter/inplace_delivery.h"

#include "common/clock.h"

#define ODD_FACTS                                                                         \
	("> * 4 FETCH (UID 4 FLAGS (\\Odd \\Flagged $Work \\flagged $work) INTERNALDATE " \
	 "\"31-Feb-2020 03:04:05 +0199\")")

#define UID_LAST                                                                         \
	("= * 6 FETCH (BODY[HEADER.FIELDS (X-QUARANTINE-ID MESSAGE-ID)]<0> "             \
	 "{30}\r\nX-Quarantine-ID: the-token\r\n\r\n UID 11 RFC822.SIZE 47)\r\n")

static void a_copy_has_flags_and_date_and_is_found_by_its_token(void **state)
{
	/* In any order, with news in between; a false APPENDUID is not even looked at. */
	static const char *const script[] = { ENTER, NOOP, LOOK,
		"> * 2 FETCH (FLAGS (\\Deleted))", FACTS, APPEND, "> * 6 EXISTS",
		"> * 1 RECENT", "> * 3 FETCH (FLAGS (\\Seen))", "> + go on", BYTES,
		"> * 7 EXISTS", "> 7 OK [APPENDUID 99 1234567] done", NOOP, FIND,
		FOUND("9", "the-token"), FOUND("13", "the-token"),
		FOUND("12", "not-token"), UID_LAST, DONE, HEAD("11"), LOGOUT, NULL };
	struct run run;

	(void)state;
	run_one(&run, script);
	if (run.showed != 0)
		fail_msg("%s", run.err.text);
	assert_int_equal(run.message->placed.uid, 11);
	assert_int_equal(run.message->placed.uidvalidity, 7);
	assert_int_equal(run.message->placed.size, 47);
	assert_true(run.message->placed.head.known);
	assert_int_equal(journaled(), 1);
	run.deliver->ops->forget(run.deliver, "1.name");
	assert_int_equal(journaled(), 0);
	run_end(&run, true);
}

static void what_has_gone_is_not_brought_back(void **state)
{
	static const char *const script[] = { ENTER, NOOP, LOOK,
		"> * 5 FETCH (UID 5 FLAGS ())", "> $ OK done", LOGOUT, NULL };
	static const char *const issued[] = { ENTER, NOOP, LOOK,
		"> $ NO [EXPUNGEISSUED] gone", LOGOUT, NULL };
	const char *const *const scripts[] = { script, issued };
	struct run run;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		run_one(&run, scripts[i]);
		assert_int_equal(run.showed, 0);
		assert_int_equal(run.message->placed.uid, 0);
		assert_non_null(strstr(run.message->remark, "it has left its folder"));
		assert_int_equal(journaled(), 0);
		run_end(&run, true);
	}
}

static void odd_flags_and_dates_do_not_go_back(void **state)
{
	static const char *const script[] = { ENTER, NOOP, LOOK, ODD_FACTS, "> $ OK done",
		"< APPEND \"Inb&AOQ-\" (\\Flagged $Work) {45}", "> $ NO no", LOGOUT,
		NULL };
	struct run run;

	(void)state;
	run_one(&run, script);
	assert_int_equal(run.showed, -1);
	assert_non_null(strstr(run.err.text, "refuses: no"));
	run_end(&run, true);
}

static void a_refusal_is_final_and_leaves_nothing(void **state)
{
	static const char *const before[] = { ENTER, NOOP, LOOK, FACTS, APPEND,
		"> $ NO [OVERQUOTA] full", LOGOUT, NULL };
	static const char *const behind[] = { ENTER, NOOP, LOOK, FACTS, APPEND, "> +",
		BYTES, "> 7 NO [TRYCREATE] gone", LOGOUT, NULL };
	static const char *const bad[] = { ENTER, NOOP, LOOK, FACTS, APPEND,
		"> $ BAD what", NULL };
	static const struct {
		const char *const *script;
		const char *says;
	} cases[] = { { before, "the server refuses: [OVERQUOTA] full" },
		{ behind, "the server refuses: [TRYCREATE] gone" },
		{ bad, "the server does not take a command: what" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run run;

		run_one(&run, cases[i].script);
		if (run.showed != -1 || run.err.kind != ERR_AGAIN ||
			!strstr(run.err.text, cases[i].says))
			fail_msg("case %zu: %d, %s", i, run.showed, run.err.text);
		assert_false(run.message->repeat);
		assert_int_equal(run.message->placed.uid, 0);
		assert_int_equal(journaled(), 0);
		run_end(&run, true);
	}
}

static void what_is_not_changed_needs_no_server(void **state)
{
	static const char *const script[] = { "! reset", NULL };
	static const enum action actions[] = { ACTION_DELIVER, ACTION_NONE };
	struct run run;

	(void)state;
	run_start(&run, script);
	for (size_t i = 0; i < 2; i++) {
		run.message->action = actions[i];
		run_deliver(&run);
		assert_int_equal(run.wrote, 0);
		assert_int_equal(run.showed, 0);
	}
	/* The script ends once somebody connects. */
	run.message->action = ACTION_CLEAN;
	run_deliver(&run);
	assert_int_equal(run.wrote, -1);
	run_end(&run, false);
}

static void a_copy_without_its_token_is_not_put(void **state)
{
	static const char *const script[] = { ENTER, LOGOUT, NULL };
	struct run run;

	(void)state;
	run_start(&run, script);
	(void)strcpy(run.message->quarantine_id, "another");
	run_deliver(&run);
	assert_int_equal(run.showed, -1);
	assert_int_equal(run.err.kind, ERR_AGAIN);
	assert_non_null(strstr(run.err.text, "no X-Quarantine-ID"));
	run_end(&run, true);
}

#define WRITE                                                                            \
	"< SELECT \"Inb&AOQ-\"", FOLDER,                                                 \
		"< UID STORE 4 +FLAGS.SILENT ($MailfilterUnscannable)"

static void a_tag_is_a_keyword_where_the_server_keeps_them(void **state)
{
	static const char *const kept[] = { ENTER, NOOP, LOOK, FACTS, WRITE, DONE, LOOK,
		"> * 4 FETCH (UID 4 FLAGS (\\Seen $mailfilterunscannable))", DONE, LOGOUT,
		NULL };
	static const char *const dropped[] = { ENTER, NOOP, LOOK, FACTS, WRITE, DONE,
		LOOK, FACTS, LOGOUT, NULL };
	static const char *const no[] = { ENTER, NOOP, LOOK, FACTS, WRITE, "> $ NO never",
		LOGOUT, NULL };
	static const char *const bad[] = { ENTER, NOOP, LOOK, FACTS, WRITE,
		"> $ BAD what", NULL };
	static const struct {
		const char *const *script;
		const char *remark;
	} cases[] = { { kept, "" },
		{ dropped, "not marked: the server keeps no keywords" },
		{ no, "not marked: cannot set a keyword: the server refuses: never" },
		{ bad, "not marked: the server does not take a command: what" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct run run;

		run_start(&run, cases[i].script);
		run.message->action = ACTION_TAG;
		run_deliver(&run);
		assert_int_equal(run.showed, 0);
		assert_int_equal(run.message->placed.uid, 0);
		if (cases[i].remark[0] ? !strstr(run.message->remark, cases[i].remark)
				       : run.message->remark[0] != '\0')
			fail_msg("case %zu: %s", i, run.message->remark);
		run_end(&run, true);
	}
}

static void a_server_that_does_not_go_on_with_a_message_is_left(void **state)
{
	static const char *const literal[] = { ENTER, NOOP, LOOK, FACTS, APPEND,
		"= * LIST () {5}\r\nhello\r\n* 4 FETCH (BODY[] {3}\r\n", "! stall",
		NULL };
	static const char *const endless[] = { ENTER, NOOP, LOOK, FACTS, APPEND,
		"! flood * 6 EXISTS\r\n", NULL };
	const char *const *const scripts[] = { literal, endless };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const int64_t from_ms = clock_ms();
		struct run run;

		run_one(&run, scripts[i]);
		assert_int_equal(run.showed, -1);
		assert_int_equal(run.err.kind, ERR_AGAIN);
		assert_false(run.message->repeat);
		assert_in_range(clock_ms() - from_ms, 0, 8000);
		run_end(&run, true);
	}
}

static void what_is_released_goes_back_as_it_is_and_is_found_by_its_bytes(void **state)
{
	static const char *const script[] = { ENTER, NOOP,
		"< APPEND \"Inb&AOQ-\" () {10}", "> + go on", "< infected\r\n", "< \r\n",
		"> 6 OK done", NOOP, "< UID FETCH 10:* (UID RFC822.SIZE INTERNALDATE)",
		"> * 5 FETCH (UID 10 RFC822.SIZE 11)",
		"> * 6 FETCH (UID 11 RFC822.SIZE 10)",
		"> * 7 FETCH (UID 12 RFC822.SIZE 10)", DONE,
		"< UID FETCH 11 (UID BODY.PEEK[])",
		"= * 6 FETCH (UID 11 BODY[] {10}\r\ninfectet\r\n)\r\n", DONE,
		"< UID FETCH 12 (UID BODY.PEEK[])",
		"= * 7 FETCH (UID 12 BODY[] {10}\r\ninfected\r\n)\r\n", DONE, HEAD("12"),
		LOGOUT, NULL };
	struct run run;

	(void)state;
	tools.releases = true;
	run_start(&run, script);
	run.message->action = ACTION_DELIVER;
	run.message->key.uidvalidity = 3; /* of long ago */
	assert_int_equal(
		body_add(&run.message->body, span_str("infected\r\n"), &run.err), 0);
	run_deliver(&run);
	if (run.showed != 0)
		fail_msg("%d, %s", run.showed, run.err.text);
	assert_int_equal(run.message->placed.uid, 12);
	run_end(&run, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_copy_has_flags_and_date_and_is_found_by_its_token),
		TEST(what_has_gone_is_not_brought_back),
		TEST(odd_flags_and_dates_do_not_go_back),
		TEST(a_refusal_is_final_and_leaves_nothing),
		TEST(what_is_not_changed_needs_no_server),
		TEST(a_copy_without_its_token_is_not_put),
		TEST(a_tag_is_a_keyword_where_the_server_keeps_them),
		TEST(a_server_that_does_not_go_on_with_a_message_is_left),
		TEST(what_is_released_goes_back_as_it_is_and_is_found_by_its_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
