/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

struct text_case {
	const char *text;
	size_t len;
	size_t printable; /* of its first character */
	bool valid;
};

#define TEXT(literal) literal, sizeof(literal) - 1

static const struct text_case cases[] = {
	{ TEXT(""), 0, true },
	{ TEXT("a"), 1, true },
	{ TEXT("~z"), 1, true },
	{ TEXT("\xc3\xbc"), 2, true },
	{ TEXT("\xe2\x82\xac"), 3, true },
	{ TEXT("\xf0\x9f\x93\xac"), 4, true },
	{ TEXT("\xf4\x8f\xbf\xbf"), 4, true },
	/* control characters: valid, never shown */
	{ TEXT("\0"), 0, true },
	{ TEXT("\x1b[2J"), 0, true },
	{ TEXT("\r\n"), 0, true },
	{ TEXT("\x7f"), 0, true },
	{ TEXT("\xc2\x9b"), 0, true },
	/* NOLINTBEGIN(misc-misleading-bidirectional) */
	/* the writing direction turned round, marks, line separators, a byte order mark */
	{ TEXT("\xe2\x80\xae"), 0, true },
	{ TEXT("\xe2\x80\x8f"), 0, true },
	{ TEXT("\xe2\x81\xa6"), 0, true },
	{ TEXT("\xe2\x80\xa8"), 0, true },
	{ TEXT("\xd8\x9c"), 0, true },
	{ TEXT("\xef\xbb\xbf"), 0, true },
	/* NOLINTEND(misc-misleading-bidirectional) */
	/* cut short, continued by something else, starting in the middle */
	{ TEXT("\xc3"), 0, false },
	{ TEXT("\xe2\x82"), 0, false },
	{ TEXT("\xf0\x9f\x93"), 0, false },
	{ TEXT("\xc3\x28"), 0, false },
	{ TEXT("\xe2\x28\xac"), 0, false },
	{ TEXT("\x80"), 0, false },
	{ TEXT("\xbf\xbf"), 0, false },
	/* overlong, surrogates, beyond Unicode, bytes that never occur */
	{ TEXT("\xc0\xaf"), 0, false },
	{ TEXT("\xc1\xbf"), 0, false },
	{ TEXT("\xe0\x80\xaf"), 0, false },
	{ TEXT("\xf0\x80\x80\xaf"), 0, false },
	{ TEXT("\xed\xa0\x80"), 0, false },
	{ TEXT("\xed\xbf\xbf"), 0, false },
	{ TEXT("\xf4\x90\x80\x80"), 0, false },
	{ TEXT("\xf8\x88\x80\x80\x80"), 0, false },
	{ TEXT("\xfe"), 0, false },
	{ TEXT("\xff"), 0, false },
};

static struct span span_of(const struct text_case *one)
{
	return (struct span){ (const uint8_t *)one->text, one->len };
}

static void printable_is_what_may_be_shown_on_a_terminal(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(utf8_printable(span_of(&cases[i])), cases[i].printable);
}

static void valid_is_what_rfc_3629_allows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (utf8_valid(span_of(&cases[i])) != cases[i].valid)
			fail_msg("case %zu", i);
}

static void one_bad_byte_anywhere_makes_a_text_invalid(void **state)
{
	char text[] = "Gr\xc3\xbc\xc3\x9f"
		      "e, \xe2\x82\xac 5";
	struct span span = span_str(text);

	(void)state;
	assert_true(utf8_valid(span));
	for (size_t i = 0; i < span.len; i++) {
		char kept = text[i];

		text[i] = '\xff';
		assert_false(utf8_valid(span));
		text[i] = kept;
	}
}

static void what_is_too_long_loses_its_middle(void **state)
{
	static const struct {
		const char *text, *shown;
	} names[] = {
		{ "", "" },
		{ "123456789012345", "123456789012345" },
		{ "1234567890123456", "1234567...23456" },
		{ "a very long name.exe", "a very ...e.exe" },
		/* Not half of a character, neither before the gap nor behind it. */
		{ "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4 and so on.exe",
			"\xc3\xa4\xc3\xb6\xc3\xbc...n.exe" },
		{ "some long name \xc3\xa4\xe2\x82\xac.c", "some lo...\xe2\x82\xac.c" },
	};
	char out[16];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_string_equal(
			utf8_shorten(span_str(names[i].text), out, sizeof(out)),
			names[i].shown);
}

/* Whatever the bytes, and the room: it fits, and what was valid stays so. */
static void shortened_text_fits_and_stays_valid(void **state)
{
	static const char *const pieces[] = { "a", "\xc3\xa4", "\xe2\x82\xac",
		"\xf0\x9f\x98\x80", "\xbf", "\xff" };
	unsigned seed = 5;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t size = 16 + (size_t)round % 50, kinds = round % 2 ? 4 : 6;
		char text[200] = "", *out = malloc(size);
		struct span shown;

		for (int i = 0; i < round % 40; i++) {
			const char *piece;

			seed = seed * 1103515245 + 12345;
			piece = pieces[(seed >> 16) % kinds];
			memcpy(text + strlen(text), piece, strlen(piece) + 1);
		}
		assert_non_null(out);
		shown = span_str(utf8_shorten(span_str(text), out, size));
		assert_true(shown.len < size);
		assert_int_equal(shown.len == strlen(text) && strcmp(out, text) == 0,
			strlen(text) < size);
		assert_true(utf8_valid(shown) || !utf8_valid(span_str(text)));
		free(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(printable_is_what_may_be_shown_on_a_terminal),
		cmocka_unit_test(valid_is_what_rfc_3629_allows),
		cmocka_unit_test(one_bad_byte_anywhere_makes_a_text_invalid),
		cmocka_unit_test(what_is_too_long_loses_its_middle),
		cmocka_unit_test(shortened_text_fits_and_stays_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
