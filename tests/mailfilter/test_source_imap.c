/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>

#include "common/clock.h"

#include "mailfilter/source.h"
#include "tests/mailfilter/fake_server.h"
#include "tests/mailfilter/fetched.h"

enum {
	STEPS_MAX = 100,
	MESSAGE_BYTES_MAX = 100000
};

/* What most scripts begin with. */
#define CAPABLE "> * CAPABILITY IMAP4rev1 UIDPLUS MOVE", "> $ OK done"
#define LOGIN                                                                            \
	"> * OK hello", "< CAPABILITY", CAPABLE, "< LOGIN \"user\" \"pass\"",            \
		"> $ OK welcome", "< CAPABILITY", CAPABLE
#define FOLDER                                                                           \
	"> * 3 EXISTS", "> * OK [UIDVALIDITY 7] x", "> * OK [UIDNEXT 10] x", "> $ OK done"
#define EXAMINE LOGIN, "< EXAMINE \"INBOX\"", FOLDER
#define SELECT  LOGIN, "< SELECT \"INBOX\"", FOLDER
#define FETCH   EXAMINE, "< UID FETCH 1:3 (UID BODY.PEEK[])"
#define LOGOUT  "< LOGOUT", "> * BYE bye", "> $ OK done"

static char user[] = "user", host[] = "127.0.0.1", after[] = "as the test says";

static struct account_settings account_for(const struct fake_server *fake)
{
	return (struct account_settings){ .kind = SOURCE_IMAP,
		.user = user,
		.host = host,
		.port = fake->port,
		.tls = TLS_NONE,
		.auth = AUTH_PLAIN,
		.after = after,
		.after_kind = AFTER_KEEP,
		.message_max = MESSAGE_BYTES_MAX,
		.timeout_ms = 2000 };
}

static const struct source_item items[] = { { .uid = "1" }, { .uid = "2" },
	{ .uid = "3" } };

/* Everything a run may need, on one stack. */
struct run {
	struct fake_server fake;
	struct account_settings account;
	struct source *source;
	struct fetched fetched;
	uint32_t uidvalidity;
	struct err err;
};

static void run_start(struct run *run, const char *const *script)
{
	*run = (struct run){ .fake = fake_start(script) };
	run->account = account_for(&run->fake);
	fetched_init(&run->fetched);
}

static int run_open(struct run *run)
{
	return source_open(
		&run->account, "pass", &stream_wait_plain, &run->source, &run->err);
}

static int run_select(struct run *run)
{
	if (run_open(run) < 0)
		return -1;
	return run->source->ops->select(
		run->source, "INBOX", &run->uidvalidity, &run->err);
}

static int run_fetch(struct run *run)
{
	struct source_sink sink = fetched_sink(&run->fetched);

	if (run_select(run) < 0)
		return -1;
	return run->source->ops->fetch(run->source, items, 3, &sink, &run->err);
}

static void run_end(struct run *run)
{
	if (run->source)
		run->source->ops->close(run->source);
	assert_true(fake_end(&run->fake));
	fetched_done_with(&run->fetched);
}

/* A server that takes tokens, and more. */
#define TOKENS                                                                               \
	"> * OK hello", "< CAPABILITY",                                                      \
		"> * CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 AUTH=OAUTHBEARER SASL-IR", \
		"> $ OK done"
#define TOKENS_ALONE                                                                     \
	"> * OK hello", "< CAPABILITY", "> * CAPABILITY AUTH=XOAUTH2", "> $ OK done"
#define WHY        "> + eyJzdGF0dXMiOiI0MDEiLCJzY29wZSI6ImF8YiJ9"
#define XOAUTH2    "< dXNlcj11c2VyAWF1dGg9QmVhcmVyIHBhc3MBAQ=="
#define BY_XOAUTH2 "< AUTHENTICATE XOAUTH2 dXNlcj11c2VyAWF1dGg9QmVhcmVyIHBhc3MBAQ=="
/* To where the port is. */
#define BY_OAUTHBEARER                                                                   \
	"< AUTHENTICATE OAUTHBEARER bixhPXVzZXIsAWhvc3Q9MTI3LjAuMC4xAXBvcnQ9"

struct open_case {
	const char *script[STEPS_MAX];
	enum err_kind kind;
	const char *text;
	enum tls_mode tls;
	enum auth_kind auth;
};

static const struct open_case open_cases[] = {
	{ { "> * BYE [UNAVAILABLE] too many" }, ERR_SESSION, "too many", TLS_NONE, 0 },
	{ { "> SSH-2.0-OpenSSH" }, ERR_SESSION, "", TLS_NONE, 0 },
	{ { "> * OK [PERMANENTFLAGS ( hello" }, ERR_SESSION, "status code", TLS_NONE, 0 },
	{ { "> * OK [BADCHARSET (a)] hello" }, ERR_SESSION, "status code", TLS_NONE, 0 },
	{ { "! reset" }, ERR_SESSION, "", TLS_NONE, 0 },
	{ { NULL }, ERR_SESSION, "closed the connection", TLS_NONE, 0 },
	{ { "= * OK hel" }, ERR_SESSION, "closed the connection", TLS_NONE, 0 },
	{ { "! flood x" }, ERR_SESSION, "endless line", TLS_NONE, 0 },
	{ { "> * PREAUTH hello" }, ERR_ACCOUNT, "before STARTTLS", TLS_VERIFY, 0 },
	{ { "> * OK hello", "< CAPABILITY", CAPABLE }, ERR_ACCOUNT, "no STARTTLS",
		TLS_VERIFY, 0 },
	{ { "> * OK hello", "< CAPABILITY", "> * CAPABILITY IMAP4rev1 STARTTLS",
		  "> $ OK done", "< STARTTLS", "> $ NO not today" },
		ERR_ACCOUNT, "not today", TLS_VERIFY, 0 },
	{ { "> * OK hello", "< CAPABILITY", "> * CAPABILITY IMAP4rev1 STARTTLS",
		  "> $ OK done", "< STARTTLS", "= $ OK begin\r\n* OK injected\r\n" },
		ERR_SESSION, "somebody may be in between", TLS_VERIFY, 0 },
	{ { "> * OK hello", "< CAPABILITY", "> * CAPABILITY IMAP4rev1 STARTTLS",
		  "> $ OK done", "< STARTTLS", "= $ OK begin\r\n*" },
		ERR_SESSION, "somebody may be in between", TLS_VERIFY, 0 },
	{ { "> * OK hello", "< CAPABILITY", "> * CAPABILITY IMAP4rev1 STARTTLS",
		  "> $ OK done", "< STARTTLS", "> $ OK begin", "! stall" },
		ERR_SESSION, "in time", TLS_VERIFY, 0 },
	{ { "> * OK hello", "< CAPABILITY", CAPABLE, "< LOGIN",
		  "> $ NO [AUTHENTICATIONFAILED] wrong" },
		ERR_AUTH, "wrong", TLS_NONE, AUTH_PLAIN },
	{ { "> * OK hello", "< CAPABILITY", CAPABLE, "< LOGIN", "> $ NO wrong" },
		ERR_AUTH, "127.0.0.1 refuses the login of user: wrong", TLS_NONE, 0 },
	/* What it was told has no place in a log. */
	{ { TOKENS, "< AUTHENTICATE PLAIN", "> $ NO what is AHVzZXIAcGFzcw==" }, ERR_AUTH,
		"127.0.0.1 takes no login of user, with words that hold", TLS_NONE, 0 },
	{ { TOKENS, "< AUTHENTICATE PLAIN", "> $ BAD AHVzZXIAcGFzcw==" }, ERR_SESSION,
		"127.0.0.1 takes no login of user, with words that hold", TLS_NONE, 0 },
	{ { "> * OK hello", "< CAPABILITY", CAPABLE, "< LOGIN",
		  "> $ NO [UNAVAILABLE] later" },
		ERR_SESSION, "[UNAVAILABLE] later", TLS_NONE, 0 },
	{ { "> * OK hello", "< CAPABILITY", CAPABLE, "< LOGIN", "> $ NO [INUSE] busy" },
		ERR_SESSION, "[INUSE] busy", TLS_NONE, 0 },
	{ { "> * OK hello", "< CAPABILITY", CAPABLE, "< LOGIN", "> $ BAD what" },
		ERR_SESSION, "what", TLS_NONE, 0 },
	{ { "> * OK hello", "< CAPABILITY", CAPABLE, "< LOGIN", "> * BYE go away" },
		ERR_SESSION, "ends the session: go away", TLS_NONE, 0 },
	{ { "> * OK hello", "< CAPABILITY", "> * CAPABILITY IMAP4rev1 LOGINDISABLED",
		  "> $ OK done" },
		ERR_ACCOUNT, "LOGINDISABLED", TLS_NONE, 0 },
	{ { "> * OK hello", "< CAPABILITY", "> * CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR",
		  "> $ OK done",
		  "< AUTHENTICATE PLAIN AHVzZXIAcGFzcw==", "> $ NO wrong" },
		ERR_AUTH, "wrong", TLS_NONE, AUTH_PLAIN },
	{ { "> * OK hello", "< CAPABILITY", "> * CAPABILITY IMAP4rev1 AUTH=PLAIN",
		  "> $ OK done", "< AUTHENTICATE PLAIN", "> $ NO wrong" },
		ERR_AUTH, "wrong", TLS_NONE, AUTH_PLAIN },
	{ { "> * OK hello", "< CAPABILITY", "> * CAPABILITY IMAP4rev1 AUTH=PLAIN",
		  "> $ OK done", "< LOGIN \"user\" \"pass\"", "> $ NO wrong" },
		ERR_AUTH, "wrong", TLS_NONE, AUTH_LOGIN },
	{ { "> * OK hello", "< CAPABILITY",
		  "> * CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=PLAIN SASL-IR",
		  "> $ OK done",
		  "< AUTHENTICATE PLAIN AHVzZXIAcGFzcw==", "> $ NO wrong" },
		ERR_AUTH, "wrong", TLS_NONE, AUTH_LOGIN },
	{ { TOKENS, "< AUTHENTICATE PLAIN AHVzZXIAcGFzcw==", "> + ", "> + " },
		ERR_SESSION, "asks on behind the answer", TLS_NONE, AUTH_PLAIN },
	/* Tokens, with the answer at once and behind a plus. {"status":"401","scope":"a|b"} */
	{ { TOKENS, BY_XOAUTH2, WHY, "< ", "> 2 NO [AUTHENTICATIONFAILED] bad" },
		ERR_AUTH, "refuses the login of user: bad (status=401, scope=a|b)",
		TLS_NONE, AUTH_XOAUTH2 },
	{ { TOKENS_ALONE, "< AUTHENTICATE XOAUTH2\r\n", "> +", XOAUTH2, WHY, "< ",
		  "> 2 NO bad" },
		ERR_AUTH, "status=401", TLS_NONE, AUTH_XOAUTH2 },
	{ { TOKENS, BY_OAUTHBEARER, WHY, "< AQ==\r\n", "> 2 NO bad" }, ERR_AUTH,
		"status=401", TLS_NONE, AUTH_OAUTHBEARER },
	{ { TOKENS, "< AUTHENTICATE XOAUTH2", WHY, "< ", "> 2 BAD what an answer" },
		ERR_AUTH, "status=401", TLS_NONE, AUTH_XOAUTH2 },
	{ { TOKENS, "< AUTHENTICATE XOAUTH2", "> $ NO [UNAVAILABLE] later" }, ERR_SESSION,
		"[UNAVAILABLE] later", TLS_NONE, AUTH_XOAUTH2 },
	{ { TOKENS, "< AUTHENTICATE XOAUTH2", "> $ NO" }, ERR_SESSION, "", TLS_NONE,
		AUTH_XOAUTH2 },
	{ { TOKENS, "< AUTHENTICATE XOAUTH2", "> $ NO " }, ERR_AUTH,
		"check user and access token", TLS_NONE, AUTH_XOAUTH2 },
	{ { TOKENS, "< AUTHENTICATE XOAUTH2", "> + no*base64!", "< ", "> 2 NO bad" },
		ERR_AUTH, "check user and access token", TLS_NONE, AUTH_XOAUTH2 },
	{ { TOKENS, "< AUTHENTICATE XOAUTH2", WHY, "< ", WHY }, ERR_SESSION,
		"asks on and on", TLS_NONE, AUTH_XOAUTH2 },
	{ { TOKENS, "< AUTHENTICATE XOAUTH2", "! flood + AAAA\r\n" }, ERR_SESSION,
		"asks on and on", TLS_NONE, AUTH_XOAUTH2 },
	{ { TOKENS, "< AUTHENTICATE XOAUTH2", "= + ", "* 1000000 A", "> " }, ERR_SESSION,
		"endless line", TLS_NONE, AUTH_XOAUTH2 },
	{ { TOKENS, "< AUTHENTICATE XOAUTH2", WHY, "< ", "! stall" }, ERR_SESSION,
		"in time", TLS_NONE, AUTH_XOAUTH2 },
	{ { "> * OK hello", "< CAPABILITY",
		  "> * CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=LOGIN", "> $ OK done" },
		ERR_ACCOUNT, "does not offer OAUTHBEARER, but PLAIN LOGIN", TLS_NONE,
		AUTH_OAUTHBEARER },
	{ { "> * OK hello", "< CAPABILITY", CAPABLE }, ERR_ACCOUNT,
		"does not offer XOAUTH2: expected another auth", TLS_NONE, AUTH_XOAUTH2 },
};

static void a_session_that_cannot_begin_says_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(open_cases) / sizeof(open_cases[0]); i++) {
		const struct open_case *test = &open_cases[i];
		struct run run;

		run_start(&run, test->script);
		run.account.tls = (int)test->tls;
		run.account.auth = (int)test->auth;
		run.account.timeout_ms = 1000;
		assert_int_equal(run_open(&run), -1);
		if (run.err.kind != test->kind || !strstr(run.err.text, test->text))
			fail_msg("case %zu: %d, %s", i, run.err.kind, run.err.text);
		run_end(&run);
	}
}

static void a_login_by_plain_waits_for_the_plus(void **state)
{
	static const char *const script[] = { "> * OK hello", "< CAPABILITY",
		"> * CAPABILITY AUTH=PLAIN", "> $ OK done", "< AUTHENTICATE PLAIN",
		"> * OK noise", "> + ", "= ", "< AHVzZXIAcGFzcw==", "> 2 OK in",
		"< CAPABILITY", CAPABLE, LOGOUT, NULL };
	struct run run;

	(void)state;
	run_start(&run, script);
	assert_int_equal(run_open(&run), 0);
	assert_int_equal(run.source->ops->finish(run.source, &run.err), 0);
	run_end(&run);
}

static void what_was_offered_before_login_does_not_count_after_it(void **state)
{
	static const char *const script[] = { "> * OK [CAPABILITY IMAP4rev1 MOVE] hi",
		"< LOGIN", "> $ OK done", "< CAPABILITY", "> * CAPABILITY IMAP4rev1",
		"> $ OK done", "< SELECT \"INBOX\"", FOLDER, "< UID COPY 1 \"done\"",
		"> $ OK done", "< UID STORE 1 +FLAGS.SILENT (\\Deleted)", "> $ OK done",
		NULL };
	char folder[] = "done";
	struct run run;

	(void)state;
	run_start(&run, script);
	run.account.after_kind = AFTER_MOVE;
	run.account.after_folder = folder;
	assert_int_equal(run_select(&run), 0);
	assert_int_equal(run.source->ops->settle(run.source, items, 1, &run.err), 0);
	run_end(&run);
}

/* Each in its own way: the greeting and the tagged answer, and a response of its own. */
static void what_a_server_offers_by_itself_is_not_asked_for(void **state)
{
	static const char *const scripts[][12] = {
		{ "> * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi",
			"< AUTHENTICATE PLAIN AHVzZXIAcGFzcw==",
			"> $ OK [CAPABILITY IMAP4rev1 IDLE] in", "< LOGOUT", NULL },
		{ "> * OK [CAPABILITY IMAP4rev1] hi", "< LOGIN",
			"> * CAPABILITY IMAP4rev1 IDLE", "> $ OK in", "< LOGOUT", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct run run;

		run_start(&run, scripts[i]);
		assert_int_equal(run_open(&run), 0);
		assert_true(run.source->ops->can_idle(run.source));
		assert_int_equal(run.source->ops->finish(run.source, &run.err), 0);
		run_end(&run);
	}
}

static void a_folder_is_selected_by_its_wire_name(void **state)
{
	static const char *const script[] = { LOGIN, "< EXAMINE \"Entw&APw-rfe\"",
		"> * FLAGS (\\Seen)", "> * OK [PERMANENTFLAGS ()] none", FOLDER, NULL };
	struct run run;
	uint32_t uidvalidity;

	(void)state;
	run_start(&run, script);
	assert_int_equal(run_open(&run), 0);
	assert_int_equal(
		run.source->ops->select(run.source, "Entwürfe", &uidvalidity, &run.err),
		0);
	assert_int_equal(uidvalidity, 7);
	run_end(&run);
}

static void a_folder_that_is_not_there_is_for_its_owner(void **state)
{
	static const struct {
		const char *answer;
		enum err_kind kind;
	} cases[] = {
		{ "> $ NO [NONEXISTENT] no such folder", ERR_ACCOUNT },
		{ "> $ NO no such folder", ERR_ACCOUNT },
		{ "> $ NO [UNAVAILABLE] no such folder", ERR_SESSION },
		{ "> $ OK no such folder", ERR_ACCOUNT }, /* and no UIDVALIDITY */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *script[] = { LOGIN, "< EXAMINE", cases[i].answer, NULL };
		struct run run;

		run_start(&run, script);
		assert_int_equal(run_select(&run), -1);
		assert_int_equal(run.err.kind, cases[i].kind);
		assert_non_null(strstr(run.err.text, "INBOX"));
		run_end(&run);
	}
}

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
	run_start(&run, script);
	assert_int_equal(run_select(&run), 0);
	assert_int_equal(
		run.source->ops->list(run.source, 3, &list, &count, &run.err), 0);
	assert_int_equal(count, 2);
	assert_string_equal(list[0].uid, "5");
	assert_string_equal(list[1].uid, "9");
	assert_int_equal(list[1].size, 900);
	assert_int_equal(list[1].date_s, 1769943600);
	run_end(&run);
}

static void a_large_folder_is_listed_in_ranges(void **state)
{
	static const char *const script[] = { LOGIN, "< EXAMINE", "> * 20000 EXISTS",
		"> * OK [UIDVALIDITY 7] x", "> * OK [UIDNEXT 30000] x", "> $ OK done",
		"< UID FETCH 1:1000 ", "> * 1 FETCH (UID 10 RFC822.SIZE 1)",
		"> $ OK done", "< UID FETCH 1001:5000 ", "> $ OK done",
		"< UID FETCH 5001:21000 ", "> $ OK done", "< UID FETCH 21001:* ",
		"> * 2 FETCH (UID 40000 RFC822.SIZE 2)", "> $ OK done", NULL };
	auto_free struct source_item *list = NULL;
	size_t count = 0;
	struct run run;

	(void)state;
	run_start(&run, script);
	assert_int_equal(run_select(&run), 0);
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
	static const char *const script[] = { LOGIN, "< EXAMINE", "> * 90 EXISTS",
		"> * OK [UIDVALIDITY 7] x", "> * OK [UIDNEXT 100] x", "> $ OK done",
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
	run_start(&run, script);
	assert_int_equal(run_select(&run), 0);
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
	static const char *const script[] = { LOGIN, "< EXAMINE", "> * 90 EXISTS",
		"> * OK [UIDVALIDITY 7] x", "> * OK [UIDNEXT 100] x", "> $ OK done",
		"< UID FETCH 37:* (UID RFC822.SIZE INTERNALDATE)",
		"> * 2 FETCH (UID 40 RFC822.SIZE 4)", "> $ OK done", NULL };
	auto_free struct source_item *list = NULL;
	size_t count = 0;
	struct run run;

	(void)state;
	run_start(&run, script);
	assert_int_equal(run_select(&run), 0);
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

		run_start(&run, script);
		assert_int_equal(run_select(&run), 0);
		assert_int_equal(
			run.source->ops->list(run.source, 0, &list, &count, &run.err),
			-1);
		assert_int_equal(run.err.kind, ERR_SESSION);
		assert_null(list);
		run_end(&run);
	}
}

struct fetch_case {
	const char *answer[24];
	const char *text; /* of the sink */
	enum err_kind kind;
	const char *why;
};

#define ONE   "= * 1 FETCH (UID 1 BODY[] {5}\r\nhello)\r\n"
#define TWO   "= * 2 FETCH (UID 2 BODY[] {3}\r\ntwo)\r\n"
#define THREE "= * 3 FETCH (UID 3 BODY[] {5}\r\nthree)\r\n"

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
	size_t steps = 0;
	struct run run;
	int result;

	while (script[steps])
		steps++;
	for (size_t i = 0; test->answer[i]; i++)
		script[steps++] = test->answer[i];
	run_start(&run, script);
	run.account.timeout_ms = 600;
	result = run_fetch(&run);
	if (strcmp(fetched_text(&run.fetched), test->text) != 0)
		fail_msg("case %zu: %s (%s)", number, fetched_text(&run.fetched),
			run.err.text);
	if (result != (test->kind == ERR_NONE ? 0 : -1) || run.err.kind != test->kind ||
		!strstr(run.err.text, test->why))
		fail_msg("case %zu: %d %s", number, run.err.kind, run.err.text);
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
	assert_int_equal(run.source->ops->finish(run.source, &run.err), 0);
	run_end(&run);
}

static int sleepy_done(
	void *arg, const char *uid, enum source_outcome outcome, struct err *err)
{
	(void)usleep(400000);
	return fetched_done(arg, uid, outcome, err);
}

static void clocks_stand_still_while_the_sink_waits(void **state)
{
	static const char *const script[] = { FETCH, ONE, TWO, THREE, "> $ OK done",
		NULL };
	struct source_sink sink;
	struct run run;

	(void)state;
	run_start(&run, script);
	run.account.timeout_ms = 300;
	assert_int_equal(run_select(&run), 0);
	sink = fetched_sink(&run.fetched);
	sink.done = sleepy_done;
	assert_int_equal(
		run.source->ops->fetch(run.source, items, 3, &sink, &run.err), 0);
	assert_string_equal(fetched_text(&run.fetched), "1=hello;2=two;3=three;");
	run_end(&run);
}

static int stop_wait(
	void *arg, int fd, short events, int64_t deadline_ms, struct err *err)
{
	(void)arg;
	(void)fd;
	(void)events;
	(void)deadline_ms;
	return err_set(err, ERR_AGAIN, "told to stop");
}

static void an_owner_that_stops_waiting_gets_its_reason_back(void **state)
{
	static const struct stream_wait wait = { .wait = stop_wait };
	static const char *const script[] = { "! stall", NULL };
	struct run run;

	(void)state;
	run_start(&run, script);
	assert_int_equal(
		source_open(&run.account, "pass", &wait, &run.source, &run.err), -1);
	assert_int_equal(run.err.kind, ERR_AGAIN);
	assert_non_null(strstr(run.err.text, "told to stop"));
	/* It may have seen the client leave, or still wait for one to come. */
	(void)kill(run.fake.pid, SIGKILL);
	(void)fake_end(&run.fake);
	fetched_done_with(&run.fetched);
}

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
		if (result != (in_place_cases[i].kind == ERR_NONE ? 0 : -1) ||
			run.err.kind != in_place_cases[i].kind)
			fail_msg("case %zu: %d, %s", i, run.err.kind, run.err.text);
		assert_int_equal(run.source->leaves_marked, in_place_cases[i].marked);
		run_end(&run);
	}
}

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
	run_start(&run, script);
	assert_int_equal(run_select(&run), 0);
	assert_int_equal(
		run.source->ops->heads(run.source, items, 3, heads, &run.err), 0);
	assert_string_equal(with_head(heads, "hello"), "13");
	assert_false(heads[1].known);
	assert_int_equal(run.source->ops->finish(run.source, &run.err), 0);
	run_end(&run);
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
	run_start(&run, script);
	assert_int_equal(run_select(&run), 0);
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
		size_t steps = 0;
		struct run run;
		int result;

		while (script[steps])
			steps++;
		for (size_t j = 0; j < 20 && cases[i].script[j]; j++)
			script[steps++] = cases[i].script[j];
		run_start(&run, script);
		assert_int_equal(run_select(&run), 0);
		result = run.source->ops->heads(run.source, items, 3, heads, &run.err);
		assert_int_equal(result, cases[i].kind == ERR_NONE ? 0 : -1);
		if (result < 0)
			assert_int_equal(run.err.kind, cases[i].kind);
		else
			assert_string_equal(with_head(heads, "hello"), cases[i].known);
		run_end(&run);
	}
}

/* Counts the waits that are for no bytes: other work could go on in them. */
static int count_wait(
	void *arg, int fd, short events, int64_t deadline_ms, struct err *err)
{
	size_t *own = arg;

	if (fd < 0) {
		assert_true(deadline_ms - clock_ms() <= STREAM_PACE_MS);
		(*own)++;
	}
	return stream_wait_plain.wait(NULL, fd, events, deadline_ms, err);
}

static void a_rate_is_kept_and_its_waits_are_nobodys_fault(void **state)
{
	/* 60,000 bytes at 20,000 a second, with one second's worth at once; a server that is
	 * allowed half a second for each answer. */
	static const char *const script[] = { FETCH,
		"= * 1 FETCH (UID 1 BODY[] {60000}\r\n", "* 60000 x", "= )\r\n", TWO,
		"> $ OK done", NULL };
	struct source_sink sink;
	size_t own_waits = 0;
	const struct stream_wait wait = { count_wait, &own_waits };
	int64_t from_ms;
	struct run run;

	(void)state;
	run_start(&run, script);
	run.account.rate = 20000;
	run.account.timeout_ms = 500;
	from_ms = clock_ms();
	assert_int_equal(
		source_open(&run.account, "pass", &wait, &run.source, &run.err), 0);
	assert_int_equal(
		run.source->ops->select(run.source, "INBOX", &run.uidvalidity, &run.err),
		0);
	sink = fetched_sink(&run.fetched);
	if (run.source->ops->fetch(run.source, items, 3, &sink, &run.err) < 0)
		fail_msg("%s", run.err.text);
	assert_int_equal(run.fetched.messages, 3);
	assert_in_range(clock_ms() - from_ms, 1500, 15000);
	assert_true(own_waits > 2);
	run_end(&run);
}

static int stop_pace(
	void *arg, int fd, short events, int64_t deadline_ms, struct err *err)
{
	if (fd < 0)
		return err_set(err, ERR_AGAIN, "told to stop");
	return stream_wait_plain.wait(arg, fd, events, deadline_ms, err);
}

static void who_waits_for_its_rate_can_be_stopped(void **state)
{
	static const char *const script[] = { FETCH,
		"= * 1 FETCH (UID 1 BODY[] {60000}\r\n", "* 60000 x", "! stall", NULL };
	static const struct stream_wait wait = { stop_pace, NULL };
	struct source_sink sink;
	struct run run;

	(void)state;
	run_start(&run, script);
	run.account.rate = 2000;
	assert_int_equal(
		source_open(&run.account, "pass", &wait, &run.source, &run.err), 0);
	assert_int_equal(
		run.source->ops->select(run.source, "INBOX", &run.uidvalidity, &run.err),
		0);
	sink = fetched_sink(&run.fetched);
	assert_int_equal(
		run.source->ops->fetch(run.source, items, 3, &sink, &run.err), -1);
	assert_int_equal(run.err.kind, ERR_AGAIN);
	assert_non_null(strstr(run.err.text, "told to stop"));
	run_end(&run);
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
		size_t steps = 0;
		struct run run;
		int result;

		while (script[steps])
			steps++;
		for (size_t j = 0; test->script[j]; j++)
			script[steps++] = test->script[j];
		run_start(&run, script);
		run.account.after_kind = test->after;
		run.account.after_folder = folder;
		assert_int_equal(run_select(&run), 0);
		result = run.source->ops->settle(run.source, items, 3, &run.err);
		if (result != (test->kind == ERR_NONE ? 0 : -1) ||
			run.err.kind != test->kind || !strstr(run.err.text, test->why))
			fail_msg("case %zu: %d %s", i, run.err.kind, run.err.text);
		run_end(&run);
	}
}

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
		size_t steps = 0;
		struct run run;
		int result;

		while (script[steps])
			steps++;
		for (size_t j = 0; j < 30 && test->script[j]; j++)
			script[steps++] = test->script[j];
		run_start(&run, script);
		run.account.after_kind = AFTER_MOVE;
		run.account.after_folder = folder;
		assert_int_equal(run_select(&run), 0);
		result = run.source->ops->settle(run.source, owed, 3, &run.err);
		if (result != (test->kind == ERR_NONE ? 0 : -1) ||
			run.err.kind != test->kind || !strstr(run.err.text, test->why))
			fail_msg("case %zu: %d %s", i, run.err.kind, run.err.text);
		run_end(&run);
	}
}

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
	run_start(&run, script);
	assert_int_equal(run_open(&run), 0);
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
	assert_int_equal(run.source->ops->finish(run.source, &run.err), 0);
	run_end(&run);
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
		size_t steps = 0;
		struct run run;

		while (script[steps])
			steps++;
		for (size_t j = 0; j < 6 && cases[i].script[j]; j++)
			script[steps++] = cases[i].script[j];
		run_start(&run, script);
		assert_int_equal(run_open(&run), 0);
		assert_int_equal(
			run.source->ops->folders(run.source, &list, &run.err), -1);
		assert_int_equal(run.err.kind, cases[i].kind);
		if (!strstr(run.err.text, cases[i].why))
			fail_msg("case %zu: %s", i, run.err.text);
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
		assert_int_equal(run.source->ops->finish(run.source, &run.err), 0);
		run_end(&run);
	}
}

static void keeping_sends_nothing(void **state)
{
	static const char *const script[] = { EXAMINE, LOGOUT, NULL };
	struct run run;

	(void)state;
	run_start(&run, script);
	assert_int_equal(run_select(&run), 0);
	assert_int_equal(run.source->ops->settle(run.source, items, 3, &run.err), 0);
	assert_int_equal(run.source->ops->finish(run.source, &run.err), 0);
	run_end(&run);
}

static void a_refused_connection_says_where(void **state)
{
	static const char *const script[] = { NULL };
	struct fake_server fake = fake_start(script);
	struct account_settings account = account_for(&fake);
	struct source *source = NULL;
	struct err err = { 0 };

	(void)state;
	(void)kill(fake.pid, SIGKILL);
	assert_false(fake_end(&fake));
	assert_int_equal(
		source_open(&account, "pass", &stream_wait_plain, &source, &err), -1);
	assert_int_equal(err.kind, ERR_SESSION);
	assert_non_null(strstr(err.text, "127.0.0.1 port "));
	assert_non_null(strstr(err.text, "refused"));
	assert_null(source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_replaced_in_place_is_removed),
		cmocka_unit_test(a_session_that_cannot_begin_says_why),
		cmocka_unit_test(a_login_by_plain_waits_for_the_plus),
		cmocka_unit_test(what_was_offered_before_login_does_not_count_after_it),
		cmocka_unit_test(what_a_server_offers_by_itself_is_not_asked_for),
		cmocka_unit_test(a_folder_is_selected_by_its_wire_name),
		cmocka_unit_test(a_folder_that_is_not_there_is_for_its_owner),
		cmocka_unit_test(listing_takes_each_uid_above_once_and_in_order),
		cmocka_unit_test(a_large_folder_is_listed_in_ranges),
		cmocka_unit_test(a_large_folder_is_named_first_and_measured_later),
		cmocka_unit_test(few_messages_are_named_and_measured_at_once),
		cmocka_unit_test(a_listing_that_fails_leaves_nothing),
		cmocka_unit_test(a_fetch_believes_only_what_came_whole_and_was_asked_for),
		cmocka_unit_test(any_byte_may_be_in_a_body),
		cmocka_unit_test(a_sink_that_refuses_ends_fetch_and_session),
		cmocka_unit_test(clocks_stand_still_while_the_sink_waits),
		cmocka_unit_test(an_owner_that_stops_waiting_gets_its_reason_back),
		cmocka_unit_test(heads_are_taken_from_the_start_of_each_message),
		cmocka_unit_test(more_than_a_head_is_no_other_head),
		cmocka_unit_test(heads_that_do_not_come_are_not_guessed),
		cmocka_unit_test(a_rate_is_kept_and_its_waits_are_nobodys_fault),
		cmocka_unit_test(who_waits_for_its_rate_can_be_stopped),
		cmocka_unit_test(settling_asks_for_what_the_account_says_and_no_more),
		cmocka_unit_test(a_copy_of_a_broken_session_is_not_made_again),
		cmocka_unit_test(folders_are_listed_once_and_by_name),
		cmocka_unit_test(folders_that_are_not_listed_say_why),
		cmocka_unit_test(the_trash_is_found_once_a_session),
		cmocka_unit_test(without_a_trash_nothing_is_moved),
		cmocka_unit_test(keeping_sends_nothing),
		cmocka_unit_test(a_refused_connection_says_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
