/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "mailfilter/imap_text.h"

static void folder_names_are_modified_utf7(void **state)
{
	static const struct {
		const char *name, *text;
	} cases[] = {
		{ "INBOX", "\"INBOX\"" },
		{ "Ordner \"A\\B\"", "\"Ordner \\\"A\\\\B\\\"\"" },
		{ "a & b", "\"a &- b\"" },
		/* RFC 3501's own example. */
		{ "~peter/mail/台北/日本語", "\"~peter/mail/&U,BTFw-/&ZeVnLIqe-\"" },
		{ "Entwürfe", "\"Entw&APw-rfe\"" },
		{ "ü", "\"&APw-\"" },
		{ "üü", "\"&APwA,A-\"" },
		{ "üüü", "\"&APwA,AD8-\"" },
		{ "😀", "\"&2D3eAA-\"" },
		{ "tab\there", "\"tab&AAk-here\"" },
		{ "", "\"\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_buf struct buf buf;
		const char *text;
		struct err err;

		buf_init(&buf, 1000);
		assert_int_equal(imap_text_folder(cases[i].name, &buf, &err), 0);
		assert_int_equal(buf_text(&buf, &text, &err), 0);
		assert_string_equal(text, cases[i].text);
	}
}

static void what_cannot_be_quoted_is_refused(void **state)
{
	auto_buf struct buf buf;
	struct err err;

	(void)state;
	buf_init(&buf, 1000);
	assert_int_equal(imap_text_quoted("a\r\nb", &buf, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	assert_int_equal(imap_text_quoted("a\nb", &buf, &err), -1);
	assert_int_equal(imap_text_folder("\xff\xfe", &buf, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	assert_int_equal(imap_text_folder("cut \xc3", &buf, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folder_names_are_modified_utf7),
		cmocka_unit_test(what_cannot_be_quoted_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
