/* SPDX-License-Identifier: ISC
 *
 * No archive is called clean unless all in it was seen: what libclamav passes over is found or told. */
#include "tests/scanner/dissected.h"
#include "tests/scanner/make_document.h"

#include "scanner/worker.h"

static void eicar_is_found_in_what_libclamav_does_not_open(void **state)
{
	static const struct member member = { "e.com", EICAR };
	static const struct {
		const char *format, *filter, *where;
	} cases[] = {
		{ "raw", "zstd", "data" },
		{ "raw", "lz4", "data" },
		{ "raw", "lzip", "data" },
		{ "raw", "lzma", "data" },
		{ "raw", "compress", "data" },
		{ "arbsd", NULL, "e.com" },
		{ "ustar", "zstd", "data" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_buf struct buf archive;

		buf_init(&archive, FIXTURE_MAX);
		make_archive(
			&archive, cases[i].format, cases[i].filter, NULL, &member, 1);
		assert_infected(cases[i].filter ? cases[i].filter : cases[i].format,
			buf_span(&archive), cases[i].where);
	}
}

static void files_in_documents_are_found(void **state)
{
	auto_buf struct buf file, mail, zip, data;

	(void)state;
	buf_init(&file, FIXTURE_MAX);
	buf_init(&mail, FIXTURE_MAX);
	buf_init(&zip, FIXTURE_MAX);
	buf_init(&data, FIXTURE_MAX);
	make_onenote(&file, span_str(EICAR));
	assert_result("OneNote", "", buf_span(&file), VERDICT_INFECTED, REASON_NONE);
	buf_clear(&file);
	make_ole(&file, "__substg1.0_37010102", span_str(EICAR));
	assert_result("Outlook", "", buf_span(&file), VERDICT_INFECTED, REASON_NONE);
	put_text(&data, EICAR);
	put_zeros(&data, 5000);
	buf_clear(&file);
	make_ole(&file, "__substg1.0_37010102", buf_span(&data));
	assert_result(
		"Outlook, large", "", buf_span(&file), VERDICT_INFECTED, REASON_NONE);
	buf_clear(&file);
	make_pdf(&file, span_str(EICAR), "");
	assert_result("PDF", "", buf_span(&file), VERDICT_INFECTED, REASON_NONE);
	put_text(&mail, "From: a@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
			"Content-Type: application/octet-stream; name=e.com\r\n"
			"Content-Transfer-Encoding: base64\r\n\r\n" EICAR_BASE64 "\r\n");
	make_zip(&zip, "a.eml", buf_span(&mail), 0);
	assert_result("mail in zip", "", buf_span(&zip), VERDICT_INFECTED, REASON_NONE);
}

static void frames_to_be_skipped_and_old_ones_are_read(void **state)
{
	static const char skipped[] = "\x50\x2a\x4d\x18\x04\x00\x00\x00"
				      "abcd"
				      "\x5f\x2a\x4d\x18\x00\x00\x00\x00";
	/* The old frame of LZ4: a block's size, then a token of 15 literals and 53 more. */
	static const char old[] = "\x02\x21\x4c\x18\x46\x00\x00\x00\xf0\x35" EICAR;
	static const char *const filters[] = { "zstd", "lz4" };
	static const struct member member = { "e.com", EICAR };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		auto_buf struct buf file, frame;

		buf_init(&file, FIXTURE_MAX);
		buf_init(&frame, FIXTURE_MAX);
		put_span(&file, (struct span){ (const uint8_t *)skipped, 20 });
		make_archive(&frame, "raw", filters[i], NULL, &member, 1);
		put_span(&file, buf_span(&frame));
		assert_result("skipped, then ", filters[i], buf_span(&file),
			VERDICT_INFECTED, REASON_NONE);
	}
	assert_result("old LZ4", "",
		(struct span){ (const uint8_t *)old, sizeof(old) - 1 }, VERDICT_INFECTED,
		REASON_NONE);
}

static void kinds_that_nobody_opens_are_unsupported(void **state)
{
	static const char wim[] = "MSWIM\0\0\0 and what follows";
	static const char ace[] = "1234567**ACE** and what follows";

	(void)state;
	assert_result("wim", "", (struct span){ (const uint8_t *)wim, sizeof(wim) },
		VERDICT_UNSCANNABLE, REASON_UNSUPPORTED);
	assert_result("ace", "", span_str(ace), VERDICT_UNSCANNABLE, REASON_UNSUPPORTED);
}

/* A zip with the names that tell a kind, and what else belongs in one. */
static void files_of_every_day_are_clean(void **state)
{
	static const struct {
		const char *what, *options;
		struct member members[8];
	} files[] = {
		{ "docx", NULL,
			{ { "[Content_Types].xml", XML }, { "_rels/.rels", XML },
				{ "word/document.xml", XML },
				{ "word/_rels/document.xml.rels", XML },
				{ "docProps/app.xml", XML } } },
		{ "xlsx", NULL,
			{ { "[Content_Types].xml", XML }, { "_rels/.rels", XML },
				{ "xl/workbook.xml", XML },
				{ "xl/worksheets/sheet1.xml", XML } } },
		{ "jar", NULL,
			{ { "META-INF/", NULL },
				{ "META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n" },
				{ "org/", NULL },
				{ "org/A.class", "\xca\xfe\xba\xbe some code" } } },
		{ "odt", "zip:compression=store",
			{ { "mimetype", "application/vnd.oasis.opendocument.text" },
				{ "content.xml", XML }, { "META-INF/manifest.xml", XML },
				{ "Configurations2/", NULL } } },
		{ "epub", "zip:compression=store",
			{ { "mimetype", "application/epub+zip" },
				{ "META-INF/container.xml", XML },
				{ "OEBPS/a.xhtml", XML } } },
		{ "apk", NULL,
			{ { "AndroidManifest.xml", "\x03 some binary" },
				{ "classes.dex", "dex\n035" }, { "res/", NULL },
				{ "META-INF/CERT.SF", LETTER } } },
		{ "zip64", "zip:zip64", { { "a.txt", LETTER }, { "b.txt", LETTER } } },
		{ "odd names", NULL,
			{ { "gr\xc3\xbc\xc3\x9f"
			    "e.txt",
				  LETTER },
				{ "\xe6\x97\xa5\xe6\x9c\xac.txt", LETTER },
				{ "old \x81 name.txt", LETTER }, { "empty", "" },
				{ "folder/", NULL }, { "folder/in/it.txt", LETTER } } },
		{ "nothing in it", NULL, { { NULL, NULL } } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		auto_buf struct buf zip, outer;
		size_t count = 0;

		while (files[i].members[count].name)
			count++;
		buf_init(&zip, FIXTURE_MAX);
		buf_init(&outer, FIXTURE_MAX);
		make_archive(
			&zip, "zip", NULL, files[i].options, files[i].members, count);
		assert_result(
			files[i].what, "", buf_span(&zip), VERDICT_CLEAN, REASON_NONE);
		make_zip(&outer, "inner.zip", buf_span(&zip), 0);
		assert_result(
			files[i].what, "", buf_span(&outer), VERDICT_CLEAN, REASON_NONE);
	}
}

static void other_archives_of_every_day_are_clean(void **state)
{
	static const struct member members[] = { { "folder/", NULL },
		{ "folder/a.txt", LETTER }, { "empty", "" }, { "b.xml", XML } };
	static const struct {
		const char *format, *filter;
	} cases[] = { { "7zip", NULL }, { "ustar", NULL }, { "pax", "gzip" },
		{ "gnutar", "bzip2" }, { "pax", "xz" }, { "ustar", "zstd" },
		{ "newc", NULL }, { "iso9660", NULL }, { "xar", NULL } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_buf struct buf archive;

		buf_init(&archive, FIXTURE_MAX);
		make_archive(
			&archive, cases[i].format, cases[i].filter, NULL, members, 4);
		assert_result(cases[i].format, "", buf_span(&archive), VERDICT_CLEAN,
			REASON_NONE);
	}
}

/* Cut off in the middle, each of them holds a file that nobody has seen in full. */
static void an_archive_that_is_cut_off_is_not_clean(void **state)
{
	static const struct {
		const char *format, *filter;
	} cases[] = { { "7zip", NULL }, { "ustar", NULL }, { "raw", "gzip" },
		{ "raw", "bzip2" }, { "raw", "xz" }, { "raw", "zstd" }, { "zip", NULL } };
	char text[4096];
	const struct member member = { "a.bin", text };

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = (char)('!' + i * i * 7 % 91);
	text[sizeof(text) - 1] = '\0';
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_buf struct buf archive;
		struct result result;

		buf_init(&archive, FIXTURE_MAX);
		make_archive(
			&archive, cases[i].format, cases[i].filter, NULL, &member, 1);
		result = scan(span_part(buf_span(&archive), 0,
			archive.len > 4096 ? 2048 : archive.len / 2));
		if (result.kind != VERDICT_UNSCANNABLE)
			fail_msg("%s %s: %s", cases[i].format,
				cases[i].filter ? cases[i].filter : "",
				verdict_name(result.kind));
	}
}

/* A message is read twice, whole and by part: the second time nothing is unpacked again. */
static void bytes_known_from_another_call_keep_their_result(void **state)
{
	auto_dissection struct dissection *dissection = NULL;
	auto_buf struct buf rar, zip;
	struct result first, second;

	(void)state;
	buf_init(&rar, FIXTURE_MAX);
	buf_init(&zip, FIXTURE_MAX);
	make_rar5(&rar, "e.com", span_str(EICAR));
	make_zip(&zip, "a.rar", buf_span(&rar), 0);
	engine_begin(f.engine);
	assert_int_equal(dissection_new(f.engine, &dissection, &f.err), 0);
	dissect(dissection, buf_span(&zip), &first);
	dissect(dissection, buf_span(&rar), &second);
	assert_found("first", &first, "a.rar > e.com");
	assert_found("second", &second, "a.rar > e.com");
}

static void the_whole_archive_is_cut_out_of_a_mail(void **state)
{
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
	auto_buf struct buf mail, rar, clean;
	auto_body struct body body;
	struct span cleaned;

	(void)state;
	buf_init(&mail, FIXTURE_MAX);
	buf_init(&rar, FIXTURE_MAX);
	buf_init(&clean, FIXTURE_MAX);
	body_init(&body, f.temp, FIXTURE_MAX);
	make_rar5(&rar, "e.com", span_str(EICAR));
	make_rar4(&clean, "a.txt", span_str(LETTER));
	put_text(&mail, MIXED TEXT_PART);
	add_part(&mail, "application/octet-stream; name=clean.rar", buf_span(&clean));
	add_part(&mail, "application/octet-stream; name=outer.rar", buf_span(&rar));
	/* The same once more: both must go at once. */
	add_part(&mail, "application/octet-stream; name=copy.rar", buf_span(&rar));
	put_text(&mail, "--b--\r\n");
	if (worker_clean(f.engine, buf_span(&mail), 0, "", &verdict, &f.err) < 0)
		fail_msg("%s", f.err.text);
	assert_int_equal(verdict.kind, VERDICT_INFECTED);
	assert_int_equal(verdict.reason, REASON_NONE);
	assert_int_equal(verdict.finding_count, 2);
	assert_string_equal(verdict.findings[0].part, "3");
	assert_string_equal(verdict.findings[0].name, "outer.rar > e.com");
	assert_string_equal(verdict.findings[1].part, "4");
	assert_int_equal(edits_apply(&verdict.edits, buf_span(&mail), &body, &f.err), 0);
	assert_int_equal(body_span(&body, &cleaned, &f.err), 0);
	assert_true(span_find(cleaned, span_str("The text that stays.")) > 0);
	assert_true(span_find(cleaned, span_str("name=clean.rar")) > 0);
	assert_int_equal(span_find(cleaned, span_str("name=outer.rar")), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ENGINE(files_in_documents_are_found),
		WITH_ENGINE(frames_to_be_skipped_and_old_ones_are_read),
		WITH_ENGINE(eicar_is_found_in_what_libclamav_does_not_open),
		WITH_ENGINE(kinds_that_nobody_opens_are_unsupported),
		WITH_ENGINE(files_of_every_day_are_clean),
		WITH_ENGINE(other_archives_of_every_day_are_clean),
		WITH_ENGINE(an_archive_that_is_cut_off_is_not_clean),
		WITH_ENGINE(bytes_known_from_another_call_keep_their_result),
		WITH_ENGINE(the_whole_archive_is_cut_out_of_a_mail),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
