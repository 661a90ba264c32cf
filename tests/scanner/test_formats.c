/* SPDX-License-Identifier: ISC
 *
 * What senders of malware put it into, in tables: technique and verdict. None of it is ever clean. */
#include "tests/test.h"

#include "tests/scanner/make_document.h"

#include "common/mime.h"

#include "scanner/alone.h"
#include "scanner/dissect.h"
#include "scanner/ole.h"
#include "scanner/pdf.h"
#include "scanner/rar.h"
#include "scanner/sniff.h"

#define LETTER "A letter, in which there is nothing to be found. "

/* Bytes, and before them how many. */
#define BYTES(text) sizeof(text) - 1, text

static struct fixture f;

static int start(void **state)
{
	(void)state;
	fixture_start(&f);
	fixture_load(&f);
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

static void assert_result(const char *what, const char *more, struct span bytes,
	enum verdict_kind kind, enum verdict_reason reason)
{
	struct result result = scan(bytes);

	if (result.kind != kind || result.reason != reason)
		fail_msg("%s%s: %s %s \"%s\" \"%s\"", what, more,
			verdict_name(result.kind), verdict_reason_name(result.reason),
			result.signature, result.detail);
}

/* The archives that programs open behind other bytes. */
static void add_zip(struct buf *out, struct span data)
{
	make_zip(out, "e.com", data, 0);
}

static void add_7zip(struct buf *out, struct span data)
{
	struct member member = { "e.com", NULL };
	auto_buf struct buf text, archive;
	const char *string;

	buf_init(&text, FIXTURE_MAX);
	buf_init(&archive, FIXTURE_MAX);
	put_span(&text, data);
	assert_int_equal(buf_text(&text, &string, NULL), 0);
	member.data = string;
	make_archive(&archive, "7zip", NULL, NULL, &member, 1);
	put_span(out, buf_span(&archive));
}

static void add_cab(struct buf *out, struct span data)
{
	make_cab(out, "e.com", data, 0);
}

static void add_arj(struct buf *out, struct span data)
{
	make_arj(out, "e.com", data, 0);
}

static void add_rar(struct buf *out, struct span data)
{
	make_rar5(out, "e.com", data);
}

static const struct {
	const char *what;
	void (*add)(struct buf *out, struct span data);
} archives[] = {
	{ "zip", add_zip },
	{ "7z", add_7zip },
	{ "CAB", add_cab },
	{ "ARJ", add_arj },
	{ "RAR", add_rar },
};

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

/* Its offsets may count from the start of the file, too, and a comment may be long. */
static void a_zip_is_found_by_its_end(void **state)
{
	static const struct {
		const char *what, *data;
		uint32_t before, behind;
		enum verdict_kind kind;
	} cases[] = {
		{ "a long comment", EICAR, 0, 60000, VERDICT_INFECTED },
		{ "a long comment, clean", LETTER, 0, 60000, VERDICT_CLEAN },
		{ "bytes before, a long comment", EICAR, 100, 60000, VERDICT_INFECTED },
		{ "bytes before, a long comment, clean", LETTER, 100, 60000,
			VERDICT_CLEAN },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int moved = 0; moved < 2; moved++) {
			auto_buf struct buf file;
			size_t end;

			buf_init(&file, FIXTURE_MAX);
			if (cases[i].before > 0)
				put_text(&file, "OggS");
			put_zeros(&file, cases[i].before);
			end = file.len;
			make_zip(&file, "e.com", span_str(cases[i].data), 0);
			/* The offset of the list, of the only entry in it, and the
			 * comment's size. */
			if (moved) {
				size_t list = file.len - 22 - 46 - 5;

				memcpy(file.data + list + 42,
					&(uint32_t){ (uint32_t)end }, 4);
				memcpy(file.data + file.len - 6,
					&(uint32_t){ (uint32_t)list }, 4);
			}
			memcpy(file.data + file.len - 2,
				&(uint16_t){ (uint16_t)cases[i].behind }, 2);
			put_zeros(&file, cases[i].behind);
			assert_result(cases[i].what, moved ? ", moved" : "",
				buf_span(&file), cases[i].kind, REASON_NONE);
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

static void put_disk(struct buf *out, size_t at, const char *mark, size_t len)
{
	buf_clear(out);
	put_zeros(out, 160UL * 1024);
	memcpy(out->data + at, mark, len);
	memcpy(out->data + 510, "\x55\xaa", 2);
}

static void disk_images_that_nobody_opens_are_unsupported(void **state)
{
	static const struct {
		const char *what;
		size_t at, len;
		const char *mark;
	} cases[] = {
		{ "FAT 12", 54, BYTES("FAT12   ") },
		{ "FAT 16", 54, BYTES("FAT16   ") },
		{ "FAT 32", 82, BYTES("FAT32   ") },
		{ "NTFS", 3, BYTES("NTFS    ") },
		{ "exFAT", 3, BYTES("EXFAT   ") },
		{ "ext", 1080, BYTES("\x53\xef") },
		{ "UDF", 0x8001 + 2048, BYTES("NSR02") },
		{ "later UDF", 0x8001 + 2 * 2048, BYTES("NSR03") },
		{ "fixed VHD", 160UL * 1024 - 512, BYTES("conectix") },
		{ "VHDX", 0, BYTES("vhdxfile") },
		{ "VMDK", 0, BYTES("KDMV") },
		{ "qcow2", 0, BYTES("QFI\xfb") },
		{ "VDI", 64, BYTES("\x7f\x10\xda\xbe") },
	};
	auto_buf struct buf disk;

	(void)state;
	buf_init(&disk, FIXTURE_MAX);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		put_disk(&disk, cases[i].at, cases[i].mark, cases[i].len);
		assert_result(cases[i].what, "", buf_span(&disk), VERDICT_UNSCANNABLE,
			REASON_UNSUPPORTED);
	}
	/* A boot sector alone. */
	put_disk(&disk, 54, "FAT12   ", 8);
	assert_result("boot sector", "", span_part(buf_span(&disk), 0, 512),
		VERDICT_CLEAN, REASON_NONE);
}

/* The same file, seen in the ISO 9660 list of names or only in the one of UDF. */
static void an_iso_image_that_is_udf_too_is_not_clean(void **state)
{
	static const struct member letter = { "a.txt", LETTER };
	auto_buf struct buf image;

	(void)state;
	buf_init(&image, FIXTURE_MAX);
	make_archive(&image, "iso9660", NULL, NULL, &letter, 1);
	assert_result("ISO", "", buf_span(&image), VERDICT_CLEAN, REASON_NONE);
	put_zeros(&image, 64UL * 1024);
	memcpy(image.data + 0x8001 + 20UL * 2048, "NSR02", 5);
	assert_result(
		"and UDF", "", buf_span(&image), VERDICT_UNSCANNABLE, REASON_UNSUPPORTED);
}

static void what_libclamav_alone_opens_must_give_all_that_it_lists(void **state)
{
	auto_buf struct buf file;

	(void)state;
	buf_init(&file, FIXTURE_MAX);
	make_cab(&file, "e.com", span_str(EICAR), 0);
	assert_result("CAB", "", buf_span(&file), VERDICT_INFECTED, REASON_NONE);
	buf_clear(&file);
	make_cab(&file, "e.com", span_str(EICAR), 100);
	assert_result("CAB, too short", "", buf_span(&file), VERDICT_UNSCANNABLE,
		REASON_UNSUPPORTED);
	assert_result("CAB, cut off", "", span_part(buf_span(&file), 0, file.len - 20),
		VERDICT_UNSCANNABLE, REASON_UNSUPPORTED);
	buf_clear(&file);
	make_arj(&file, "e.com", span_str(EICAR), ARJ_ENCRYPTED);
	assert_result("ARJ, encrypted", "", buf_span(&file), VERDICT_UNSCANNABLE,
		REASON_ENCRYPTED);
	buf_clear(&file);
	make_arj(&file, "a.txt", span_str(LETTER), ARJ_VOLUMES);
	assert_result("ARJ, a volume", "", buf_span(&file), VERDICT_UNSCANNABLE,
		REASON_UNSUPPORTED);
	buf_clear(&file);
	put_text(&file, "ITSF");
	put_zeros(&file, 5000);
	assert_result("CHM, damaged", "", buf_span(&file), VERDICT_UNSCANNABLE,
		REASON_UNSUPPORTED);
}

static const struct {
	const char *what;
	struct {
		char how; /* l: looked at, n: listed ("name") */
		const char *type;
		uint32_t level;
		uint64_t size;
	} calls[5];
	bool is_missing;
} lists[] = {
	{ "nothing", { { 0 } }, false },
	{ "all",
		{ { 'l', "CL_TYPE_MSCAB", 0, 99 }, { 'n', "CL_TYPE_MSCAB", 0, 9 },
			{ 'l', "CL_TYPE_TEXT_ASCII", 1, 9 } },
		false },
	{ "tiny", { { 'l', "CL_TYPE_MSCAB", 0, 99 }, { 'n', "CL_TYPE_MSCAB", 0, 5 } },
		false },
	{ "none", { { 'l', "CL_TYPE_MSCHM", 0, 99 } }, true },
	{ "none, then another",
		{ { 'l', "CL_TYPE_SIS", 1, 99 }, { 'l', "CL_TYPE_TEXT_ASCII", 1, 9 } },
		true },
	{ "one, not listed",
		{ { 'l', "CL_TYPE_SIS", 1, 99 }, { 'l', "CL_TYPE_TEXT_ASCII", 2, 9 } },
		false },
	{ "short",
		{ { 'l', "CL_TYPE_ARJ", 0, 99 }, { 'n', "CL_TYPE_ARJ", 0, 9 },
			{ 'l', "CL_TYPE_TEXT_ASCII", 1, 8 } },
		true },
	{ "first of two",
		{ { 'l', "CL_TYPE_ARJ", 0, 99 }, { 'n', "CL_TYPE_ARJ", 0, 9 },
			{ 'n', "CL_TYPE_ARJ", 0, 8 },
			{ 'l', "CL_TYPE_TEXT_ASCII", 1, 8 } },
		true },
	{ "last of two",
		{ { 'l', "CL_TYPE_ARJ", 0, 99 }, { 'n', "CL_TYPE_ARJ", 0, 9 },
			{ 'l', "CL_TYPE_ZIP", 1, 9 }, { 'n', "CL_TYPE_ARJ", 0, 8 } },
		true },
	{ "by chance",
		{ { 'l', "CL_TYPE_MSEXE", 0, 99 }, { 'n', "CL_TYPE_MSCAB", 0, 9 } },
		false },
	{ "beside",
		{ { 'l', "CL_TYPE_MSCAB", 1, 99 }, { 'n', "CL_TYPE_MSCAB", 1, 9 },
			{ 'l', "CL_TYPE_ZIP", 2, 9 }, { 'l', "CL_TYPE_MSEXE", 1, 99 },
			{ 'n', "CL_TYPE_MSCAB", 1, 7 } },
		false },
	{ "passed over", { { 'l', "", 0, 99 } }, false },
	{ "deep", { { 'l', "CL_TYPE_MSCAB", 1000, 99 } }, true },
};

static void a_list_is_held_against_what_was_looked_at(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		struct alone alone = { 0 };

		for (size_t k = 0; k < 5 && lists[i].calls[k].type; k++)
			if (lists[i].calls[k].how == 'l')
				alone_layer(&alone, lists[i].calls[k].type,
					lists[i].calls[k].level, lists[i].calls[k].size);
			else
				alone_listed(&alone, lists[i].calls[k].type,
					lists[i].calls[k].size);
		if (alone_end(&alone) != lists[i].is_missing)
			fail_msg("%s", lists[i].what);
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

/* What libclamav does not see of it: behind its last two kilobytes, or written in another way. */
static void a_pdf_is_encrypted_wherever_it_says_so(void **state)
{
	static const struct {
		const char *what, *encrypt;
		size_t behind;
		const char *gone, *after; /* "startxref" */
		bool is_encrypted;
	} cases[] = {
		{ "as usual", "/Encrypt 6 0 R", 0, "", "", true },
		{ "far from the end", "/Encrypt 6 0 R", 4000, "", "", true },
		{ "without a start", "/Encrypt 6 0 R", 0, "startxref", "", true },
		{ "without an end", "/Encrypt 6 0 R", 0, "%%EOF", "", true },
		{ "in other letters", "/#45ncr#79pt\n6\n0\nR", 0, "", "", true },
		{ "right there", "/Encrypt<</Filter/Standard>>", 4000, "", "", true },
		{ "twice", "/Encrypt 6 0 R", 4000, "",
			"trailer<</Encrypt 5 0 R>>startxref 0 %%EOF", true },
		{ "not", "", 4000, "", "", false },
		{ "in a text", "/Title(/Encrypt it)/EncryptMetadata true", 4000, "", "",
			false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_buf struct buf file;
		ptrdiff_t gone;

		buf_init(&file, FIXTURE_MAX);
		make_pdf(&file, span_str("????????????????????"), cases[i].encrypt);
		gone = span_find(buf_span(&file), span_str(cases[i].gone));
		if (cases[i].gone[0])
			file.data[gone] = 'x';
		put_zeros(&file, cases[i].behind);
		put_text(&file, cases[i].after);
		assert_result("encrypted ", cases[i].what, buf_span(&file),
			cases[i].is_encrypted ? VERDICT_UNSCANNABLE : VERDICT_CLEAN,
			cases[i].is_encrypted ? REASON_ENCRYPTED : REASON_NONE);
		for (size_t len = 0; len < file.len; len += 13)
			(void)pdf_encryption(span_part(buf_span(&file), 0, len));
	}
}

static void streams_of_ntfs_in_rar_are_told(void **state)
{
	auto_buf struct buf rar;

	(void)state;
	buf_init(&rar, FIXTURE_MAX);
	start_rar5(&rar, false);
	add_rar5(&rar, "a.txt", span_str(LETTER), false);
	add_rar5_service(&rar, "CMT", span_str("a comment"));
	assert_false(rar_has_streams(buf_span(&rar)));
	assert_result("RAR 5, comment", "", buf_span(&rar), VERDICT_CLEAN, REASON_NONE);
	add_rar5_service(&rar, "STM", span_str(EICAR));
	end_rar5(&rar);
	assert_result("RAR 5, stream", "", buf_span(&rar), VERDICT_UNSCANNABLE,
		REASON_UNSUPPORTED);
	buf_clear(&rar);
	start_rar4(&rar, 0);
	add_rar4(&rar, "a.txt", span_str(LETTER), 0);
	add_rar4_service(&rar, "CMT", span_str("a comment"));
	assert_false(rar_has_streams(buf_span(&rar)));
	add_rar4_service(&rar, "STM", span_str(EICAR));
	end_rar4(&rar);
	assert_true(rar_has_streams(buf_span(&rar)));
	assert_result("RAR 4, stream", "", buf_span(&rar), VERDICT_UNSCANNABLE,
		REASON_UNSUPPORTED);
	for (size_t len = 0; len < rar.len; len++)
		(void)rar_has_streams(span_part(buf_span(&rar), 0, len));
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

/* Does libarchive, left to itself, still take EICAR out of this? */
static bool is_extractable(struct span bytes)
{
	struct archive *archive = archive_read_new();
	struct archive_entry *entry;
	uint8_t data[sizeof(EICAR)];
	bool found = false;

	assert_non_null(archive);
	assert_int_equal(archive_read_support_filter_all(archive), ARCHIVE_OK);
	assert_int_equal(archive_read_support_format_all(archive), ARCHIVE_OK);
	assert_int_equal(archive_read_support_format_raw(archive), ARCHIVE_OK);
	if (archive_read_open_memory(archive, bytes.data, bytes.len) == ARCHIVE_OK)
		for (int i = 0; !found && i < 10; i++) {
			la_ssize_t len;

			if (archive_read_next_header(archive, &entry) < ARCHIVE_WARN)
				break;
			len = archive_read_data(archive, data, sizeof(data));
			found = len >= (la_ssize_t)strlen(EICAR) &&
				memcmp(data, EICAR, strlen(EICAR)) == 0;
		}
	(void)archive_read_free(archive);
	return found;
}

/* The same numbers each time. */
static size_t any(uint32_t *seed, size_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % below;
}

/* Cut off, changed in a bit or a byte, or with a few bytes less or more. */
static void damage(struct span from, uint32_t *seed, struct buf *out)
{
	size_t at = any(seed, from.len), how = any(seed, 5);

	buf_clear(out);
	put_span(out, span_part(from, 0, at));
	if (how == 0)
		return;
	if (how == 1)
		put_number(out, from.data[at] ^ 1U << any(seed, 8), 1);
	else if (how == 2)
		put_number(out, (uint32_t)any(seed, 256), 1);
	else if (how == 3)
		put_number(out, (uint32_t)any(seed, 0xffffff), 3);
	put_span(out, span_part(from, at + (how < 3 ? 1 : how == 3 ? 0 : 3), from.len));
}

enum {
	DAMAGES = 40
};

static void assert_damage_is_told(const char *what, struct span file)
{
	uint32_t seed = 1;
	auto_buf struct buf damaged;

	buf_init(&damaged, FIXTURE_MAX);
	assert_result(what, "", file, VERDICT_INFECTED, REASON_NONE);
	for (int i = 0; i < DAMAGES; i++) {
		damage(file, &seed, &damaged);
		if (scan(buf_span(&damaged)).kind == VERDICT_CLEAN &&
			is_extractable(buf_span(&damaged)))
			fail_msg("%s, damage %d", what, i);
	}
}

/* Whatever is changed in an archive: no crash, no hang, and never clean while it can be unpacked. */
static void a_damaged_archive_that_can_be_unpacked_is_not_clean(void **state)
{
	static const struct member members[] = { { "a.txt", LETTER },
		{ "e.com", EICAR } };
	static const struct {
		const char *format, *filter;
	} cases[] = { { "zip", NULL }, { "7zip", NULL }, { "ustar", NULL },
		{ "pax", "gzip" }, { "gnutar", "xz" }, { "newc", NULL }, { "odc", NULL },
		{ "arbsd", NULL }, { "xar", NULL }, { "raw", "gzip" }, { "raw", "bzip2" },
		{ "raw", "zstd" }, { "raw", "lz4" }, { "raw", "compress" },
		{ "raw", "lzma" } };
	auto_buf struct buf file;

	(void)state;
	buf_init(&file, FIXTURE_MAX);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool is_raw = strcmp(cases[i].format, "raw") == 0;

		buf_clear(&file);
		make_archive(&file, cases[i].format, cases[i].filter, NULL,
			members + is_raw, is_raw ? 1 : 2);
		assert_damage_is_told(cases[i].filter ? cases[i].filter : cases[i].format,
			buf_span(&file));
	}
	for (size_t i = 0; i < sizeof(archives) / sizeof(*archives); i++) {
		buf_clear(&file);
		put_text(&file, "words ");
		archives[i].add(&file, span_str(EICAR));
		assert_damage_is_told(archives[i].what, buf_span(&file));
	}
	buf_clear(&file);
	make_rar4(&file, "e.com", span_str(EICAR));
	assert_damage_is_told("RAR 4", buf_span(&file));
	buf_clear(&file);
	make_ole(&file, "__substg1.0_37010102", span_str(EICAR));
	assert_damage_is_told("Outlook", buf_span(&file));
	buf_clear(&file);
	make_pdf(&file, span_str(EICAR), "");
	assert_damage_is_told("PDF", buf_span(&file));
	buf_clear(&file);
	make_onenote(&file, span_str(EICAR));
	assert_damage_is_told("OneNote", buf_span(&file));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_archive_behind_other_bytes_is_found),
		cmocka_unit_test(an_archive_behind_another_is_found),
		cmocka_unit_test(decoys_do_not_hide_an_archive),
		cmocka_unit_test(a_clean_archive_behind_other_bytes_is_clean),
		cmocka_unit_test(a_zip_is_found_by_its_end),
		cmocka_unit_test(what_is_encrypted_is_told_behind_other_bytes),
		cmocka_unit_test(office_documents_with_a_password_are_encrypted),
		cmocka_unit_test(a_damaged_document_ends_the_search),
		cmocka_unit_test(disk_images_that_nobody_opens_are_unsupported),
		cmocka_unit_test(an_iso_image_that_is_udf_too_is_not_clean),
		cmocka_unit_test(what_libclamav_alone_opens_must_give_all_that_it_lists),
		cmocka_unit_test(a_list_is_held_against_what_was_looked_at),
		cmocka_unit_test(files_in_documents_are_found),
		cmocka_unit_test(a_pdf_is_encrypted_wherever_it_says_so),
		cmocka_unit_test(streams_of_ntfs_in_rar_are_told),
		cmocka_unit_test(frames_to_be_skipped_and_old_ones_are_read),
		cmocka_unit_test(what_only_looks_like_an_archive_is_clean),
		cmocka_unit_test(a_damaged_archive_that_can_be_unpacked_is_not_clean),
	};

	mime_start();
	return cmocka_run_group_tests(tests, start, stop);
}
