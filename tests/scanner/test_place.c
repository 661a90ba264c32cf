/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "scanner/place.h"

#define MESSAGE                                                                          \
	"Subject: x\n"                                                                   \
	"Content-Type: multipart/mixed; boundary=b\n\nbefore\n--b\n\none\n--b\n"         \
	"Content-Type: multipart/mixed; boundary=c\n\n--c\n\ntwo\n--c--\ninner end\n"    \
	"--b--\nbehind\n"

static struct mime *mime;
static struct span message;

static int start(void **state)
{
	(void)state;
	message = span_str(MESSAGE);
	return mime_parse(message, &mime, NULL);
}

static int stop(void **state)
{
	(void)state;
	mime_free(mime);
	return 0;
}

static size_t place_of_text(const char *text)
{
	ptrdiff_t at = span_find(message, span_str(text));

	assert_true(at >= 0);
	return place_of(mime, message, (size_t)at, (size_t)at + strlen(text));
}

static void bytes_are_in_the_smallest_place(void **state)
{
	static const struct {
		const char *text, *name;
	} cases[] = {
		{ "Subject", "" },
		{ "before", "PREAMBLE" },
		{ "\nbefore\n", "PREAMBLE" },
		{ "one", "1" },
		{ "two", "2.1" },
		{ "inner end", "2.EPILOGUE" },
		{ "boundary=c", "2" },
		{ "behind\n", "EPILOGUE" },
		{ "one\n--b", "" },
		{ "two\n--c--\ninner", "2" },
		{ MESSAGE, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		size_t place = place_of_text(cases[i].text);
		char name[FINDING_PART_MAX];

		place_name(mime, place, name);
		assert_string_equal(name, cases[i].name);
		assert_int_equal(place_find(mime, name), place);
	}
}

static void names_lead_back_and_unknown_ones_to_the_root(void **state)
{
	char name[FINDING_PART_MAX];

	(void)state;
	for (size_t i = 0; i < place_count(mime); i++) {
		place_name(mime, i, name);
		assert_int_equal(place_find(mime, name), i);
		assert_true(
			place_parent(mime, i) == PLACE_ROOT || place_parent(mime, i) < i);
	}
	assert_int_equal(place_find(mime, "7"), PLACE_ROOT);
	assert_int_equal(place_find(mime, "7.EPILOGUE"), PLACE_ROOT);
	assert_int_equal(place_find(mime, ""), PLACE_ROOT);
}

static void ranges_are_the_bytes(void **state)
{
	size_t from, to;

	(void)state;
	place_range(mime, place_find(mime, "PREAMBLE"), &from, &to);
	assert_true(
		span_equal(span_part(message, from, to - from), span_str("before\n")));
	place_range(mime, place_find(mime, "EPILOGUE"), &from, &to);
	assert_true(
		span_equal(span_part(message, from, to - from), span_str("behind\n")));
	place_range(mime, place_find(mime, "2.EPILOGUE"), &from, &to);
	assert_true(
		span_equal(span_part(message, from, to - from), span_str("inner end")));
	/* A leaf has neither. */
	place_range(mime, place_find(mime, "1.EPILOGUE"), &from, &to);
	place_range(mime, mime->count + 1, &from, &to);
	assert_int_equal(from, to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_in_the_smallest_place),
		cmocka_unit_test(names_lead_back_and_unknown_ones_to_the_root),
		cmocka_unit_test(ranges_are_the_bytes),
	};

	mime_start();
	return cmocka_run_group_tests(tests, start, stop);
}
