/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "mailfilter/sasl.h"

static void answers_are_as_their_standards_say(void **state)
{
	static const struct {
		struct sasl_login login;
		const char *text;
	} cases[] = {
		/* RFC 4616, 4 */
		{ { AUTH_PLAIN, 0, "tim", "tanstaaftanstaaf", "" },
			"AHRpbQB0YW5zdGFhZnRhbnN0YWFm" },
		{ { AUTH_PLAIN, 0, "u", "p", "" }, "AHUAcA==" },
		{ { AUTH_PLAIN, 0, "u", "pp", "" }, "AHUAcHA=" },
		{ { AUTH_PLAIN, 0, "u", "\xc3\xbc\xff", "" }, "AHUAw7z/" },
		/* RFC 7628, 4.1 */
		{ { AUTH_OAUTHBEARER, 143, "user@example.com",
			  "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==",
			  "server.example.com" },
			"bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9"
			"MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZ"
			"Mjl0Q2c9PQEB" },
		/* "n,a=a=3Db=2Cc,^Ahost=h^Aport=1^Aauth=Bearer t^A^A" */
		{ { AUTH_OAUTHBEARER, 1, "a=b,c", "t", "h" },
			"bixhPWE9M0RiPTJDYywBaG9zdD1oAXBvcnQ9MQFhdXRoPUJlYXJlciB0AQE=" },
		/* developers.google.com/gmail/imap/xoauth2-protocol */
		{ { AUTH_XOAUTH2, 0, "someuser@example.com",
			  "vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg", "" },
			"dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB2RjlkZnQ0cW1UYzJO"
			"dmIzUmxja0JoZEhSaGRtbHpkR0V1WTI5dENnAQE=" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_buf struct buf buf;
		const char *text;
		struct err err;

		buf_init(&buf, SASL_ANSWER_MAX + 1);
		assert_int_equal(sasl_answer(&cases[i].login, &buf, &err), 0);
		assert_int_equal(buf_text(&buf, &text, &err), 0);
		assert_string_equal(text, cases[i].text);
	}
}

static void what_cannot_be_said_is_refused(void **state)
{
	static char large[SASL_ANSWER_MAX];
	struct sasl_login login = { AUTH_XOAUTH2, 0, "a\001auth=b", "t", "h" };
	auto_buf struct buf buf;
	struct err err;

	(void)state;
	buf_init(&buf, SASL_ANSWER_MAX);
	assert_int_equal(sasl_answer(&login, &buf, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	memset(large, 'x', sizeof(large) - 1);
	login = (struct sasl_login){ AUTH_OAUTHBEARER, 1, "u", large, "h" };
	assert_int_equal(sasl_answer(&login, &buf, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	assert_null(strstr(err.text, "xxx"));
}

static void each_mechanism_is_conceded_its_own_way(void **state)
{
	(void)state;
	assert_string_equal(sasl_name(AUTH_OAUTHBEARER), "OAUTHBEARER");
	assert_string_equal(sasl_concede(AUTH_OAUTHBEARER), "AQ==");
	assert_string_equal(sasl_name(AUTH_XOAUTH2), "XOAUTH2");
	assert_string_equal(sasl_concede(AUTH_XOAUTH2), "");
	assert_false(sasl_is_token(AUTH_PLAIN));
	assert_false(sasl_is_token(AUTH_LOGIN));
}

/* {"status":"invalid_token","scope":"example_scope","openid-configuration":"https://..."} */
#define RFC_7628                                                                         \
	"eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJleGFtcGxlX3Njb3Bl"               \
	"Iiwib3BlbmlkLWNvbmZpZ3VyYXRpb24iOiJodHRwczovL2V4YW1wbGUuY29tLy53"               \
	"ZWxsLWtub3duL29wZW5pZC1jb25maWd1cmF0aW9uIn0="

static void a_servers_reasons_are_read(void **state)
{
	static const struct {
		const char *challenge, *text;
	} cases[] = {
		{ RFC_7628,
			"status=invalid_token, scope=example_scope, openid-configuration="
			"https://example.com/.well-known/openid-configuration" },
		{ RFC_7628 "\r\n",
			"status=invalid_token, scope=example_scope, "
			"openid-configuration="
			"https://example.com/.well-known/openid-configuration" },
		/* {"status":"401","schemes":"bearer","scope":"https://mail.google.com/"} */
		{ "eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwu"
		  "Z29vZ2xlLmNvbS8ifQ==",
			"status=401, schemes=bearer, scope=https://mail.google.com/" },
		/* { "status" : 400 , "x":{"status":"no","a":["}"]}, "scope":"m\"a\\\u00e9\nl" } */
		{ "eyAic3RhdHVzIiA6IDQwMCAsICJ4Ijp7InN0YXR1cyI6Im5vIiwiYSI6WyJ9Il19LCAic2NvcGUi"
		  "OiJtXCJhXFxcdTAwZTlcbmwiIH0=",
			"status=400, scope=m\"a\\??l" },
		/* {"status":"a<ESC>[31mb<0xff>"} */
		{ "eyJzdGF0dXMiOiJhG1szMW1i/yJ9", "status=a?[31mb?" },
		/* {"scope":"unfinished */
		{ "eyJzY29wZSI6InVuZmluaXNoZWQ=", "" },
		/* {"status":"x","scope": */
		{ "eyJzdGF0dXMiOiJ4Iiwic2NvcGUiOg==", "status=x" },
		{ "bm8ganNvbg==", "" }, /* no json */
		{ "W10=", "" },         /* [] */
		{ "e30=", "" },         /* {} */
		{ "ew==", "" },         /* { */
		{ "not*base64", "" },
		{ "", "" },
		{ "====", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[SASL_WHY_MAX];

		assert_string_equal(
			sasl_explain(cases[i].challenge, text), cases[i].text);
	}
}

/* Whatever comes: within its limits, printable, and in time. */
static void a_hostile_challenge_is_cut(void **state)
{
	static char large[1024 * 1024 + 1];
	char text[SASL_WHY_MAX];

	(void)state;
	memset(large, 'A', sizeof(large) - 1);
	assert_string_equal(sasl_explain(large, text), "");
	/* Brackets without end: "{{{{" and "[[[[" */
	for (size_t i = 0; i + 4 < SASL_CHALLENGE_MAX; i += 4)
		memcpy(large + i, "e3t7", 4);
	large[SASL_CHALLENGE_MAX - 4] = '\0';
	assert_string_equal(sasl_explain(large, text), "");
	/* {"status":"xxxx... */
	memset(large, 'A', SASL_CHALLENGE_MAX - 4);
	memcpy(large, "eyJzdGF0dXMiOiJ4", 16);
	(void)sasl_explain(large, text);
	for (const char *at = text; *at; at++)
		assert_in_range(*at, ' ', '~');
}

static void words_that_hold_what_was_told_are_for_nobody(void **state)
{
	static const struct {
		enum auth_kind auth;
		bool told;
		const char *secret, *words;
	} cases[] = {
		{ AUTH_PLAIN, true, "hunter2", "unknown command PASS hunter2" },
		{ AUTH_PLAIN, false, "hunter2", "wrong password" },
		{ AUTH_PLAIN, true, "a long secret of theirs", "you said 'ret of the'" },
		{ AUTH_PLAIN, false, "a long secret of theirs", "long ago" },
		/* NUL tim NUL tanstaaftanstaaf */
		{ AUTH_PLAIN, true, "tanstaaftanstaaf",
			"bad AHRpbQB0YW5zdGFhZnRhbnN0YWFm" },
		{ AUTH_XOAUTH2, true, "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGE",
			"no such token: ya29.vF9dft4qmTc2" },
		{ AUTH_XOAUTH2, false, "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGE",
			"expired" },
		{ AUTH_PLAIN, false, "x", "next time" },
		{ AUTH_PLAIN, false, "", "empty" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct sasl_login login = { .auth = cases[i].auth,
			.user = "tim",
			.secret = cases[i].secret,
			.host = "h.example.org" };
		struct err err;

		(void)err_set(&err, ERR_AUTH, "%s", cases[i].words);
		assert_int_equal(sasl_censor(&login, &err), -1);
		assert_int_equal(err.kind, ERR_AUTH);
		if (cases[i].told)
			assert_non_null(strstr(err.text,
				"h.example.org takes no login of tim, with words that"));
		else
			assert_string_equal(err.text, cases[i].words);
	}
	assert_int_equal(sasl_censor(&(struct sasl_login){ .secret = "" }, NULL), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_as_their_standards_say),
		cmocka_unit_test(what_cannot_be_said_is_refused),
		cmocka_unit_test(each_mechanism_is_conceded_its_own_way),
		cmocka_unit_test(a_servers_reasons_are_read),
		cmocka_unit_test(a_hostile_challenge_is_cut),
		cmocka_unit_test(words_that_hold_what_was_told_are_for_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
