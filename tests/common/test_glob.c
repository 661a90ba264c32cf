/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/glob.h"

static void patterns_match_as_in_a_shell(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} cases[] = {
		{ "*.exe", "a.exe", true },
		{ "*.exe", ".exe", true },
		{ "*.exe", "a.exe.txt", false },
		{ "*.exe", "exe", false },
		{ "a", "a", true },
		{ "a", "", false },
		{ "*", "", true },
		{ "*", "anything\n", true },
		{ "", "", true },
		{ "?", "", false },
		{ "?", "a", true },
		{ "?", "ab", false },
		{ "a*b*c", "a-b-b-c", true },
		{ "a*b*c", "a-b-b-d", false },
		{ "*a*", "bab", true },
		{ "**a**", "a", true },
		{ "[abc]x", "bx", true },
		{ "[a-c]x", "cx", true },
		{ "[a-c]x", "dx", false },
		{ "[!a-c]x", "dx", true },
		{ "[^a-c]x", "ax", false },
		{ "[]]x", "]x", true },
		{ "[a-]x", "-x", true },
		{ "[!]]", "a", true },
		{ "[\\]]", "]", true },
		{ "\\*", "*", true },
		{ "\\*", "a", false },
		{ "\\[x]", "[x]", true },
		{ "a?c", "a[c", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (glob_match(cases[i].pattern, cases[i].text) != cases[i].matches)
			fail_msg("%s on %s", cases[i].pattern, cases[i].text);
}

static void case_does_not_count_in_any_alphabet(void **state)
{
	static const char *const same[][2] = {
		{ "*.EXE", "a.exe" },
		{ "*.exe", "A.ExE" },
		{ "[A-C]", "b" },
		{ "[a-c]", "B" },
		{ "*RÉSERVATION*", "votre réservation" },
		{ "überweisung", "ÜBERWEISUNG" },
		{ "ПРИВЕТ", "привет" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (!glob_match(same[i][0], same[i][1]))
			fail_msg("%s on %s", same[i][0], same[i][1]);
}

static void a_question_mark_is_a_character_and_not_a_byte(void **state)
{
	(void)state;
	assert_true(glob_match("?", "é"));
	assert_true(glob_match("??", "日本"));
	assert_false(glob_match("?", "日本"));
	/* What is no UTF-8 is a character a byte, and equals no other. */
	assert_true(glob_match("??", "\xff\xfe"));
	assert_true(glob_match("a*b", "a\xc3"
				      "b"));
	assert_false(glob_match("é", "\xe9"));
	assert_true(glob_match("*", "\xf0\x9f"));
}

static void time_does_not_explode(void **state)
{
	enum {
		LENGTH = 20000
	};
	char *text = malloc(LENGTH + 1);
	const int64_t start = clock_ms();

	(void)state;
	assert_non_null(text);
	memset(text, 'a', LENGTH);
	text[LENGTH] = '\0';
	assert_false(glob_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
	assert_true(glob_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*", text));
	assert_true(clock_ms() - start < 5000);
	free(text);
}

static void what_is_no_pattern_is_refused_with_what_was_expected(void **state)
{
	static const char *const bad[] = { "", "a[b", "[", "[]", "[!]", "a\\", "\xff" };
	static const char *const good[] = { "a", "*", "[a]", "[]]", "[!a]", "\\[",
		"[\\]]", "[a-z]x", "é" };
	char large[GLOB_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = { 0 };

		if (glob_check(bad[i], &err) == 0)
			fail_msg("%s", bad[i]);
		assert_int_equal(err.kind, ERR_SETTINGS);
		assert_non_null(strstr(err.text, "expected"));
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (glob_check(good[i], NULL) < 0)
			fail_msg("%s", good[i]);
	memset(large, 'a', sizeof(large) - 1);
	large[GLOB_MAX + 1] = '\0';
	assert_int_equal(glob_check(large, NULL), -1);
	large[GLOB_MAX] = '\0';
	assert_int_equal(glob_check(large, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match_as_in_a_shell),
		cmocka_unit_test(case_does_not_count_in_any_alphabet),
		cmocka_unit_test(a_question_mark_is_a_character_and_not_a_byte),
		cmocka_unit_test(time_does_not_explode),
		cmocka_unit_test(what_is_no_pattern_is_refused_with_what_was_expected),
	};

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
