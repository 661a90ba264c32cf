/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "mailfilter/imap_utf7.h"

/* Both ways. */
static const struct {
	const char *name, *wire;
} pairs[] = {
	{ "INBOX", "INBOX" },
	{ "Ordner \"A\\B\"", "Ordner \"A\\B\"" },
	{ "a & b", "a &- b" },
	{ "&", "&-" },
	{ "&&-", "&-&--" },
	/* RFC 3501's own example. */
	{ "~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-" },
	{ "Entwürfe", "Entw&APw-rfe" },
	{ "ü", "&APw-" },
	{ "üü", "&APwA,A-" },
	{ "üüü", "&APwA,AD8-" },
	{ "ü&ü", "&APw-&-&APw-" },
	{ "-ü-", "-&APw--" },
	{ "😀", "&2D3eAA-" },
	{ "\xf4\x8f\xbf\xbf", "&2,,f,w-" }, /* U+10FFFF */
	{ "\xef\xbf\xbf", "&,,8-" },        /* U+FFFF */
	{ "tab\there", "tab&AAk-here" },
	{ "\x7f", "&AH8-" },
};

static void names_go_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		auto_buf struct buf buf;
		char name[100];
		struct err err;

		buf_init(&buf, 1000);
		assert_int_equal(imap_utf7_encode(pairs[i].name, &buf, &err), 0);
		assert_true(span_equal(buf_span(&buf), span_str(pairs[i].wire)));
		if (imap_utf7_decode(span_str(pairs[i].wire), name, sizeof(name), &err) <
			0)
			fail_msg("%s", err.text);
		assert_string_equal(name, pairs[i].name);
	}
}

static const struct {
	const char *wire;
	size_t len;
} refused[] = {
	{ "", 0 },
	{ "a&", 2 },          /* never closed */
	{ "a&APw", 5 },       /* the same */
	{ "&AP-", 4 },        /* half a character */
	{ "&A-", 3 },         /* six bits */
	{ "&APx-", 5 },       /* bits that are left are not zero */
	{ "&APwA-", 6 },      /* more digits than are needed */
	{ "&AGE-", 5 },       /* a letter, which stands for itself */
	{ "&ACY-", 5 },       /* "&", which is "&-" */
	{ "&APw-&APw-", 10 }, /* two runs where one does */
	{ "&AP/-", 5 },       /* not the alphabet of RFC 3501 */
	{ "&AP=-", 5 },
	{ "&AP w-", 6 },
	{ "&2D0-", 5 }, /* half a pair */
	{ "&3gA-", 5 }, /* its other half */
	{ "&2D0APw-", 8 },
	{ "&AAA-", 5 }, /* NUL */
	{ "a\0b", 3 },
	{ "&A\0w-", 5 },
	{ "\xc3\xbc", 2 }, /* UTF-8 as it is */
	{ "\xff", 1 },
	{ "a\tb", 3 }, /* must be encoded */
	{ "a\r\nb", 4 },
};

static void what_is_no_name_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		const struct span wire = { (const uint8_t *)refused[i].wire,
			refused[i].len };
		char name[100];
		struct err err;

		if (imap_utf7_decode(wire, name, sizeof(name), &err) == 0)
			fail_msg("case %zu became \"%s\"", i, name);
		assert_int_equal(err.kind, ERR_MESSAGE);
		assert_non_null(strstr(err.text, "UTF-7"));
	}
}

static void a_name_that_does_not_fit_is_refused(void **state)
{
	char name[8];
	struct err err;

	(void)state;
	assert_int_equal(imap_utf7_decode(span_str("1234567"), name, 8, &err), 0);
	assert_int_equal(imap_utf7_decode(span_str("12345678"), name, 8, &err), -1);
	assert_int_equal(imap_utf7_decode(span_str("12345&2D3eAA-"), name, 8, &err), -1);
	assert_int_equal(imap_utf7_decode(span_str("123456&APw-"), name, 8, &err), -1);
	assert_int_equal(imap_utf7_decode(span_str("a"), name, 1, &err), -1);
	assert_int_equal(imap_utf7_decode(span_str("a"), name, 0, &err), -1);
}

/* Whatever comes: a name that is taken is encoded as it came. */
static void every_short_run_is_refused_or_comes_back(void **state)
{
	static const char digits[] = "A/B,9zw8&-";
	size_t taken = 0;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		char wire[8] = "&", name[32];
		unsigned rest = i;
		auto_buf struct buf again;

		buf_init(&again, 100);
		for (size_t at = 1; at < 6; at++, rest /= 10)
			wire[at] = digits[rest % 10];
		if (imap_utf7_decode(span_str(wire), name, sizeof(name), NULL) < 0)
			continue;
		taken++;
		assert_int_equal(imap_utf7_encode(name, &again, NULL), 0);
		assert_true(span_equal(buf_span(&again), span_str(wire)));
	}
	assert_true(taken > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_go_both_ways),
		cmocka_unit_test(what_is_no_name_is_refused),
		cmocka_unit_test(a_name_that_does_not_fit_is_refused),
		cmocka_unit_test(every_short_run_is_refused_or_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
