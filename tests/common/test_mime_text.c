/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mime_text.h"

/* "reading|reading?|": a question mark behind what is odd. */
static char told[64 * 1024];

static void note(void *arg, const char *text, bool odd)
{
	const size_t used = strlen(told);

	(void)arg;
	(void)snprintf(told + used, sizeof(told) - used, "%s%s|", text, odd ? "?" : "");
}

static void nothing_told(void)
{
	told[0] = '\0';
}

static bool has(const char *reading)
{
	char wanted[1024], all[sizeof(told) + 1];

	(void)snprintf(wanted, sizeof(wanted), "|%s|", reading);
	(void)snprintf(all, sizeof(all), "|%s", told);
	return strstr(all, wanted) != NULL;
}

static void a_value_is_read_decoded_and_as_it_stands(void **state)
{
	static const struct {
		const char *value, *readings;
	} cases[] = {
		{ "plain", "plain|" },
		{ "folded\r\n\tvalue", "folded value|" },
		{ "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße|=?utf-8?q?Gr=C3=BC=C3=9Fe?=?|" },
		{ "=?iso-8859-1?B?R3LDvA==?=", "GrÃ¼|=?iso-8859-1?B?R3LDvA==?=?|" },
		/* Lenient programs decode a word within a word, strict ones do not. */
		{ "a=?utf-8?q?b?=c", "abc|a=?utf-8?q?b?=c|" },
		{ "", "|" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		nothing_told();
		mime_text_value(span_str(cases[i].value), note, NULL);
		assert_string_equal(told, cases[i].readings);
	}
}

static void every_address_is_told_without_its_name(void **state)
{
	(void)state;
	nothing_told();
	mime_text_addresses(
		span_str("\"good@example.org\" <evil@example.net>"), note, NULL);
	assert_true(has("evil@example.net"));
	assert_false(has("good@example.org"));
	nothing_told();
	mime_text_addresses(
		span_str("a@example.org, B <b@example.org>, (x) c@example.org"), note,
		NULL);
	assert_true(has("a@example.org") && has("b@example.org") && has("c@example.org"));
	/* In a name, in a comment: some look for nothing but brackets. */
	nothing_told();
	mime_text_addresses(
		span_str("\"<one@example.org>\" <two@example.org>"), note, NULL);
	assert_true(has("one@example.org") && has("two@example.org"));
	nothing_told();
	mime_text_addresses(
		span_str("group: <in@example.org>, x@example.org;"), note, NULL);
	assert_true(has("in@example.org"));
}

static void names(const char *header)
{
	auto_buf struct buf message;
	struct mime *mime = NULL;

	nothing_told();
	buf_init(&message, 65536);
	assert_int_equal(buf_printf(&message, NULL, "%s\r\n\r\nbody\r\n", header), 0);
	assert_int_equal(mime_parse(buf_span(&message), &mime, NULL), 0);
	mime_text_file_names(buf_span(&message), &mime->parts[0], note, NULL);
	mime_free(mime);
}

static void a_file_name_is_found_however_it_is_written(void **state)
{
	static const char *const headers[] = {
		"Content-Disposition: attachment; filename=a.exe",
		"Content-Disposition: attachment; filename=\"a.exe\"",
		"Content-Disposition: attachment;\r\n filename = \"a.exe\"",
		"Content-Type: application/octet-stream; name=a.exe",
		"Content-Type: text/plain; name=\"=?utf-8?q?a=2Eexe?=\"",
		"Content-Disposition: inline; filename*=utf-8''a%2Eexe",
		"Content-Disposition: inline; filename*0=a.; filename*1=exe",
		"Content-Disposition: inline; filename*0*=utf-8''a%2e; filename*1=exe",
		"Content-Disposition: x; filename=a.txt; filename=a.exe",
		"Content-Disposition: x; filename=a.exe; filename=a.txt",
		"Content-Type: x/y; name=a.txt\r\nContent-Disposition: x; filename=a.exe",
		"Content-Type: x/y; name=a.exe\r\nContent-Disposition: x; filename=a.txt",
		"Content-Type: x/y; name=a.txt\r\nContent-Type: x/y; name=a.exe",
		"Content-Disposition: x; filename=\"a.exe. . \"",
		"content-disposition: x (filename=\"b.txt\"); FILENAME=\"a.exe\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		names(headers[i]);
		if (!has("a.exe") && !has("a.exe?"))
			fail_msg("%s: %s", headers[i], told);
	}
	names("Content-Type: text/plain; charset=utf-8");
	assert_string_equal(told, "");
	names("Subject: name=a.exe");
	assert_string_equal(told, "");
}

static void what_is_too_long_to_be_read_is_nothing_to_rely_on(void **state)
{
	char *value = malloc(MIME_TEXT_MAX + 100);

	(void)state;
	assert_non_null(value);
	memset(value, 'a', MIME_TEXT_MAX + 99);
	value[MIME_TEXT_MAX + 99] = '\0';
	nothing_told();
	mime_text_value(span_str(value), note, NULL);
	assert_int_equal(told[0], '|');
	nothing_told();
	mime_text_addresses(span_str(value), note, NULL);
	assert_int_equal(told[0], '|');
	free(value);
}

static void hostile_values_take_no_time(void **state)
{
	static const char *const pieces[] = { "<", "(", "=?utf-8?q?",
		"a:", ";name=", "name*0=", "\"", "%", ";", ",", "\\", "=?utf-8?b?" };
	const int64_t start = clock_ms();

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		auto_buf struct buf value;

		buf_init(&value, 16384);
		for (size_t used = 0; used + 16 < 12288; used += strlen(pieces[i]))
			assert_int_equal(buf_add_str(&value, pieces[i], NULL), 0);
		nothing_told();
		mime_text_value(buf_span(&value), note, NULL);
		mime_text_addresses(buf_span(&value), note, NULL);
	}
	assert_true(clock_ms() - start < 10000);
}

static void bytes_of_any_kind_become_text(void **state)
{
	static const uint8_t bytes[] = { 'a', 0, 0xff, '\n', 0xc3, 0xbc, 7 };

	(void)state;
	nothing_told();
	mime_text_value((struct span){ bytes, sizeof(bytes) }, note, NULL);
	assert_non_null(strstr(told, "a?"));
	assert_null(strchr(told, '\n'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_read_decoded_and_as_it_stands),
		cmocka_unit_test(every_address_is_told_without_its_name),
		cmocka_unit_test(a_file_name_is_found_however_it_is_written),
		cmocka_unit_test(what_is_too_long_to_be_read_is_nothing_to_rely_on),
		cmocka_unit_test(hostile_values_take_no_time),
		cmocka_unit_test(bytes_of_any_kind_become_text),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
