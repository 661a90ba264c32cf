/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "mailfilter/source_url.h"

static void good_ones_are_taken_apart(void **state)
{
	static const struct {
		const char *text, *user, *host;
		enum source_kind kind;
		unsigned port;
	} cases[] = {
		{ "imap://a@h", "a", "h", SOURCE_IMAP, 143 },
		{ "imaps://a@h", "a", "h", SOURCE_IMAPS, 993 },
		{ "pop3://a@h", "a", "h", SOURCE_POP3, 110 },
		{ "pop3s://a@h", "a", "h", SOURCE_POP3S, 995 },
		{ "IMAPS://a@H.example", "a", "H.example", SOURCE_IMAPS, 993 },
		{ "imaps://alice@example.org@mail.example.org", "alice@example.org",
			"mail.example.org", SOURCE_IMAPS, 993 },
		{ "imaps://alice%40example.org@h:10993", "alice@example.org", "h",
			SOURCE_IMAPS, 10993 },
		{ "imaps://a%3Ab%25%2f@h", "a:b%/", "h", SOURCE_IMAPS, 993 },
		{ "imap://a/b+c d@127.0.0.1:1", "a/b+c d", "127.0.0.1", SOURCE_IMAP, 1 },
		{ "pop3://a@[::1]", "a", "::1", SOURCE_POP3, 110 },
		{ "pop3://a@[2001:db8::7]:65535", "a", "2001:db8::7", SOURCE_POP3,
			65535 },
		{ "imap://m\xc3\xbcller@h", "m\xc3\xbcller", "h", SOURCE_IMAP, 143 },
		{ "imap://a@mail_server.lan.", "a", "mail_server.lan.", SOURCE_IMAP,
			143 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct source_url url = { 0 };
		struct err err;

		if (source_url_parse(cases[i].text, &url, &err) < 0)
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_int_equal(url.kind, cases[i].kind);
		assert_string_equal(url.user, cases[i].user);
		assert_string_equal(url.host, cases[i].host);
		assert_int_equal(url.port, cases[i].port);
	}
}

static void bad_ones_are_refused_with_what_was_expected(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "imaps://USER@HOST" },
		{ "h", "imaps://USER@HOST" },
		{ "http://a@h", "imaps://USER@HOST" },
		{ "imaps:a@h", "imaps://USER@HOST" },
		{ "maildir:/home/a", "expected imaps://USER@HOST" },
		{ "imaps://", "imaps://USER@HOST" },
		{ "imaps://h", "imaps://USER@HOST" },
		{ "imaps://@h", "imaps://USER@HOST" },
		{ "imaps://a@", "expected a name or an address" },
		{ "imaps://a@:993", "expected a name or an address" },
		{ "imaps://a@.h", "expected a name or an address" },
		{ "imaps://a@-h", "expected a name or an address" },
		{ "imaps://a@h h", "expected a name or an address" },
		{ "imaps://a@m\xc3\xbcller.de", "expected a name or an address" },
		{ "imaps://a@::1", "expected a name or an address" },
		{ "imaps://a@[::1", "expected an IPv6 address" },
		{ "imaps://a@[]", "expected an IPv6 address" },
		{ "imaps://a@[1.2.3.4]", "expected an IPv6 address" },
		{ "imaps://a@[::1]x", "expected nothing but :PORT" },
		{ "imaps://a@[11111111111111111111111111111111111111111111111111]",
			"expected an IPv6 address" },
		{ "imaps://a@h:", "from 1 to 65535" },
		{ "imaps://a@h:0", "from 1 to 65535" },
		{ "imaps://a@h:65536", "from 1 to 65535" },
		{ "imaps://a@h:99x", "from 1 to 65535" },
		{ "imaps://a@h:9:9", "from 1 to 65535" },
		{ "imaps://a@h/", "expected nothing but :PORT" },
		{ "imaps://a@h/INBOX", "the option folders" },
		{ "imaps://a@h?x", "expected nothing but :PORT" },
		{ "imaps://a:secret@h", "the password in an option of its own" },
		{ "imaps://a%@h", "%25" },
		{ "imaps://a%4@h", "%25" },
		{ "imaps://a%zz@h", "%25" },
		{ "imaps://a%00b@h", "control character" },
		{ "imaps://a%0d%0aX@h", "control character" },
		{ "imaps://a%ff@h", "UTF-8" },
	};
	struct source_url url = { .port = 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = { 0 };

		assert_int_equal(source_url_parse(cases[i].text, &url, &err), -1);
		assert_int_equal(err.kind, ERR_SETTINGS);
		if (!strstr(err.text, cases[i].says))
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_int_equal(url.port, 7);
	}
}

static void long_names_are_refused(void **state)
{
	char text[1024];
	struct source_url url = { 0 };
	struct err err;

	(void)state;
	(void)snprintf(text, sizeof(text), "imap://%0*d@h", SOURCE_URL_USER_MAX, 0);
	assert_int_equal(source_url_parse(text, &url, &err), 0);
	(void)snprintf(text, sizeof(text), "imap://%0*d@h", SOURCE_URL_USER_MAX + 1, 0);
	assert_int_equal(source_url_parse(text, &url, &err), -1);
	(void)snprintf(text, sizeof(text), "imap://a@%0*d", SOURCE_URL_HOST_MAX, 0);
	assert_int_equal(source_url_parse(text, &url, &err), 0);
	(void)snprintf(text, sizeof(text), "imap://a@%0*d", SOURCE_URL_HOST_MAX + 1, 0);
	assert_int_equal(source_url_parse(text, &url, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones_are_taken_apart),
		cmocka_unit_test(bad_ones_are_refused_with_what_was_expected),
		cmocka_unit_test(long_names_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
