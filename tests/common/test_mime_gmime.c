/* SPDX-License-Identifier: ISC
 *
 * Names of parts and values of fields, as GMime reads them for us. */
#include "tests/common/parsed.h"

#include "common/utf8.h"

struct named {
	const char *header, *name;
	bool has_name, is_attachment;
};

static void names_are_decoded(void **state)
{
	static const struct named table[] = {
		{ "Content-Type: a/b", "", false, false },
		{ "Content-Type: a/b; name=\"x y.exe\"", "x y.exe", true, false },
		{ "Content-Type: a/b; name=x.exe", "x.exe", true, false },
		{ "Content-Disposition: attachment", "", false, true },
		{ "Content-Disposition: inline; filename=\"a.txt\"", "a.txt", true,
			false },
		{ "Content-Disposition: attachment; filename=\"\"", "", true, true },
		{ "Content-Disposition: ATTACHMENT; FileName*=utf-8''%c3%a4.exe",
			"\xc3\xa4.exe", true, true },
		{ "Content-Disposition: attachment; filename*0=a.; filename*1=exe",
			"a.exe", true, true },
		{ "Content-Type: a/b; name=\"=?utf-8?b?w6Q=?=.exe\"", "\xc3\xa4.exe",
			true, false },
		{ "Content-Disposition: attachment; filename=\"../../x\"", "../../x",
			true, true },
		{ "Content-Type: a/b; filename=x", "", true, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		char text[256];
		struct mime *mime;

		(void)snprintf(text, sizeof(text), "%s\n\nx\n", table[i].header);
		mime = parse(span_str(text));
		assert_string_equal(table[i].name, mime->parts[0].name);
		assert_int_equal(table[i].has_name, mime->parts[0].has_name);
		assert_int_equal(table[i].is_attachment, mime->parts[0].is_attachment);
		mime_free(mime);
	}
}

static void long_names_keep_their_end_and_are_cut_between_characters(void **state)
{
	auto_buf struct buf text =
		repeated("Content-Disposition: attachment; filename*=utf-8''x", "%c3%a4",
			200, ".exe\n\nx\n");
	struct mime *mime = parse(buf_span(&text));
	const char *name = mime->parts[0].name;

	(void)state;
	assert_in_range(strlen(name), MIME_NAME_MAX - 3, MIME_NAME_MAX - 1);
	assert_true(utf8_valid(span_str(name)));
	assert_memory_equal("x\xc3\xa4", name, 3);
	assert_string_equal("\xc3\xa4.exe", name + strlen(name) - 6);
	mime_free(mime);
}

static void fields_are_found_and_shown_on_one_line(void **state)
{
	static const char text[] =
		"From a@b Mon\r\nSUBJECT : =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n =?utf-8?q?_an?= all\r\n"
		"X-Empty:\r\nX: \x01\x1b[2J\xff\r\nX: second\r\n\r\nBody: no\r\n";
	const struct span message = span_str(text);
	char shown[64], small[6];

	(void)state;
	assert_true(span_equal(span_str("\x01\x1b[2J\xff"), mime_field(message, 0, "x")));
	assert_non_null(mime_field(message, 0, "x-empty").data);
	assert_int_equal(0, mime_field(message, 0, "x-empty").len);
	assert_null(mime_field(message, 0, "body").data);
	assert_null(mime_field((struct span){ NULL, 0 }, 0, "x").data);
	mime_field_text(message, "subject", shown, sizeof(shown));
	assert_string_equal("Gr\xc3\xbc\xc3\x9f"
			    "e an all",
		shown);
	mime_field_text(message, "subject", small, sizeof(small));
	assert_string_equal("Gr\xc3\xbc", small);
	mime_field_text(message, "body", shown, sizeof(shown));
	assert_string_equal("", shown);
	mime_field_text(message, "x", shown, sizeof(shown));
	assert_string_equal("  [2J\xc3\xbf", shown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_decoded),
		cmocka_unit_test(
			long_names_keep_their_end_and_are_cut_between_characters),
		cmocka_unit_test(fields_are_found_and_shown_on_one_line),
	};
	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
