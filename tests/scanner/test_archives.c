/* SPDX-License-Identifier: ISC
 *
 * No archive is called clean unless all in it was seen: what libclamav passes over is found or told. */
#include "tests/test.h"

#include "tests/scanner/make_archive.h"

#include "common/mime.h"

#include "scanner/dissect.h"
#include "scanner/worker.h"

#define HEAD                                                                             \
	"From: a@example.org\r\nTo: b@example.org\r\nSubject: hello\r\n"                 \
	"MIME-Version: 1.0\r\n"
#define MIXED     HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
#define TEXT_PART "--b\r\nContent-Type: text/plain\r\n\r\nThe text that stays.\r\n"
#define LETTER    "A letter, in which there is nothing to be found. "
#define XML       "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a>" LETTER "</a>\n"

static struct fixture f;

static int start(void **state)
{
	(void)state;
	fixture_start(&f);
	fixture_load(&f);
	return 0;
}

static int start_without_engine(void **state)
{
	(void)state;
	fixture_start(&f);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fixture_stop(&f);
	return 0;
}

static struct result scan(struct span bytes)
{
	auto_dissection struct dissection *dissection = NULL;
	struct result result;

	engine_begin(f.engine);
	assert_int_equal(dissection_new(f.engine, &dissection, &f.err), 0);
	dissect(dissection, bytes, &result);
	return result;
}

static void assert_result(const char *what, struct result result, enum verdict_kind kind,
	enum verdict_reason reason)
{
	if (result.kind != kind || result.reason != reason)
		fail_msg("%s: %s %s \"%s\" \"%s\"", what, verdict_name(result.kind),
			verdict_reason_name(result.reason), result.signature,
			result.detail);
}

static void assert_infected(const char *what, struct result result, const char *where)
{
	assert_result(what, result, VERDICT_INFECTED, REASON_NONE);
	assert_string_equal(result.signature, EICAR_NAME);
	assert_string_equal(result.where, where);
}

static void eicar_in_rar_is_found_at_any_depth(void **state)
{
	void (*const make[])(
		struct buf *, const char *, struct span) = { make_rar4, make_rar5 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		auto_buf struct buf rar, zip, outer;

		buf_init(&rar, FIXTURE_MAX);
		buf_init(&zip, FIXTURE_MAX);
		buf_init(&outer, FIXTURE_MAX);
		make[i](&rar, "e.com", span_str(EICAR));
		assert_infected("rar", scan(buf_span(&rar)), "e.com");
		make_zip(&zip, "inner.rar", buf_span(&rar), 0);
		assert_infected("rar in zip", scan(buf_span(&zip)), "inner.rar > e.com");
		make_zip(&outer, "inner.zip", buf_span(&zip), 0);
		assert_infected("rar in zip in zip", scan(buf_span(&outer)),
			"inner.zip > inner.rar > e.com");
		buf_clear(&outer);
		make[1 - i](&outer, "inner.zip", buf_span(&zip));
		/* Stored, libclamav finds the zip in the raw bytes, without its name. */
		assert_infected(
			"rar in zip in rar", scan(buf_span(&outer)), "inner.rar > e.com");
		buf_clear(&outer);
		put_text(&outer, "MZ self-extracting");
		put_span(&outer, buf_span(&rar));
		assert_infected("rar behind a program", scan(buf_span(&outer)), "e.com");
	}
}

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
			scan(buf_span(&archive)), cases[i].where);
	}
}

static void rar_without_a_find_is_clean_and_otherwise_told(void **state)
{
	auto_buf struct buf rar;

	(void)state;
	buf_init(&rar, FIXTURE_MAX);
	make_rar4(&rar, "a.txt", span_str(LETTER));
	assert_result("rar", scan(buf_span(&rar)), VERDICT_CLEAN, REASON_NONE);
	buf_clear(&rar);
	start_rar5(&rar, false);
	add_rar5(&rar, "folder/a.txt", span_str(LETTER), false);
	add_rar5(&rar, "empty", span_str(""), false);
	end_rar5(&rar);
	assert_result("rar 5", scan(buf_span(&rar)), VERDICT_CLEAN, REASON_NONE);
	assert_result("cut off", scan(span_part(buf_span(&rar), 0, 70)),
		VERDICT_UNSCANNABLE, REASON_ERROR);
	buf_clear(&rar);
	start_rar5(&rar, false);
	add_rar5(&rar, "a", span_str("?????????????????????"), true);
	add_rar5(&rar, "e.com", span_str(EICAR), false);
	end_rar5(&rar);
	assert_infected("beside encrypted", scan(buf_span(&rar)), "e.com");
	buf_clear(&rar);
	start_rar5(&rar, true);
	add_rar5(&rar, "a", span_str(LETTER), false);
	assert_result(
		"volume", scan(buf_span(&rar)), VERDICT_UNSCANNABLE, REASON_UNSUPPORTED);
	assert_result("nothing but its magic number",
		scan((struct span){ (const uint8_t *)"Rar!\x1a\x07\x01\x00----", 12 }),
		VERDICT_UNSCANNABLE, REASON_UNSUPPORTED);
}

static void kinds_that_nobody_opens_are_unsupported(void **state)
{
	static const char wim[] = "MSWIM\0\0\0 and what follows";
	static const char ace[] = "1234567**ACE** and what follows";

	(void)state;
	assert_result("wim", scan((struct span){ (const uint8_t *)wim, sizeof(wim) }),
		VERDICT_UNSCANNABLE, REASON_UNSUPPORTED);
	assert_result(
		"ace", scan(span_str(ace)), VERDICT_UNSCANNABLE, REASON_UNSUPPORTED);
}

/* A zip of a letter and one entry more, which is not as it should be. What libclamav 1.4 alone says
 * of each is in the last column: "clean" is what must not be believed. */
static const struct {
	const char *what;
	struct zip_entry entry;
	enum verdict_kind kind;
	enum verdict_reason reason;
	bool alone_is_clean;
} odd_zips[] = {
	{ "stored", { .name = "e.com", .data = EICAR }, VERDICT_INFECTED, REASON_NONE,
		false },
	{ "deflated",
		{ .name = "e.com", .data = EICAR, .method = 8, .is_deflated = true },
		VERDICT_INFECTED, REASON_NONE, false },
	{ "relabelled as reduced", { .name = "e.com", .data = EICAR, .method = 4 },
		VERDICT_UNSCANNABLE, REASON_UNSUPPORTED, true },
	{ "relabelled as something unknown",
		{ .name = "e.com", .data = EICAR, .method = 77 }, VERDICT_UNSCANNABLE,
		REASON_UNSUPPORTED, true },
	{ "deflated, said to be LZMA",
		{ .name = "e.com", .data = EICAR, .method = 14, .is_deflated = true },
		VERDICT_UNSCANNABLE, REASON_ERROR, true },
	{ "damaged",
		{ .name = "e.com",
			.data = EICAR,
			.method = 8,
			.is_deflated = true,
			.is_damaged = true },
		VERDICT_UNSCANNABLE, REASON_ERROR, true },
	{ "a letter, damaged",
		{ .name = "b.txt",
			.data = LETTER,
			.method = 8,
			.is_deflated = true,
			.is_damaged = true },
		VERDICT_UNSCANNABLE, REASON_ERROR, true },
	{ "not listed at the end",
		{ .name = "e.com", .data = EICAR, .not_in_central = true },
		VERDICT_INFECTED, REASON_NONE, true },
	{ "not listed at the end and not to be read",
		{ .name = "e.com", .data = EICAR, .method = 77, .not_in_central = true },
		VERDICT_UNSCANNABLE, REASON_UNSUPPORTED, true },
	{ "only listed at the end",
		{ .name = "e.com", .data = EICAR, .not_in_local = true },
		VERDICT_UNSCANNABLE, REASON_ERROR, true },
	{ "a letter, longer than it says",
		{ .name = "b.txt",
			.data = LETTER,
			.method = 8,
			.is_deflated = true,
			.size_lie = (uint32_t)-10 },
		VERDICT_UNSCANNABLE, REASON_ERROR, true },
	{ "longer than it says",
		{ .name = "e.com",
			.data = EICAR,
			.method = 8,
			.is_deflated = true,
			.size_lie = (uint32_t)-10 },
		VERDICT_INFECTED, REASON_NONE, false },
};

static void a_zip_entry_that_is_odd_is_found_or_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(odd_zips) / sizeof(*odd_zips); i++) {
		const struct zip_entry entries[] = { { .name = "a.txt", .data = LETTER },
			odd_zips[i].entry,
			{ .name = "c.txt", .data = "The last of three letters." } };
		auto_buf struct buf zip;
		struct result alone;

		buf_init(&zip, FIXTURE_MAX);
		make_zip_of(&zip, entries, 3);
		engine_scan(f.engine, buf_span(&zip), NULL, &alone);
		if ((alone.kind == VERDICT_CLEAN) != odd_zips[i].alone_is_clean)
			fail_msg("%s: libclamav alone: %s", odd_zips[i].what,
				verdict_name(alone.kind));
		assert_result(odd_zips[i].what, scan(buf_span(&zip)), odd_zips[i].kind,
			odd_zips[i].reason);
	}
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
			files[i].what, scan(buf_span(&zip)), VERDICT_CLEAN, REASON_NONE);
		make_zip(&outer, "inner.zip", buf_span(&zip), 0);
		assert_result(files[i].what, scan(buf_span(&outer)), VERDICT_CLEAN,
			REASON_NONE);
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
		assert_result(cases[i].format, scan(buf_span(&archive)), VERDICT_CLEAN,
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

static void an_encrypted_zip_is_encrypted_and_nothing_worse(void **state)
{
	static const char *const ways[] = { "zip:encryption=traditional",
		"zip:encryption=aes128", "zip:encryption=aes256" };
	static const struct member members[] = { { "a.txt", LETTER }, { "b.xml", XML } };

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		auto_buf struct buf zip;

		buf_init(&zip, FIXTURE_MAX);
		make_archive(&zip, "zip", NULL, ways[i], members, 2);
		assert_result(ways[i], scan(buf_span(&zip)), VERDICT_UNSCANNABLE,
			REASON_ENCRYPTED);
	}
}

static void load_with_small_limits(void)
{
	f.settings.file_size_max = 1UL << 20;
	f.settings.scan_size_max = 4UL << 20;
	f.settings.files_max = 200;
	f.settings.recursion_max = 8;
	fixture_load(&f);
}

static void zeros_by_the_megabyte_end_at_a_limit(void **state)
{
	static char zeros[8UL << 20];
	static const char *const filters[] = { "gzip", "bzip2", "xz", "zstd", "lz4" };
	const struct member member = { "zeros", zeros };

	(void)state;
	load_with_small_limits();
	memset(zeros, '0', sizeof(zeros) - 1);
	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
		auto_buf struct buf bomb;

		buf_init(&bomb, FIXTURE_MAX);
		make_archive(&bomb, "raw", filters[i], NULL, &member, 1);
		assert_true(bomb.len < 64UL * 1024);
		assert_result(filters[i], scan(buf_span(&bomb)), VERDICT_UNSCANNABLE,
			REASON_LIMIT);
	}
}

static void rar_in_rar_ends_at_the_depth_limit(void **state)
{
	auto_buf struct buf inner, outer;

	(void)state;
	load_with_small_limits();
	buf_init(&inner, FIXTURE_MAX);
	buf_init(&outer, FIXTURE_MAX);
	make_rar5(&inner, "e.com", span_str(EICAR));
	for (int depth = 0; depth < 20; depth++) {
		struct buf swap = inner;

		buf_clear(&outer);
		make_rar5(&outer, "x.rar", buf_span(&inner));
		inner = outer;
		outer = swap;
		if (depth == 3)
			assert_infected("not so deep", scan(buf_span(&inner)),
				"x.rar > x.rar > x.rar > x.rar > e.com");
	}
	assert_result("deep", scan(buf_span(&inner)), VERDICT_UNSCANNABLE, REASON_LIMIT);
}

static void many_files_end_at_a_limit(void **state)
{
	auto_buf struct buf rar;
	char name[32];

	(void)state;
	load_with_small_limits();
	buf_init(&rar, FIXTURE_MAX);
	start_rar5(&rar, false);
	for (int i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof(name), "%d.txt", i);
		add_rar5(&rar, name, span_str(name), false);
	}
	end_rar5(&rar);
	assert_result("many", scan(buf_span(&rar)), VERDICT_UNSCANNABLE, REASON_LIMIT);
}

/* Each of 100 archives of one megabyte's worth: all of them together count. */
static void what_all_archives_unpack_to_has_one_limit(void **state)
{
	static char zeros[900UL * 1024];
	const struct member member = { "zeros", zeros };
	auto_buf struct buf rar;
	char name[32];

	(void)state;
	load_with_small_limits();
	memset(zeros, '0', sizeof(zeros) - 1);
	buf_init(&rar, FIXTURE_MAX);
	start_rar5(&rar, false);
	for (int i = 0; i < 8; i++) {
		auto_buf struct buf zst;

		buf_init(&zst, FIXTURE_MAX);
		zeros[0] = (char)('a' + i);
		make_archive(&zst, "raw", "zstd", NULL, &member, 1);
		(void)snprintf(name, sizeof(name), "%d.zst", i);
		add_rar5(&rar, name, buf_span(&zst), false);
	}
	end_rar5(&rar);
	assert_result("sum", scan(buf_span(&rar)), VERDICT_UNSCANNABLE, REASON_LIMIT);
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
	assert_infected("first", first, "a.rar > e.com");
	assert_infected("second", second, "a.rar > e.com");
}

static void add_part(struct buf *mail, const char *name, struct span bytes)
{
	put_text(mail, "--b\r\nContent-Type: application/octet-stream; name=");
	put_text(mail, name);
	put_text(mail, "\r\nContent-Transfer-Encoding: base64\r\n\r\n");
	add_base64(mail, bytes, "\r\n");
	put_text(mail, "\r\n");
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
	add_part(&mail, "clean.rar", buf_span(&clean));
	add_part(&mail, "outer.rar", buf_span(&rar));
	/* The same once more: both must go at once. */
	add_part(&mail, "copy.rar", buf_span(&rar));
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
		cmocka_unit_test_setup_teardown(
			eicar_in_rar_is_found_at_any_depth, start, stop),
		cmocka_unit_test_setup_teardown(
			eicar_is_found_in_what_libclamav_does_not_open, start, stop),
		cmocka_unit_test_setup_teardown(
			rar_without_a_find_is_clean_and_otherwise_told, start, stop),
		cmocka_unit_test_setup_teardown(
			kinds_that_nobody_opens_are_unsupported, start, stop),
		cmocka_unit_test_setup_teardown(
			a_zip_entry_that_is_odd_is_found_or_told, start, stop),
		cmocka_unit_test_setup_teardown(
			files_of_every_day_are_clean, start, stop),
		cmocka_unit_test_setup_teardown(
			other_archives_of_every_day_are_clean, start, stop),
		cmocka_unit_test_setup_teardown(
			an_archive_that_is_cut_off_is_not_clean, start, stop),
		cmocka_unit_test_setup_teardown(
			an_encrypted_zip_is_encrypted_and_nothing_worse, start, stop),
		cmocka_unit_test_setup_teardown(
			zeros_by_the_megabyte_end_at_a_limit, start_without_engine, stop),
		cmocka_unit_test_setup_teardown(
			rar_in_rar_ends_at_the_depth_limit, start_without_engine, stop),
		cmocka_unit_test_setup_teardown(
			many_files_end_at_a_limit, start_without_engine, stop),
		cmocka_unit_test_setup_teardown(what_all_archives_unpack_to_has_one_limit,
			start_without_engine, stop),
		cmocka_unit_test_setup_teardown(
			bytes_known_from_another_call_keep_their_result, start, stop),
		cmocka_unit_test_setup_teardown(
			the_whole_archive_is_cut_out_of_a_mail, start, stop),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
