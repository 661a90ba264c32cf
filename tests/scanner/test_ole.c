/* SPDX-License-Identifier: ISC */
#include "tests/scanner/dissected.h"
#include "tests/scanner/make_document.h"

#include "scanner/ole.h"

enum {
	STREAM_MAX = 6000
};

/* A stream whose bytes at a place are these, small or large. */
static void make_document(struct buf *out, const char *stream, size_t at,
	const char *bytes, size_t len, bool is_small)
{
	auto_buf struct buf data;

	buf_init(&data, STREAM_MAX);
	put_zeros(&data, at);
	put_span(&data, (struct span){ (const uint8_t *)bytes, len });
	put_zeros(&data, (is_small ? 200 : STREAM_MAX) - at - len);
	buf_clear(out);
	make_ole(out, stream, buf_span(&data));
}

static void office_documents_with_a_password_are_encrypted(void **state)
{
	static const struct {
		const char *what, *stream;
		size_t at, len;
		const char *bytes;
		bool is_encrypted;
	} cases[] = {
		{ "OOXML", "EncryptedPackage", 0, BYTES("\x10\x00\x00\x00"), true },
		{ "another case", "encryptedPACKAGE", 0, BYTES("\x10\x00\x00\x00"),
			true },
		{ "Word", "WordDocument", 10, BYTES("\x00\x01"), true },
		{ "Word without", "WordDocument", 10, BYTES("\x00\x10"), false },
		{ "Excel", "Workbook", 0,
			BYTES("\x09\x08\x02\x00\x00\x06\x2f\x00\x36\x00"), true },
		{ "Excel 5", "Book", 0, BYTES("\x09\x08\x02\x00\x00\x06\x2f\x00\x36\x00"),
			true },
		{ "Excel without", "Workbook", 0,
			BYTES("\x09\x08\x02\x00\x00\x06\x42\x00\x02\x00"), false },
		{ "PowerPoint", "Current User", 12, BYTES("\xdf\xc4\xd1\xf3"), true },
		{ "PowerPoint without", "Current User", 12, BYTES("\x5f\xc0\x91\xe3"),
			false },
		{ "PowerPoint's summary", "EncryptedSummary", 0, BYTES("x"), true },
	};
	auto_buf struct buf file;

	(void)state;
	buf_init(&file, FIXTURE_MAX);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int is_small = 0; is_small < 2; is_small++) {
			make_document(&file, cases[i].stream, cases[i].at, cases[i].bytes,
				cases[i].len, is_small);
			assert_result(cases[i].what, is_small ? ", small" : "",
				buf_span(&file),
				cases[i].is_encrypted ? VERDICT_UNSCANNABLE
						      : VERDICT_CLEAN,
				cases[i].is_encrypted ? REASON_ENCRYPTED : REASON_NONE);
		}
}

static void a_damaged_document_ends_the_search(void **state)
{
	auto_buf struct buf file;

	(void)state;
	buf_init(&file, FIXTURE_MAX);
	make_document(&file, "WordDocument", 10, "\x00\x01", 2, true);
	assert_true(ole_is_encrypted(buf_span(&file)));
	for (size_t len = 0; len < file.len; len += 7)
		(void)ole_is_encrypted(span_part(buf_span(&file), 0, len));
	/* Everything that is a number may lead anywhere, in circles above all. */
	for (size_t at = 24; at < 3UL * 512; at++)
		for (size_t i = 0; i < 4; i++) {
			static const uint8_t values[] = { 0, 1, 0x7f, 0xff };
			uint8_t kept = file.data[at];

			file.data[at] = values[i];
			(void)ole_is_encrypted(buf_span(&file));
			file.data[at] = kept;
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ENGINE(office_documents_with_a_password_are_encrypted),
		cmocka_unit_test(a_damaged_document_ends_the_search),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
