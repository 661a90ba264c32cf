/* SPDX-License-Identifier: ISC
 *
 * Archives behind other bytes, and what only looks like one. */
#include "tests/scanner/dissected.h"
#include "tests/scanner/hidden.h"

/* What stands before: each makes libclamav read the file in another way. */
static const struct {
	const char *what;
	size_t len;
	const char *bytes;
} before[] = {
	{ "text, then ", BYTES("Just some words\n") },
	{ "a picture, then ", BYTES("\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01") },
	{ "a program, then ", BYTES("MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00") },
	{ "a PDF, then ", BYTES("%PDF-1.4\n") },
	{ "HTML, then ", BYTES("<html>hello</html>\n") },
	{ "MP3, then ", BYTES("ID3\x03\x00\x00\x00\x00\x00\x00") },
	{ "Ogg, then ", BYTES("OggS\x00\x02") },
	{ "RealMedia, then ", BYTES(".RMF\x00\x00\x00\x12") },
	{ "SQLite, then ", BYTES("SQLite format 3\x00") },
	{ "gzip that is none, then ", BYTES("\x1f\x8b\x07") },
	{ "tar by its name, then ", BYTES("[aliases]\n") },
	{ "old cpio, then ", BYTES("\x71\xc7 ") },
	{ "ARJ that is none, then ", BYTES("\x60\xea  ") },
	{ "the word RAR, then ", BYTES("Rar!\x1a\x07\x00 no. ") },
};

static void an_archive_behind_other_bytes_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(before) / sizeof(*before); i++)
		for (size_t k = 0; k < sizeof(archives) / sizeof(*archives); k++) {
			auto_buf struct buf file;

			buf_init(&file, FIXTURE_MAX);
			put_span(&file, (struct span){ (const uint8_t *)before[i].bytes,
						before[i].len });
			archives[k].add(&file, span_str(EICAR));
			assert_result(before[i].what, archives[k].what, buf_span(&file),
				VERDICT_INFECTED, REASON_NONE);
		}
}

/* Each of these is opened by its first bytes, or else by what stands behind it. */
static void an_archive_behind_another_is_found(void **state)
{
	static const struct member letter = { "a.txt", LETTER };
	static const struct {
		const char *format, *filter;
	} first[] = { { "ustar", NULL }, { "raw", "gzip" }, { "zip", NULL },
		{ "newc", NULL } };

	(void)state;
	for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++)
		for (size_t k = 0; k < sizeof(archives) / sizeof(*archives); k++) {
			auto_buf struct buf file;

			buf_init(&file, FIXTURE_MAX);
			make_archive(&file, first[i].format, first[i].filter, NULL,
				&letter, 1);
			archives[k].add(&file, span_str(EICAR));
			assert_result(first[i].format, archives[k].what, buf_span(&file),
				VERDICT_INFECTED, REASON_NONE);
		}
}

/* libclamav looks at ten places of a file. */
static void decoys_do_not_hide_an_archive(void **state)
{
	static const struct {
		size_t archive, len;
		const char *decoy;
	} cases[] = {
		{ 0, BYTES("PK\x03\x04----") },
		{ 0, BYTES("PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00\x10\x00\x00\x00\x00"
			   "\x00\x00\x00\x00\x00") },
		{ 1, BYTES("7z\xbc\xaf\x27\x1c\x00\x04\x00\x00\x00\x00--------------------") },
		{ 2, BYTES("MSCF\x00\x00\x00\x00----") },
		{ 3, BYTES("\x60\xea-------\x00\x02----") },
		{ 4, BYTES("Rar!\x1a\x07\x01\x00----") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_buf struct buf file;

		buf_init(&file, FIXTURE_MAX);
		put_text(&file, "words ");
		for (int decoy = 0; decoy < 40; decoy++)
			put_span(&file, (struct span){ (const uint8_t *)cases[i].decoy,
						cases[i].len });
		archives[cases[i].archive].add(&file, span_str(EICAR));
		assert_result("decoys, then ", archives[cases[i].archive].what,
			buf_span(&file), VERDICT_INFECTED, REASON_NONE);
	}
}

static void a_clean_archive_behind_other_bytes_is_clean(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(archives) / sizeof(*archives); i++) {
		auto_buf struct buf file;

		buf_init(&file, FIXTURE_MAX);
		put_text(&file, "MZ this program unpacks itself ");
		archives[i].add(&file, span_str(LETTER));
		assert_result("program, then ", archives[i].what, buf_span(&file),
			VERDICT_CLEAN, REASON_NONE);
		put_text(&file, "and has more behind it");
		assert_result("between others: ", archives[i].what, buf_span(&file),
			VERDICT_CLEAN, REASON_NONE);
	}
}

static void what_is_encrypted_is_told_behind_other_bytes(void **state)
{
	static const struct member letter = { "a.txt", LETTER };
	static const char *const ways[] = { "zip:encryption=traditional",
		"zip:encryption=aes256" };

	(void)state;
	for (size_t i = 0; i < sizeof(before) / sizeof(*before); i++)
		for (size_t way = 0; way < 3; way++) {
			auto_buf struct buf file, inner;

			/* A RAR that is none, and an ARJ, are told anyway. */
			if (strstr(before[i].what, "RAR") ||
				strstr(before[i].what, "ARJ"))
				continue;
			buf_init(&file, FIXTURE_MAX);
			buf_init(&inner, FIXTURE_MAX);
			put_span(&file, (struct span){ (const uint8_t *)before[i].bytes,
						before[i].len });
			if (way < 2) {
				make_archive(&inner, "zip", NULL, ways[way], &letter, 1);
			} else {
				start_rar5(&inner, false);
				add_rar5(&inner, "a", span_str("????????????"), true);
				end_rar5(&inner);
			}
			put_span(&file, buf_span(&inner));
			assert_result(before[i].what,
				way < 2 ? ways[way] : "encrypted RAR", buf_span(&file),
				VERDICT_UNSCANNABLE, REASON_ENCRYPTED);
		}
}

/* By chance, or in a text about archives, nothing is an archive. */
static void what_only_looks_like_an_archive_is_clean(void **state)
{
	static const struct {
		const char *what;
		size_t len;
		const char *bytes;
	} cases[] = {
		{ "prose",
			BYTES("A RAR file begins with Rar!\x1a\x07, a zip with PK\x03\x04 or PK\x05\x06. ") },
		{ "a picture",
			BYTES("\xff\xd8\xff\xe0 PK\x03\x04 Rar!\x1a\x07\x00 7z\xbc\xaf\x27\x1c \x60\xea \xff\xd9 ----") },
		{ "a film",
			BYTES("\x00\x00\x00\x18"
			      "ftypmp42 MSCF\x00\x00\x00\x00 \x60\xea\x28\x00 PK\x05\x06 --") },
		{ "music", BYTES("ID3\x03\x00\x00\x00\x00\x00\x0f PK\x01\x02 ----") },
		{ "a font",
			BYTES("\x00\x01\x00\x00\x00\x0f\x00\x80\x00\x03\x00\x70GPOS----") },
		{ "zip's end without entries",
			BYTES("PK\x05\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_buf struct buf file;

		buf_init(&file, FIXTURE_MAX);
		put_span(&file,
			(struct span){ (const uint8_t *)cases[i].bytes, cases[i].len });
		put_zeros(&file, 3000);
		assert_result(
			cases[i].what, "", buf_span(&file), VERDICT_CLEAN, REASON_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ENGINE(an_archive_behind_other_bytes_is_found),
		WITH_ENGINE(an_archive_behind_another_is_found),
		WITH_ENGINE(decoys_do_not_hide_an_archive),
		WITH_ENGINE(a_clean_archive_behind_other_bytes_is_clean),
		WITH_ENGINE(what_is_encrypted_is_told_behind_other_bytes),
		WITH_ENGINE(what_only_looks_like_an_archive_is_clean),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
