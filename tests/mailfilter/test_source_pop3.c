/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>

#include "mailfilter/source.h"
#include "tests/mailfilter/fake_server.h"
#include "tests/mailfilter/fetched.h"

enum {
	STEPS_MAX = 100,
	MESSAGE_BYTES_MAX = 100000
};

#define CAPABLE   "> +OK capable", "> UIDL", "> USER", "> PIPELINING", "> ."
#define INCAPABLE "> -ERR unknown"
#define LOGIN_AS(capabilities)                                                           \
	"> +OK hello", "< CAPA", capabilities, "< USER user", "> +OK", "< PASS pass",    \
		"> +OK in", "< CAPA", capabilities
#define LOGIN     LOGIN_AS(CAPABLE)
#define LOGIN_OLD LOGIN_AS(INCAPABLE)

static char user[] = "user", host[] = "127.0.0.1", after[] = "as the test says";

static const struct source_item items[] = { { .uid = "a", .number = 1, .size = 10 },
	{ .uid = "b", .number = 2, .size = 10 },
	{ .uid = "c", .number = 3, .size = 10 } };

struct run {
	struct fake_server fake;
	struct account_settings account;
	struct source *source;
	struct fetched fetched;
	struct err err;
};

static void run_start(struct run *run, const char *const *script)
{
	*run = (struct run){ .fake = fake_start(script) };
	run->account = (struct account_settings){ .kind = SOURCE_POP3,
		.user = user,
		.host = host,
		.port = run->fake.port,
		.tls = TLS_NONE,
		.auth = AUTH_PLAIN,
		.after = after,
		.after_kind = AFTER_KEEP,
		.message_max = MESSAGE_BYTES_MAX,
		.timeout_ms = 1000 };
	fetched_init(&run->fetched);
}

static int run_open(struct run *run)
{
	return source_open(
		&run->account, "pass", &stream_wait_plain, &run->source, &run->err);
}

static int run_fetch(struct run *run)
{
	struct source_sink sink = fetched_sink(&run->fetched);

	if (run_open(run) < 0)
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

/* base, then more, to script. */
static void join(const char **script, const char *const *more)
{
	size_t steps = 0;

	while (script[steps])
		steps++;
	while (*more)
		script[steps++] = *more++;
}

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
		assert_int_equal(run_open(&run), -1);
		if (run.err.kind != test->kind || !strstr(run.err.text, test->text))
			fail_msg("case %zu: %d, %s", i, run.err.kind, run.err.text);
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
		assert_int_equal(run_open(&run), -1);
		if (run.err.kind != test->kind || !strstr(run.err.text, test->text))
			fail_msg("case %zu: %d, %s", i, run.err.kind, run.err.text);
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

struct list_case {
	const char *answer[30];
	const char *text; /* "number:uid:size;" */
	enum err_kind kind;
	const char *why;
};

static const char long_uidl[] =
	"> 2 0123456789012345678901234567890123456789012345678901234567890123456789"
	"0123456789012345678901234567890123456789";

static const struct list_case list_cases[] = {
	{ { "< UIDL", "> +OK", "> 1 a", "> 2 b", "> .", "< LIST", "> +OK 2 messages",
		  "> 1 100", "> 2 200 more", "> ." },
		"1:a:100;2:b:200;", ERR_NONE, "" },
	{ { "< UIDL", "> +ok", "> .", "< LIST", "> +OK", "> ." }, "", ERR_NONE, "" },
	{ { "< UIDL", "> +OK", "> 2 b", "> 1 a", "> .", "< LIST", "> +OK", "> 2 5",
		  "> 1 4", "> ." },
		"1:a:4;2:b:5;", ERR_NONE, "" },
	/* Equal ones are counted, by number, if nothing tells them apart. */
	{ { "< UIDL", "> +OK", "> 1 same", "> 2 x", "> 3 same", "> 4 same", "> .",
		  "< LIST", "> +OK", "> 1 1", "> 2 2", "> 3 3", "> 4 4", "> .",
		  "< TOP 1 0", "> -ERR no TOP" },
		"1:same:1;2:x:2;3:same#2:3;4:same#3:4;", ERR_NONE, "" },
	{ { "< UIDL", "> +OK", "> 1 same", "> 2 same", "> .", "< LIST", "> +OK", "> 1 1",
		  "> 2 2", "> .", "< TOP 1 0", "> +OK", "> A: 1", "> Status: RO", "> ",
		  "> .", "< TOP 2 0", "> +OK", "> A: 1", "> X-UIDL: 7", ">  folded", "> ",
		  "> ." },
		"1:same:1;2:same#2:2;", ERR_NONE, "" },
	{ { "< UIDL", "> +OK", "> 1 same", "> 2 same", "> .", "< LIST", "> +OK", "> 1 1",
		  "> 2 2", "> .", "< TOP 1 0", "> +OK", "> A: 1", "> .", "< TOP 2 0",
		  "> +OK", "> A: 2", "> ." },
		"", ERR_NONE, "by TOP" },
	/* What could be mistaken for such a name, is too long, odd or missing: hashed. */
	{ { "< UIDL", "> +OK", "> 1 a#2", long_uidl, "> 3 b c", "> 4", "> 5 ", "> .",
		  "< LIST", "> +OK", "> 1 1", "> 2 2", "> 3 3", "> 4 4", "> 5 5", "> .",
		  "< TOP 4 0", "> -ERR no TOP" },
		"", ERR_NONE, "hashed" },
	/* No UIDL at all. */
	{ { "< UIDL", "> -ERR unknown command", "< LIST", "> +OK", "> 1 5", "> 2 6",
		  "> .", "< TOP 1 0", "> +OK", "> A: 1", "> .", "< TOP 2 0", "> +OK",
		  "> A: 2", "> ." },
		"", ERR_NONE, "by TOP" },
	{ { "< UIDL", "> -ERR unknown command", "< LIST", "> +OK", "> 1 5", "> 2 6",
		  "> .", "< TOP 1 0", "> -ERR unknown" },
		"", ERR_ACCOUNT, "neither UIDL nor TOP" },
	{ { "< UIDL", "> -ERR unknown command", "< LIST", "> +OK", "> ." }, "", ERR_NONE,
		"" },
	{ { "< UIDL", "> -ERR unknown command", "< LIST", "> +OK", "> 1 5", "> .",
		  "< TOP 1 0", "= +OK\r\nA: ", "! flood x" },
		"", ERR_SESSION, "a message over the limit" },
	{ { "< UIDL", "> -ERR unknown command", "< LIST", "> +OK", "> 1 5", "> .",
		  "< TOP 1 0", "> +OK", "> A: 1" },
		"", ERR_SESSION, "closed" },
	{ { "< UIDL", "> -ERR [SYS/TEMP] later" }, "", ERR_SESSION, "not now" },
	{ { "< UIDL", "> +OK", "> 0 a", "> ." }, "", ERR_SESSION, "no message number" },
	{ { "< UIDL", "> +OK", "> -5 a", "> ." }, "", ERR_SESSION, "no message number" },
	{ { "< UIDL", "> +OK", "> 4294967295 a", "> ." }, "", ERR_SESSION,
		"no message number" },
	{ { "< UIDL", "> +OK", "> 4294967297 a", "> ." }, "", ERR_SESSION,
		"no message number" },
	{ { "< UIDL", "> +OK", "> x", "> ." }, "", ERR_SESSION, "no message number" },
	{ { "< UIDL", "> +OK", "> 1 a", "> 1 b", "> ." }, "", ERR_SESSION, "twice" },
	{ { "< UIDL", "> +OK", "> 1 a", "> .", "< LIST", "> +OK", "> 0 5", "> ." }, "",
		ERR_SESSION, "no message number" },
	{ { "< UIDL", "> +OK", "> 1 a", "> .", "< LIST", "> +OK", "> 1 -5", "> ." }, "",
		ERR_SESSION, "no size" },
	{ { "< UIDL", "> +OK", "> 1 a", "> .", "< LIST", "> +OK", "> 1", "> ." }, "",
		ERR_SESSION, "no size" },
	{ { "< UIDL", "> +OK", "> 1 a", "> .", "< LIST", "> +OK", "> 2 5", "> ." }, "",
		ERR_SESSION, "different messages" },
	{ { "< UIDL", "> +OK", "> 1 a", "> .", "< LIST", "> +OK", "> ." }, "",
		ERR_SESSION, "UIDL 1" },
	{ { "< UIDL", "> +OK", "> 1 a", "> .", "< LIST", "> -ERR no" }, "", ERR_SESSION,
		"LIST: no" },
	{ { "< UIDL", "> +OK", "> 1 a" }, "", ERR_SESSION, "closed" },
	{ { "< UIDL", "= +OK\r\n1 ", "! flood z" }, "", ERR_SESSION, "endless line" },
};

static void write_list(
	const struct source_item *list, size_t count, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < count && len < size; i++)
		len += (size_t)snprintf(text + len, size - len, "%u:%s:%llu;",
			list[i].number, list[i].uid, (unsigned long long)list[i].size);
}

static void check_hashed(const struct source_item *list, size_t count)
{
	assert_int_equal(count, 5);
	for (size_t i = 0; i < count; i++)
		assert_memory_equal(list[i].uid, "sha256:", 7);
	for (size_t i = 1; i < 4; i++)
		assert_string_not_equal(list[i].uid, list[i - 1].uid);
	/* The two that have none are equal, so counted. */
	assert_memory_equal(list[4].uid, list[3].uid, strlen(list[3].uid));
	assert_string_equal(list[4].uid + strlen(list[3].uid), "#2");
}

/* Two messages of different headers, which are named by them, each time alike. */
static void check_by_top(const struct source_item *list, size_t count)
{
	static char first[2][MESSAGE_UID_MAX];

	assert_int_equal(count, 2);
	assert_string_not_equal(list[0].uid, list[1].uid);
	for (size_t i = 0; i < 2; i++) {
		assert_memory_equal(list[i].uid, "top-sha256:", 11);
		assert_int_equal(strlen(list[i].uid), 11 + 64);
		if (first[i][0])
			assert_string_equal(list[i].uid, first[i]);
		memcpy(first[i], list[i].uid, sizeof(first[i]));
	}
}

static void a_listing_names_each_message_once_or_fails(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(list_cases) / sizeof(list_cases[0]); i++) {
		const struct list_case *test = &list_cases[i];
		const char *script[STEPS_MAX] = { LOGIN };
		auto_free struct source_item *list = NULL;
		size_t count = 0;
		char text[2000];
		struct run run;
		int result;

		join(script, test->answer);
		run_start(&run, script);
		assert_int_equal(run_open(&run), 0);
		result = run.source->ops->list(run.source, 0, &list, &count, &run.err);
		write_list(list, count, text, sizeof(text));
		if (strcmp(test->why, "hashed") == 0)
			check_hashed(list, count);
		else if (strcmp(test->why, "by TOP") == 0)
			check_by_top(list, count);
		else if (strcmp(text, test->text) != 0 || run.err.kind != test->kind ||
			 result != (test->kind == ERR_NONE ? 0 : -1) ||
			 !strstr(run.err.text, test->why))
			fail_msg("case %zu: %s %d %s", i, text, run.err.kind,
				run.err.text);
		run_end(&run);
	}
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

		join(script, test->answer);
		run_start(&run, script);
		run.account.timeout_ms = 500;
		result = run_fetch(&run);
		if (strcmp(fetched_text(&run.fetched), test->text) != 0 ||
			result != (test->kind == ERR_NONE ? 0 : -1) ||
			run.err.kind != test->kind || !strstr(run.err.text, test->why))
			fail_msg("case %zu: %s: %d %s", i, fetched_text(&run.fetched),
				run.err.kind, run.err.text);
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
	assert_int_equal(run.source->ops->finish(run.source, &run.err), 0);
	run_end(&run);
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
	run_start(&run, script);
	assert_int_equal(run_open(&run), 0);
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

struct settle_case {
	const char *script[12];
	enum after_kind after;
	int settled, finished;
	enum err_kind kind;
	const char *why;
};

#define DELETED "< DELE 1", "< DELE 2", "< DELE 3", "> +OK", "> +OK", "> +OK"

static const struct settle_case settle_cases[] = {
	{ { DELETED, "< QUIT", "> +OK bye" }, AFTER_DELETE, 0, 0, ERR_NONE, "" },
	{ { DELETED, "< QUIT", "> -ERR some not deleted" }, AFTER_DELETE, 0, -1,
		ERR_SESSION, "some not deleted" },
	{ { DELETED, "< QUIT" }, AFTER_DELETE, 0, -1, ERR_SESSION, "not confirmed" },
	{ { DELETED, "< QUIT", "! stall" }, AFTER_DELETE, 0, -1, ERR_SESSION,
		"not confirmed" },
	{ { "< DELE 1", "< DELE 2", "< DELE 3", "> +OK", "> -ERR no" }, AFTER_DELETE, -1,
		-1, ERR_SESSION, "" },
	{ { "< QUIT", "> -ERR whatever" }, AFTER_KEEP, 0, 0, ERR_NONE, "" },
	{ { "< QUIT" }, AFTER_KEEP, 0, 0, ERR_NONE, "" },
	{ { "< QUIT" }, AFTER_FLAG, -1, 0, ERR_ACCOUNT, "no flags" },
};

static void only_a_confirmed_quit_is_final(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(settle_cases) / sizeof(settle_cases[0]); i++) {
		const struct settle_case *test = &settle_cases[i];
		const char *script[STEPS_MAX] = { LOGIN };
		int settled, finished;
		struct run run;

		join(script, test->script);
		run_start(&run, script);
		run.account.after_kind = test->after;
		run.account.timeout_ms = 500;
		assert_int_equal(run_open(&run), 0);
		settled = run.source->ops->settle(run.source, items, 3, &run.err);
		finished = run.source->ops->finish(run.source, &run.err);
		if (settled != test->settled || finished != test->finished ||
			run.err.kind != test->kind || !strstr(run.err.text, test->why))
			fail_msg("case %zu: %d %d %d %s", i, settled, finished,
				run.err.kind, run.err.text);
		run_end(&run);
	}
}

static void a_session_ends_after_many_deletions_if_another_may_follow(void **state)
{
	static const char *const free_one[] = { LOGIN, NULL };
	static const char *const bound[] = { LOGIN_AS("> +OK\r\nLOGIN-DELAY 900\r\n."),
		NULL };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct run run;

		run_start(&run, i == 1 ? bound : free_one);
		run.account.after_kind = i == 2 ? AFTER_KEEP : AFTER_DELETE;
		assert_int_equal(run_open(&run), 0);
		assert_true(run.source->settle_at_finish);
		assert_int_equal(run.source->settle_max > 0, i == 0);
		run_end(&run);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_that_cannot_begin_says_why),
		cmocka_unit_test(a_login_that_fails_says_why),
		cmocka_unit_test(a_long_token_waits_for_the_plus),
		cmocka_unit_test(a_line_break_in_a_password_is_not_sent),
		cmocka_unit_test(a_listing_names_each_message_once_or_fails),
		cmocka_unit_test(a_fetch_gives_out_what_came_to_its_end),
		cmocka_unit_test(a_nul_is_a_byte_like_others),
		cmocka_unit_test(without_pipelining_one_command_waits_for_the_other),
		cmocka_unit_test(a_large_message_is_asked_for_alone),
		cmocka_unit_test(a_sink_that_refuses_ends_fetch_and_session),
		cmocka_unit_test(only_a_confirmed_quit_is_final),
		cmocka_unit_test(
			a_session_ends_after_many_deletions_if_another_may_follow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
