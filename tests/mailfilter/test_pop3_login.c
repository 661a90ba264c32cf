/* SPDX-License-Identifier: ISC */
#include "tests/mailfilter/pop3_run.h"

/* A server that takes tokens. */
#define TOKENS     "> +OK", "< CAPA", "> +OK", "> SASL PLAIN XOAUTH2 OAUTHBEARER", "> ."
#define WHY        "> + eyJzdGF0dXMiOiI0MDEiLCJzY29wZSI6ImF8YiJ9"
#define BY_XOAUTH2 "< AUTH XOAUTH2 dXNlcj11c2VyAWF1dGg9QmVhcmVyIHBhc3MBAQ==\r\n"
/* To where the port is. */
#define BY_OAUTHBEARER "< AUTH OAUTHBEARER bixhPXVzZXIsAWhvc3Q9MTI3LjAuMC4xAXBvcnQ9"

struct open_case {
	const char *script[30];
	enum err_kind kind;
	enum tls_mode tls;
	const char *text;
};

static const struct open_case open_cases[] = {
	{ { "> -ERR [SYS/TEMP] down" }, ERR_SESSION, TLS_NONE, "down" },
	{ { "> 220 smtp.example" }, ERR_SESSION, TLS_NONE, "no POP3 answer" },
	{ { "! reset" }, ERR_SESSION, TLS_NONE, "" },
	{ { NULL }, ERR_SESSION, TLS_NONE, "closed the connection" },
	{ { "= +OK hel" }, ERR_SESSION, TLS_NONE, "closed the connection" },
	{ { "! flood +OK" }, ERR_SESSION, TLS_NONE, "endless line" },
	{ { "> +OK \\z" }, ERR_SESSION, TLS_NONE, "NUL" },
	{ { "! stall" }, ERR_SESSION, TLS_NONE, "in time" },
	{ { "~ +OK a very slow server that would like to keep us waiting for a long time" },
		ERR_SESSION, TLS_NONE, "in time" },
	{ { "> +OK", "< CAPA", "= +OK\r\n", "! flood X\r\n" }, ERR_SESSION, TLS_NONE,
		"endless answer" },
	{ { "> +OK", "< CAPA", CAPABLE }, ERR_ACCOUNT, TLS_VERIFY, "no STLS" },
	{ { "> +OK", "< CAPA", INCAPABLE }, ERR_ACCOUNT, TLS_VERIFY, "no STLS" },
	{ { "> +OK", "< CAPA", "> +OK", "> STLS", "> .", "< STLS", "> -ERR not today" },
		ERR_ACCOUNT, TLS_VERIFY, "not today" },
	{ { "> +OK", "< CAPA", "> +OK", "> STLS", "> .", "< STLS",
		  "= +OK begin\r\n+OK injected\r\n" },
		ERR_SESSION, TLS_VERIFY, "somebody may be in between" },
	{ { "> +OK", "< CAPA", CAPABLE, "< USER user", "> +OK", "< PASS pass",
		  "> -ERR [AUTH] wrong" },
		ERR_AUTH, TLS_NONE, "refuses the login of user: [AUTH] wrong" },
	{ { "> +OK", "< CAPA", CAPABLE, "< USER user", "> -ERR who" }, ERR_AUTH, TLS_NONE,
		"who" },
	{ { "> +OK", "< CAPA", CAPABLE, "< USER user", "> +OK", "< PASS pass",
		  "> -ERR [IN-USE] busy" },
		ERR_SESSION, TLS_NONE, "busy" },
	{ { "> +OK", "< CAPA", CAPABLE, "< USER user", "> +OK", "< PASS pass",
		  "> -ERR maildrop already locked" },
		ERR_SESSION, TLS_NONE, "already locked" },
	{ { "> +OK", "< CAPA", CAPABLE, "< USER user", "> +OK", "< PASS pass",
		  "> -ERR [SYS/TEMP] disk" },
		ERR_SESSION, TLS_NONE, "disk" },
	{ { "> +OK", "< CAPA", CAPABLE, "< USER user", "> +OK", "< PASS pass",
		  "> -ERR [SYS/PERM] no mailbox" },
		ERR_ACCOUNT, TLS_NONE, "no mailbox" },
	{ { "> +OK", "< CAPA", "> +OK", "> SASL LOGIN PLAIN", "> .", "< AUTH PLAIN",
		  "> + ", "< AHVzZXIAcGFzcw==", "> -ERR wrong" },
		ERR_AUTH, TLS_NONE, "wrong" },
	{ { "> +OK", "< CAPA", "> +OK", "> SASL PLAIN", "> .", "< AUTH PLAIN",
		  "> -ERR not that one", "< USER user", "> +OK", "< PASS pass",
		  "> -ERR wrong" },
		ERR_AUTH, TLS_NONE, "wrong" },
};

static const struct login_case {
	const char *script[30];
	const char *text;
	enum err_kind kind;
	enum auth_kind auth;
} login_cases[] = {
	{ { TOKENS, "< AUTH PLAIN", "> + ", "< AHVzZXIAcGFzcw==", "> + " },
		"asks on and on", ERR_SESSION, AUTH_PLAIN },
	/* What it was told has no place in a log. */
	{ { TOKENS, "< AUTH PLAIN", "> + ",
		  "< AHVzZXIAcGFzcw==", "> -ERR no command AHVzZXIAcGFzcw==" },
		"takes no login of user, with words that hold", ERR_AUTH, AUTH_PLAIN },
	{ { TOKENS, "< USER user", "> +OK", "< PASS pass", "> -ERR wrong" },
		"wrong (check user and password)", ERR_AUTH, AUTH_LOGIN },
	/* Tokens. {"status":"401","scope":"a|b"} */
	{ { TOKENS, BY_XOAUTH2, WHY, "< ", "> -ERR [AUTH] bad" },
		"refuses the login of user: [AUTH] bad (status=401, scope=a|b)", ERR_AUTH,
		AUTH_XOAUTH2 },
	{ { TOKENS, BY_OAUTHBEARER, WHY, "< AQ==\r\n", "> -ERR bad" }, "status=401",
		ERR_AUTH, AUTH_OAUTHBEARER },
	{ { TOKENS, "< AUTH XOAUTH2", "> -ERR" }, "check user and access token", ERR_AUTH,
		AUTH_XOAUTH2 },
	{ { TOKENS, "< AUTH XOAUTH2", "> -ERR [SYS/TEMP] later" },
		"no login now: [SYS/TEMP] later", ERR_SESSION, AUTH_XOAUTH2 },
	{ { TOKENS, "< AUTH XOAUTH2", "> + no*base64!", "< ", "> -ERR bad" },
		"check user and access token", ERR_AUTH, AUTH_XOAUTH2 },
	{ { TOKENS, "< AUTH XOAUTH2", WHY, "< ", WHY }, "asks on and on", ERR_SESSION,
		AUTH_XOAUTH2 },
	{ { TOKENS, "< AUTH XOAUTH2", "! flood + AAAA\r\n" }, "asks on and on",
		ERR_SESSION, AUTH_XOAUTH2 },
	{ { TOKENS, "< AUTH XOAUTH2", "= + ", "* 1000000 A", "> " }, "endless line",
		ERR_SESSION, AUTH_XOAUTH2 },
	{ { TOKENS, "< AUTH XOAUTH2", WHY, "< ", "! stall" }, "in time", ERR_SESSION,
		AUTH_XOAUTH2 },
	{ { TOKENS, "< AUTH XOAUTH2", "> maybe" }, "no POP3 answer", ERR_SESSION,
		AUTH_XOAUTH2 },
	{ { "> +OK", "< CAPA", "> +OK", "> SASL PLAIN LOGIN", "> ." },
		"does not offer XOAUTH2, but PLAIN LOGIN: expected", ERR_ACCOUNT,
		AUTH_XOAUTH2 },
	{ { "> +OK", "< CAPA", INCAPABLE },
		"does not offer XOAUTH2: expected another auth", ERR_ACCOUNT,
		AUTH_XOAUTH2 },
};

static void a_login_that_fails_says_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(login_cases) / sizeof(login_cases[0]); i++) {
		const struct login_case *test = &login_cases[i];
		struct run run;

		run_start(&run, test->script);
		run.account.auth = (int)test->auth;
		run.account.timeout_ms = 500;
		run_check(&run, i, run_open(&run), test->kind, test->text);
		run_end(&run);
	}
}

static void a_session_that_cannot_begin_says_why(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(open_cases) / sizeof(open_cases[0]); i++) {
		const struct open_case *test = &open_cases[i];
		struct run run;

		run_start(&run, test->script);
		run.account.tls = (int)test->tls;
		run.account.timeout_ms = 500;
		run_check(&run, i, run_open(&run), test->kind, test->text);
		run_end(&run);
	}
}

/* RFC 5034, 4: a line with AUTH and the answer is at most 255 bytes, its end included. */
static void a_long_token_waits_for_the_plus(void **state)
{
	/* "user=user^Aauth=Bearer ", 156 letters and "^A^A" are 180 bytes, 240 in base64. */
	static const char *const at_once[] = { TOKENS, "< AUTH XOAUTH2 dXNlcj1", "> +OK",
		"< CAPA", "> +OK", "> .", NULL };
	static const char *const later[] = { TOKENS, "< AUTH XOAUTH2\r\n", "> + ",
		"< dXNlcj1", "> +OK", "< CAPA", "> +OK", "> .", NULL };

	(void)state;
	for (size_t len = 154; len < 159; len++) {
		char token[200] = { 0 };
		struct run run;

		memset(token, 't', len);
		run_start(&run, len <= 156 ? at_once : later);
		run.account.auth = AUTH_XOAUTH2;
		if (source_open(&run.account, token, &stream_wait_plain, &run.source,
			    &run.err) < 0)
			fail_msg("%zu: %s", len, run.err.text);
		run_end(&run);
	}
}

static void a_line_break_in_a_password_is_not_sent(void **state)
{
	static const char *const script[] = { "> +OK", "< CAPA", CAPABLE, "< USER user",
		"> +OK", NULL };
	struct run run;

	(void)state;
	run_start(&run, script);
	assert_int_equal(source_open(&run.account, "pass\r\nDELE 1", &stream_wait_plain,
				 &run.source, &run.err),
		-1);
	assert_int_equal(run.err.kind, ERR_ACCOUNT);
	run_end(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_that_cannot_begin_says_why),
		cmocka_unit_test(a_login_that_fails_says_why),
		cmocka_unit_test(a_long_token_waits_for_the_plus),
		cmocka_unit_test(a_line_break_in_a_password_is_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
