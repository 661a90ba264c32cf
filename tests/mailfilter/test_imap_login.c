/* SPDX-License-Identifier: ISC */
#include "tests/mailfilter/imap_run.h"

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
		run_check(&run, i, run_open(&run), test->kind, test->text);
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
	run_opened(&run, script);
	run_finish(&run);
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

		run_opened(&run, scripts[i]);
		assert_true(run.source->ops->can_idle(run.source));
		run_finish(&run);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_that_cannot_begin_says_why),
		cmocka_unit_test(a_login_by_plain_waits_for_the_plus),
		cmocka_unit_test(what_was_offered_before_login_does_not_count_after_it),
		cmocka_unit_test(what_a_server_offers_by_itself_is_not_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
