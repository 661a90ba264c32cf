/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "mailfilter/setup_text.h"
#include "mailfilter/source_url.h"

static const char *words(const char *line)
{
	static char text[4096];
	struct schema_list list = { 0 };
	struct err err = { 0 };

	text[0] = '\0';
	if (setup_text_words(line, &list, &err) < 0)
		return "refused";
	for (size_t i = 0; i < list.count; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "<%s>",
			list.items[i]);
	setup_text_words_done(&list);
	return text;
}

static void a_command_is_words_and_no_shell(void **state)
{
	static const char *const cases[][2] = {
		{ "pass mail/work", "<pass><mail/work>" },
		{ "  pass\tmail  ", "<pass><mail>" },
		{ "sh -c 'echo \"$HOME\" | x'", "<sh><-c><echo \"$HOME\" | x>" },
		{ "a \"b c\"d e\\ f", "<a><b cd><e f>" },
		{ "a \"b\\\"c\" 'd\\'", "<a><b\"c><d\\>" },
		{ "a '' \"\"", "<a><><>" },
		{ "a\\", "<a\\>" },
		{ "'a", "refused" },
		{ "a \"b", "refused" },
		{ "", "refused" },
		{ " \t", "refused" },
		{ "''", "refused" },
	};
	char many[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(words(cases[i][0]), cases[i][1]);
	for (size_t i = 0; i < 130; i += 2)
		memcpy(many + i, "a ", 3);
	assert_string_equal(words(many), "refused");
	many[128] = '\0';
	assert_string_not_equal(words(many), "refused");
}

static void a_user_of_any_kind_is_read_back_as_it_was(void **state)
{
	static const char *const users[] = { "alice", "alice@example.org", "a:b", "a%b",
		"a b", "\"quoted\\\"@x", "b\xc3\xbcrger", "a/b?c#d" };

	(void)state;
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		auto_buf struct buf text;
		struct source_url url;
		struct err err = { 0 };
		const char *source;

		buf_init(&text, 1000);
		assert_int_equal(
			setup_text_source("imaps", users[i], "[::1]:99", &text, &err), 0);
		assert_int_equal(buf_text(&text, &source, &err), 0);
		assert_int_equal(source_url_parse(source, &url, &err), 0);
		assert_string_equal(url.user, users[i]);
		assert_string_equal(url.host, "::1");
		assert_int_equal(url.port, 99);
	}
}

static void a_section_has_what_was_said_and_nothing_else(void **state)
{
	char one[] = "pass", two[] = "a \"b\" \\";
	char *items[] = { one, two };
	const struct schema_list command = { .items = items, .count = 2 };
	const struct setup_answers answers = { .name = "work",
		.protocol = "imap",
		.server = "h",
		.user = "u",
		.password_file = "",
		.password_command = &command,
		.deliver = "inplace",
		.after = "" };
	auto_buf struct buf text;
	const char *said;
	struct err err = { 0 };

	(void)state;
	buf_init(&text, 1000);
	assert_int_equal(setup_text_account(&answers, &text, &err), 0);
	assert_int_equal(buf_text(&text, &said, &err), 0);
	assert_string_equal(said,
		"account work {\n"
		"    source           = \"imap://u@h\"\n"
		"    password-command = { \"pass\", \"a \\\"b\\\" \\\\\" }\n"
		"    deliver          = \"inplace\"\n"
		"}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_is_words_and_no_shell),
		cmocka_unit_test(a_user_of_any_kind_is_read_back_as_it_was),
		cmocka_unit_test(a_section_has_what_was_said_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
