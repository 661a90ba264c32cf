/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "common/mime.h"

#include "mailfilter/judge.h"

#define HEAD "From: a@example.org\r\nTo: b@example.net\r\nSubject: x\r\n"

static unsigned judge(const char *rest)
{
	char message[8192];
	int len = snprintf(message, sizeof(message), HEAD "%s", rest);

	assert_true(len > 0 && (size_t)len < sizeof(message));
	return judge_message((struct span){ (const uint8_t *)message, (size_t)len });
}

static void expect(const char *rest, unsigned wanted)
{
	char got_text[256], wanted_text[256];
	unsigned got = judge(rest);

	if (got != wanted)
		fail_msg("<%s>: got \"%s\", wanted \"%s\"", rest,
			judge_text(got, got_text, sizeof(got_text)),
			judge_text(wanted, wanted_text, sizeof(wanted_text)));
}

static void plain_text_is_inert(void **state)
{
	static const char *const mails[] = {
		"\r\nHello,\r\n\r\nsee you on Tuesday at 12:30.\r\n-- \r\nA. Person\r\n",
		"\r\n",
		"Content-Type: text/plain\r\n\r\nHi\r\n",
		"Content-Type: text/plain; charset=utf-8; format=flowed\r\n"
		"Content-Transfer-Encoding: 8bit\r\nMIME-Version: 1.0\r\n\r\nGr\xc3\xbc\xc3\x9f"
		"e\r\n",
		"Content-Type: TEXT/PLAIN; charset=\"ISO-8859-15\"\r\n\r\nGr\xfc\xdf"
		"e\r\n",
		"Content-Type: text/plain; charset=windows-1252\r\n\r\n\x93hi\x94\r\n",
		"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
		"quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe, and a line that is broken =\r\n"
		"softly 1 + 1 =3D 2.\r\n",
		"Content-Type: text/plain\r\nContent-Disposition: inline\r\n\r\nHi\r\n",
		/* Signatures and lists in the header are not the text. */
		"DKIM-Signature: v=1; b=AAAABBBBCCCCDDDDEEEEFFFFGGGGHHHHIIIIJJJJKKKKLLLLMMMMNN"
		"NNOOOOPPPPQQQQ\r\nList-Unsubscribe: <https://example.org/u>,\r\n"
		" <mailto:u@example.org>\r\n\r\nHi\r\n",
		/* Rules, addresses, and what only looks a little like a link. */
		"\r\n----------------------------------------------------------------------\r\n"
		"======================================================================\r\n"
		"Some One <some.one@example.com>\r\nNote: data: none. Re:this 10:30:00\r\n"
		"see e.g. the file.txt, i.e. v1.2.3; a//b, either/or, the end.Then more\r\n"
		"awww. C:\\dir a\\b 1<2 <3 <someone> ftp.\r\n",
		"\r\nalpha\r\nbeta\r\n\r\nDonaudampfschifffahrt\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(mails) / sizeof(mails[0]); i++)
		expect(mails[i], 0);
}

static void a_message_with_lf_line_ends_is_inert_too(void **state)
{
	(void)state;
	assert_int_equal(0, judge_message(span_str("Subject: a\n\nHello\n")));
	assert_int_equal(
		0, judge_message(span_str("From a@b Mon\nSubject: a\n\nHello\n")));
}

static void what_mail_programs_make_a_link_is_one(void **state)
{
	static const char *const links[] = { "http://a", "https://example.org/x",
		"HTTP://A", "hTTps://a", "ftp://a", "gopher://a", "x://y", "(http://a)",
		"<http://a>", "\"http://a\"", "text,http://a", "mailto:a@b", "MailTo:a@b",
		"javascript:x()", "vbscript:x", "data:text/html,x", "file:///etc/passwd",
		"file:x", "smb://h/s", "\\\\host\\share", "www.example.org",
		"WWW.example.org", "(www.a", "www2.a.b", "ftp.example.org",
		"example.org/path", "evil.com", "Evil.COM.", "<evil.net>",
		"sub.evil.org,", "tel:123", "magnet:?x", "ms-word:ofe|u|x",
		"search-ms:query=x", "http:evil", "a=http://b", "url:http://a" };
	char body[128];

	(void)state;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		(void)snprintf(body, sizeof(body), "\r\nLook at %s please\r\n", links[i]);
		expect(body, JUDGE_LINK);
		(void)snprintf(body, sizeof(body), "\r\n%s", links[i]);
		expect(body, JUDGE_LINK);
	}
}

struct example {
	const char *rest;
	unsigned reasons;
};

static void each_reason_is_found(void **state)
{
	static const struct example table[] = {
		{ "Content-Type: text/html\r\n\r\nHi\r\n", JUDGE_HTML },
		{ "\r\nHi <script>x</script>\r\n", JUDGE_HTML },
		{ "\r\n<!DOCTYPE html>\r\n", JUDGE_HTML },
		{ "Content-Type: text/calendar\r\n\r\nHi\r\n", JUDGE_ATTACHMENT },
		{ "Content-Type: text/plain; name=a.txt\r\n\r\nHi\r\n",
			JUDGE_ATTACHMENT },
		{ "Content-Disposition: attachment\r\n\r\nHi\r\n", JUDGE_ATTACHMENT },
		{ "Content-Disposition: inline; filename*=utf-8''a\r\n\r\nHi\r\n",
			JUDGE_ATTACHMENT },
		{ "Content-Transfer-Encoding: base64\r\n\r\nSGkK\r\n", JUDGE_ENCODED },
		{ "\r\nbegin 644 a.exe\r\n#:&D*\r\n`\r\nend\r\n",
			JUDGE_ENCODED | JUDGE_MALFORMED },
		{ "\r\n=ybegin line=128 size=3 name=a\r\nx\r\n",
			JUDGE_ENCODED | JUDGE_MALFORMED },
		{ "\r\nTWFueSBoYW5kcyBtYWtlIGxpZ2h0IHdvcmsuIE1h\r\n", JUDGE_ENCODED },
		{ "\r\nTWFueSBoYW5kcyBt\r\nYWtlIGxpZ2h0IHdv\r\ncmsu\r\n", JUDGE_ENCODED },
		{ "\r\nX5O!P%@AP[4\\PZX54(P^)7CC)7}$a-string-of-sixty-eight-characters!$H+H*"
		  "\r\n",
			JUDGE_TOKEN },
		{ "\r\nnul:\x01\r\n", JUDGE_BINARY | JUDGE_MALFORMED },
		{ "\r\nescape \x1b[2J\r\n", JUDGE_BINARY },
		{ "Subject: gr\xc3\xbc\xc3\x9f\r\n\r\nHi\r\n",
			JUDGE_BINARY | JUDGE_MALFORMED },
		{ "\r\nbare\rcr\r\n", JUDGE_MALFORMED },
		{ "\r\nmixed\nends\r\n", JUDGE_MALFORMED },
		{ "no field\r\n\r\nHi\r\n", JUDGE_MALFORMED },
		{ "Content-Whatever: x\r\n\r\nHi\r\n", JUDGE_MALFORMED },
		{ "Content-Type: text/plain\r\nContent-Type: text/plain\r\n\r\nHi\r\n",
			JUDGE_MALFORMED },
		{ "Content-Transfer-Encoding: quoted-printable\r\n\r\na=ZZb\r\n",
			JUDGE_MALFORMED },
		{ "Content-Transfer-Encoding: quoted-printable\r\n\r\n=68ttp=3A//a\r\n",
			JUDGE_LINK },
		{ "Content-Transfer-Encoding: x-unknown\r\n\r\nHi\r\n", JUDGE_MALFORMED },
		{ "Content-Type: text/plain; charset=utf-7\r\n\r\nHi\r\n",
			JUDGE_CHARSET },
		{ "Content-Type: text/plain; charset=utf-16\r\n\r\nHi\r\n",
			JUDGE_CHARSET },
		{ "Content-Type: text/plain; charset=iso-2022-jp\r\n\r\nHi\r\n",
			JUDGE_CHARSET },
		{ "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nHi\r\n"
		  "--b--\r\n",
			JUDGE_MULTIPART },
		{ "Content-Type: message/rfc822\r\n\r\nSubject: a\r\n\r\nHi\r\n",
			JUDGE_MULTIPART },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		expect(table[i].rest, table[i].reasons);
}

static void a_link_in_the_subject_counts_decoded(void **state)
{
	(void)state;
	assert_int_equal(
		JUDGE_LINK, judge_message(span_str("Subject: see http://a\n\nHi\n")));
	assert_int_equal(JUDGE_LINK,
		judge_message(span_str("Subject: =?utf-8?b?aHR0cDovL2E=?=\n\nHi\n")));
	assert_int_equal(
		0, judge_message(span_str("Subject: =?utf-8?b?SGVsbG8=?= you\n\nHi\n")));
}

static void a_token_may_have_sixty_characters_and_no_more(void **state)
{
	char body[128] = "\r\n";

	(void)state;
	for (size_t i = 0; i < JUDGE_TOKEN_MAX; i++)
		body[2 + i] = "a,"[i % 2];
	expect(body, 0);
	body[2 + JUDGE_TOKEN_MAX] = 'a';
	expect(body, JUDGE_TOKEN);
}

static void more_than_the_limit_is_suspicious_unread(void **state)
{
	static uint8_t large[JUDGE_BYTES_MAX + 1];

	(void)state;
	memset(large, '\n', sizeof(large));
	assert_int_equal(
		JUDGE_LARGE, judge_message((struct span){ large, sizeof(large) }));
	assert_int_equal(0, judge_message((struct span){ large, JUDGE_BYTES_MAX }));
}

static void long_tokens_of_odd_characters_take_no_time(void **state)
{
	static const char *const fills[] = { ".", "a.", "@.", ":", "a:", "<", "<a", "w",
		"www.", "\\", "\\\\", "://", "a.b/", "=", "ms-:" };
	static char message[JUDGE_BYTES_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(fills) / sizeof(fills[0]); i++) {
		size_t len = strlen(fills[i]);

		/* No header: the blank line comes first. */
		message[0] = '\n';
		for (size_t at = 1; at < sizeof(message); at++)
			message[at] = fills[i][at % len];
		assert_int_not_equal(
			0, judge_message((struct span){
				   (const uint8_t *)message, sizeof(message) }));
	}
}

static size_t read_file(const char *name, uint8_t *data, size_t size)
{
	char path[512];
	auto_close int fd = -1;
	ssize_t len;

	(void)snprintf(path, sizeof(path), "tests/data/mime/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	len = read(fd, data, size);
	assert_true(len > 0 && (size_t)len < size);
	return (size_t)len;
}

static void no_attack_mail_is_inert(void **state)
{
	static uint8_t data[65536];
	auto_closedir DIR *dir = opendir("tests/data/mime");
	const struct dirent *entry;
	size_t count = 0;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		size_t len;

		if (!strstr(entry->d_name, ".eml"))
			continue;
		len = read_file(entry->d_name, data, sizeof(data));
		if (judge_message((struct span){ data, len }) == 0)
			fail_msg("%s is inert", entry->d_name);
		count++;
	}
	assert_true(count >= 50);
}

static void reasons_have_names_and_fit_their_text(void **state)
{
	char text[256], small[8];

	(void)state;
	for (unsigned bit = 1; bit <= JUDGE_SETTING; bit <<= 1)
		assert_string_not_equal(
			"unknown", judge_reason_name((enum judge_reason)bit));
	assert_string_equal("", judge_text(0, text, sizeof(text)));
	assert_string_equal("attachment,link",
		judge_text(JUDGE_ATTACHMENT | JUDGE_LINK, text, sizeof(text)));
	assert_string_equal("attachm", judge_text(~0U, small, sizeof(small)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_text_is_inert),
		cmocka_unit_test(a_message_with_lf_line_ends_is_inert_too),
		cmocka_unit_test(what_mail_programs_make_a_link_is_one),
		cmocka_unit_test(each_reason_is_found),
		cmocka_unit_test(a_link_in_the_subject_counts_decoded),
		cmocka_unit_test(a_token_may_have_sixty_characters_and_no_more),
		cmocka_unit_test(more_than_the_limit_is_suspicious_unread),
		cmocka_unit_test(long_tokens_of_odd_characters_take_no_time),
		cmocka_unit_test(no_attack_mail_is_inert),
		cmocka_unit_test(reasons_have_names_and_fit_their_text),
	};
	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
