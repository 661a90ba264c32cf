/* SPDX-License-Identifier: ISC
 *
 * What a client allows is passed over, and nothing else with it. */
#include "tests/test.h"

#include "tests/scanner/make_archive.h"

#include "common/mime.h"

#include "scanner/allowance.h"
#include "scanner/worker.h"

/* Found anywhere in a file, and in the mail around it where that is not encoded. ONE and TWO are
 * matched by one algorithm of libclamav, THREE by another, FOUR is a logical signature. */
#define ONE   "first-own-signature-1111"
#define TWO   "second-own-signature-2222"
#define THREE "third-own-signature-33-33"
#define FOUR  "fourth-own-signature-4444"

#define HEAD                                                                             \
	"From: a@example.org\r\nTo: b@example.org\r\nSubject: hello\r\n"                 \
	"MIME-Version: 1.0\r\n"
#define MIXED HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
#define TEXT  "--b\r\nContent-Type: text/plain\r\n\r\nThe text that stays.\r\n"
#define END   "--b--\r\n"

static const char *const signatures[] = { ONE, TWO, THREE, FOUR };
static const char *const names[] = { "Own.One", "Own.Two", "Own.Three", "Own.Four" };

enum {
	SIGNATURES = 4
};

static struct fixture f;
static char own[96];
static char *folders[2] = { own, (char[]){ "test" } };

static void put_hex(FILE *file, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		(void)fprintf(file, "%02x", (unsigned char)text[i]);
}

static void write_file(const char *name, void (*write)(FILE *file))
{
	char path[160];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", own, name);
	file = fopen(path, "we");
	assert_non_null(file);
	write(file);
	assert_int_equal(fclose(file), 0);
}

static void write_ndb(FILE *file)
{
	for (int i = 0; i < 2; i++) {
		(void)fprintf(file, "%s:0:*:", names[i]);
		put_hex(file, signatures[i], strlen(signatures[i]));
		(void)fputc('\n', file);
	}
	(void)fprintf(file, "%s:0:*:", names[2]);
	put_hex(file, THREE, 10);
	(void)fputs("{1-20}", file);
	put_hex(file, "-33-33", 6);
	(void)fputc('\n', file);
}

static void write_ldb(FILE *file)
{
	(void)fprintf(file, "%s;Engine:51-255,Target:0;0&1;", names[3]);
	put_hex(file, "fourth-own", 10);
	(void)fputc(';', file);
	put_hex(file, "-4444", 5);
	(void)fputc('\n', file);
}

static int start(void **state)
{
	(void)state;
	fixture_start(&f);
	(void)snprintf(own, sizeof(own), "%s/own", f.folder);
	assert_int_equal(mkdir(own, 0700), 0);
	write_file("own.ndb", write_ndb);
	write_file("own.ldb", write_ldb);
	f.settings.signatures.items = folders;
	f.settings.signatures.count = 2;
	f.settings.file_size_max = 1 << 20;
	fixture_load(&f);
	return 0;
}

static int stop(void **state)
{
	char path[160];

	(void)state;
	for (int i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/own.%s", own, i ? "ndb" : "ldb");
		assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(rmdir(own), 0);
	fixture_stop(&f);
	return 0;
}

static void allow_bytes(struct allow *allow, struct span bytes)
{
	struct hash hash;

	assert_int_equal(hash_span(bytes, &hash, NULL), 0);
	assert_int_equal(allow_add_hash(allow, &hash, NULL), 0);
}

static void scan(struct span mail, const struct allow *allow, struct verdict *verdict)
{
	*verdict = (struct verdict){ 0 };
	engine_allow(f.engine, allow);
	if (worker_clean(f.engine, mail, 0, "q", verdict, &f.err) < 0)
		fail_msg("%s", f.err.text);
	engine_allow(f.engine, NULL);
}

/* Its kind and detail; an infected one: its signatures in a row. */
static void assert_scan(
	const char *what, struct span mail, const struct allow *allow, const char *wanted)
{
	DEFER(verdict_done) struct verdict verdict;
	char said[2000];
	size_t used;

	scan(mail, allow, &verdict);
	used = (size_t)snprintf(said, sizeof(said), "%s", verdict_name(verdict.kind));
	for (size_t i = 0; i < verdict.finding_count; i++)
		used += (size_t)snprintf(said + used, sizeof(said) - used, " %s",
			verdict.findings[i].signature);
	if (verdict.reason != REASON_NONE)
		used += (size_t)snprintf(said + used, sizeof(said) - used, " (%s)",
			verdict_reason_name(verdict.reason));
	if (verdict.kind == VERDICT_CLEAN)
		(void)snprintf(said + used, sizeof(said) - used, " %s", verdict.detail);
	if (strcmp(said, wanted) != 0)
		fail_msg("%s: \"%s\", expected \"%s\"", what, said, wanted);
}

static void start_mail(struct buf *mail)
{
	buf_init(mail, FIXTURE_MAX);
	put_text(mail, MIXED TEXT);
}

static void attach_head(struct buf *mail, const char *type, const char *encoding)
{
	assert_int_equal(buf_printf(mail, NULL,
				 "--b\r\nContent-Type: %s\r\n"
				 "Content-Disposition: attachment; filename=\"a.bin\"\r\n"
				 "Content-Transfer-Encoding: %s\r\n\r\n",
				 type, encoding),
		0);
}

static void attach(struct buf *mail, struct span bytes)
{
	attach_head(mail, "application/octet-stream", "base64");
	add_base64(mail, bytes, "\r\n");
	put_text(mail, "\r\n");
}

static void attach_text(struct buf *mail, const char *encoding, const char *text)
{
	attach_head(mail, "text/plain", encoding);
	put_text(mail, text);
	put_text(mail, "\r\n");
}

/* All signatures at once: as one part, in one archive of each kind, as a part each. */
static void make_many(struct buf *mail, int how)
{
	auto_buf struct buf inside;
	struct member members[SIGNATURES];
	char text[1000] = "";

	buf_init(&inside, FIXTURE_MAX);
	for (size_t i = 0; i < SIGNATURES; i++) {
		size_t used = strlen(text);

		(void)snprintf(text + used, sizeof(text) - used, "<%s>", signatures[i]);
		members[i] = (struct member){ names[i], signatures[i] };
	}
	start_mail(mail);
	if (how == 0) {
		attach(mail, span_str(text));
	} else if (how == 1) {
		attach_text(mail, "8bit", text);
	} else if (how == 2) {
		make_archive(&inside, "zip", NULL, NULL, members, SIGNATURES);
		attach(mail, buf_span(&inside));
	} else if (how == 3) {
		start_rar4(&inside, 0);
		for (size_t i = 0; i < SIGNATURES; i++)
			add_rar4(&inside, names[i], span_str(signatures[i]), 0);
		end_rar4(&inside);
		attach(mail, buf_span(&inside));
	} else {
		for (size_t i = 0; i < SIGNATURES; i++)
			attach(mail, span_str(signatures[i]));
	}
	put_text(mail, END);
}

static void allowed_names_do_not_hide_the_one_that_is_not(void **state)
{
	static const char *const hows[] = { "part", "text", "zip", "rar", "parts" };

	(void)state;
	for (int how = 0; how < 5; how++)
		for (size_t other = 0; other < SIGNATURES; other++) {
			auto_allow struct allow allow = { 0 };
			auto_buf struct buf mail;
			char wanted[100];

			make_many(&mail, how);
			for (size_t i = 0; i < SIGNATURES; i++)
				if (i != other)
					assert_int_equal(
						allow_add_name(&allow, names[i], NULL),
						0);
			(void)snprintf(wanted, sizeof(wanted), "infected %s.UNOFFICIAL",
				names[other]);
			assert_scan(hows[how], buf_span(&mail), &allow, wanted);
		}
}

static void all_names_allowed_are_clean_and_said(void **state)
{
	auto_allow struct allow allow = { 0 };

	(void)state;
	for (size_t i = 0; i < SIGNATURES; i++)
		assert_int_equal(allow_add_name(&allow, names[i], NULL), 0);
	for (int how = 0; how < 5; how++) {
		DEFER(verdict_done) struct verdict verdict;
		auto_buf struct buf mail;

		make_many(&mail, how);
		scan(buf_span(&mail), &allow, &verdict);
		assert_int_equal(verdict.kind, VERDICT_CLEAN);
		assert_non_null(verdict_allowed(&verdict));
		for (size_t i = 0; i < SIGNATURES; i++)
			assert_non_null(strstr(verdict.detail, names[i]));
	}
}

static void a_name_is_allowed_as_it_is_shown_and_without_unofficial(void **state)
{
	static const char *const lists[] = { "Own.One.UNOFFICIAL", "Own.One",
		"Eicar-Test-Signature" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		auto_allow struct allow allow = { 0 };
		auto_buf struct buf mail;

		assert_int_equal(allow_add_name(&allow, lists[i], NULL), 0);
		start_mail(&mail);
		attach(&mail, span_str(i < 2 ? ONE : EICAR));
		put_text(&mail, END);
		assert_scan(lists[i], buf_span(&mail), &allow,
			i < 2 ? "clean allowed: Own.One.UNOFFICIAL"
			      : "clean allowed: Eicar-Test-Signature");
	}
}

static void a_name_that_only_resembles_it_is_not_allowed(void **state)
{
	static const char *const others[] = { "Own.On", "Own.One.", "own.one", "One",
		"Own.One.UNOFFICIAL.UNOFFICIAL", ".UNOFFICIAL" };
	auto_allow struct allow allow = { 0 };
	auto_buf struct buf mail;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_int_equal(allow_add_name(&allow, others[i], NULL), 0);
	start_mail(&mail);
	attach(&mail, span_str(ONE));
	put_text(&mail, END);
	assert_scan("similar", buf_span(&mail), &allow, "infected Own.One.UNOFFICIAL");
}

static void what_the_next_client_allows_is_its_own(void **state)
{
	auto_allow struct allow allow = { 0 };
	auto_buf struct buf mail;

	(void)state;
	make_many(&mail, 4);
	for (size_t i = 0; i < SIGNATURES; i++)
		assert_int_equal(allow_add_name(&allow, names[i], NULL), 0);
	for (int round = 0; round < 2; round++) {
		DEFER(verdict_done) struct verdict verdict;

		scan(buf_span(&mail), round ? NULL : &allow, &verdict);
		assert_int_equal(verdict.kind, round ? VERDICT_INFECTED : VERDICT_CLEAN);
		assert_int_equal(verdict.detail[0] != '\0', round == 0);
	}
}

static void a_limit_and_an_encrypted_file_cannot_be_allowed(void **state)
{
	static const char *const unseen[] = { "Heuristics.Limits.Exceeded.MaxFileSize",
		"Heuristics.Limits.Exceeded.MaxScanSize",
		"Heuristics.Limits.Exceeded.MaxFiles", "Heuristics.Limits.Exceeded",
		"Heuristics.Encrypted.Zip" };
	auto_allow struct allow allow = { 0 };
	auto_buf struct buf large, locked, bytes;

	(void)state;
	buf_init(&bytes, FIXTURE_MAX);
	for (size_t i = 0; i < sizeof(unseen) / sizeof(*unseen); i++)
		assert_int_equal(allow_add_name(&allow, unseen[i], NULL), 0);
	start_mail(&large);
	for (int i = 0; i < 100000; i++)
		put_text(&bytes, "Nothing to see. ");
	attach(&large, buf_span(&bytes));
	put_text(&large, END);
	assert_scan("large", buf_span(&large), &allow, "unscannable (limit)");
	buf_clear(&bytes);
	make_zip(&bytes, "a.txt", span_str("some encrypted bytes"), ZIP_ENCRYPTED);
	start_mail(&locked);
	attach(&locked, buf_span(&bytes));
	put_text(&locked, END);
	assert_scan("locked", buf_span(&locked), &allow, "unscannable (encrypted)");
}

/* The mail with text as a part of this encoding: found; allowed by hash: clean, and said. */
static void assert_part_allowed(const char *encoding, const char *text, const char *saved)
{
	auto_allow struct allow allow = { 0 };
	DEFER(verdict_done) struct verdict verdict;
	auto_buf struct buf mail;
	char hash[HASH_TEXT_MAX], wanted[200];

	start_mail(&mail);
	attach_text(&mail, encoding, text);
	put_text(&mail, END);
	scan(buf_span(&mail), NULL, &verdict);
	assert_int_equal(verdict.kind, VERDICT_INFECTED);
	assert_int_equal(verdict.finding_count, 1);
	assert_string_equal(verdict.findings[0].part, "2");
	allow_bytes(&allow, span_str(saved));
	assert_string_equal(hash_text(&verdict.findings[0].hash, hash),
		hash_text(&allow.hashes[0], (char[HASH_TEXT_MAX]){ "" }));
	(void)snprintf(wanted, sizeof(wanted), "clean allowed: %s", hash);
	assert_scan(encoding, buf_span(&mail), &allow, wanted);
}

static void a_part_is_allowed_by_the_hash_of_the_saved_attachment(void **state)
{
	(void)state;
	assert_part_allowed("base64", "Zmlyc3Qtb3duLXNpZ25hdHVyZS0xMTEx", ONE);
	assert_part_allowed("8bit", ONE, ONE);
	assert_part_allowed("7bit", "Line\r\n\r\n" ONE "\r\n\r\nmore\r\n\r\n",
		"Line\r\n\r\n" ONE "\r\n\r\nmore\r\n\r\n");
	assert_part_allowed("binary", "Line\n" ONE "\nmore\n", "Line\n" ONE "\nmore\n");
	assert_part_allowed("quoted-printable",
		"A=20line\r\nfirst-own-sig=\r\nnature-1111\r\n", "A line\r\n" ONE "\r\n");
	assert_part_allowed("quoted-printable", "A=3Dline\r\n" ONE "\r\nmore",
		"A=line\r\n" ONE "\r\nmore");
	/* "A text\n" ONE "\n" */
	assert_part_allowed("base64",
		"QSB0ZXh0CmZpcnN0LW93bi1zaWduYXR1cmUtMTExMQo=", "A text\n" ONE "\n");
}

static bool has(const struct buf *bytes, const char *text)
{
	return span_find(buf_span(bytes), span_str(text)) >= 0;
}

static void another_part_is_found_beside_an_allowed_one_and_only_that_is_cut(void **state)
{
	static const char *const encodings[] = { "base64", "8bit" };

	(void)state;
	for (int how = 0; how < 4; how++) {
		auto_allow struct allow allow = { 0 };
		DEFER(verdict_done) struct verdict verdict;
		auto_buf struct buf mail, cleaned;
		const char *two = how & 2 ? ONE "!" : TWO;

		start_mail(&mail);
		attach_text(&mail, encodings[how & 1],
			how & 1 ? ONE : "Zmlyc3Qtb3duLXNpZ25hdHVyZS0xMTEx");
		attach_text(&mail, "8bit", two);
		put_text(&mail, END);
		allow_bytes(&allow, span_str(ONE));
		scan(buf_span(&mail), &allow, &verdict);
		assert_int_equal(verdict.kind, VERDICT_INFECTED);
		assert_int_equal(verdict.finding_count, 1);
		assert_string_equal(verdict.findings[0].part, "3");
		assert_non_null(verdict_allowed(&verdict));
		buf_init(&cleaned, FIXTURE_MAX);
		for (size_t i = 0, at = 0; i <= verdict.edits.count; i++) {
			bool last = i == verdict.edits.count;
			const struct edit *edit = &verdict.edits.list[i];
			size_t to = last ? mail.len : (size_t)edit->offset;

			put_span(&cleaned, span_part(buf_span(&mail), at, to - at));
			if (last)
				break;
			put_span(&cleaned, buf_span(&edit->text));
			at = to + (size_t)edit->length;
		}
		assert_true(has(&cleaned, how & 1 ? ONE "\r\n--b" : "Zmlyc3Qtb3du"));
		assert_false(has(&cleaned, two));
		/* Another worker vouches for it, which is told the same. */
		verdict_done(&verdict);
		engine_allow(f.engine, &allow);
		assert_int_equal(
			worker_verify(f.engine, buf_span(&cleaned), &verdict, &f.err), 0);
		engine_allow(f.engine, NULL);
		assert_int_equal(verdict.kind, VERDICT_CLEAN);
	}
}

/* how: a zip, which libclamav opens; a RAR, which it does not; a zip in a zip. */
static void make_pack(
	struct buf *out, int how, const struct member *members, size_t count)
{
	auto_buf struct buf inner;

	buf_init(&inner, FIXTURE_MAX);
	if (how == 1) {
		start_rar4(out, 0);
		for (size_t i = 0; i < count; i++)
			add_rar4(out, members[i].name, span_str(members[i].data), 0);
		end_rar4(out);
		return;
	}
	make_archive(how == 0 ? out : &inner, "zip", NULL, NULL, members, count);
	if (how == 2)
		make_zip(out, "inner.zip", buf_span(&inner), 0);
}

static void an_archive_and_a_member_are_allowed_by_hash_and_no_other_member(void **state)
{
	/* Found at the start of a file only, so not in an archive that stores it. */
	static const struct member members[] = { { "a.txt", EICAR "a" },
		{ "b.txt", EICAR "b" } };

	(void)state;
	for (int how = 0; how < 3; how++) {
		auto_allow struct allow whole = { 0 }, first = { 0 };
		DEFER(verdict_done) struct verdict verdict;
		auto_buf struct buf bytes, mail;
		char wanted[200], hash[HASH_TEXT_MAX];

		buf_init(&bytes, FIXTURE_MAX);
		make_pack(&bytes, how, members, 2);
		start_mail(&mail);
		attach(&mail, buf_span(&bytes));
		put_text(&mail, END);
		allow_bytes(&whole, buf_span(&bytes));
		(void)snprintf(wanted, sizeof(wanted), "clean allowed: %s",
			hash_text(&whole.hashes[0], hash));
		assert_scan("archive", buf_span(&mail), &whole, wanted);
		allow_bytes(&first, span_str(members[0].data));
		scan(buf_span(&mail), &first, &verdict);
		assert_int_equal(verdict.kind, VERDICT_INFECTED);
		/* The part is what goes, and what somebody can save. */
		assert_true(hash_equal(&verdict.findings[0].hash, &whole.hashes[0]));
		if (how == 1)
			assert_string_equal(verdict.findings[0].name, "a.bin > b.txt");
		allow_bytes(&first, span_str(members[1].data));
		verdict_done(&verdict);
		scan(buf_span(&mail), &first, &verdict);
		assert_int_equal(verdict.kind, VERDICT_CLEAN);
		assert_non_null(verdict_allowed(&verdict));
	}
}

static void a_whole_message_is_allowed_by_its_hash(void **state)
{
	auto_allow struct allow allow = { 0 };
	auto_buf struct buf mail;
	char wanted[200], hash[HASH_TEXT_MAX];

	(void)state;
	make_many(&mail, 1);
	allow_bytes(&allow, buf_span(&mail));
	(void)snprintf(wanted, sizeof(wanted), "clean allowed: %s",
		hash_text(&allow.hashes[0], hash));
	assert_scan("message", buf_span(&mail), &allow, wanted);
	put_text(&mail, "\r\n");
	allow_done(&allow);
	assert_scan("message", buf_span(&mail), NULL, "infected Own.One.UNOFFICIAL");
}

static void what_is_read_otherwise_is_found_though_the_part_is_allowed(void **state)
{
	/* "harmless", padded, and behind that ONE: some stop at the padding, some go on. */
	static const char two_ways[] = "aGFybWxlc3M=Zmlyc3Qtb3duLXNpZ25hdHVyZS0xMTEx";
	auto_allow struct allow allow = { 0 };
	DEFER(verdict_done) struct verdict verdict;
	auto_buf struct buf mail;

	(void)state;
	start_mail(&mail);
	attach_text(&mail, "base64", two_ways);
	put_text(&mail, END);
	allow_bytes(&allow, span_str("harmless"));
	scan(buf_span(&mail), &allow, &verdict);
	assert_int_equal(verdict.kind, VERDICT_INFECTED);
	verdict_done(&verdict);
	/* And the other way round: what we read first is allowed, the rest is found. */
	allow_done(&allow);
	buf_done(&mail);
	start_mail(&mail);
	attach_text(&mail, "base64",
		"Zmlyc3Qtb3duLXNpZ25hdHVyZS0xMTEx"
		"YQ=="
		"c2Vjb25kLW93bi1zaWduYXR1cmUtMjIyMg==");
	put_text(&mail, END);
	allow_bytes(&allow, span_str(ONE "a" TWO));
	scan(buf_span(&mail), &allow, &verdict);
	assert_int_equal(verdict.kind, VERDICT_INFECTED);
}

static void a_file_in_a_text_is_allowed_by_its_hash(void **state)
{
	static const char mail[] =
		HEAD "\r\nSee this:\r\nbegin 644 a.txt\r\n"
		     "89FER<W0M;W=N+7-I9VYA='5R92TQ,3$Q\r\n`\r\nend\r\n";
	auto_allow struct allow allow = { 0 };
	DEFER(verdict_done) struct verdict verdict;

	(void)state;
	scan(span_str(mail), NULL, &verdict);
	assert_int_equal(verdict.kind, VERDICT_INFECTED);
	assert_int_equal(allow_add_hash(&allow, &verdict.findings[0].hash, NULL), 0);
	verdict_done(&verdict);
	scan(span_str(mail), &allow, &verdict);
	assert_int_equal(verdict.kind, VERDICT_CLEAN);
	assert_non_null(verdict_allowed(&verdict));
}

static void what_was_allowed_is_said_once_and_in_bounds(void **state)
{
	auto_allow struct allow allow = { 0 };
	DEFER(allowance_done) struct allowance allowance = { 0 };
	char name[FINDING_SIGNATURE_MAX];

	(void)state;
	assert_int_equal(allow_add_name(&allow, "Name.1", NULL), 0);
	assert_int_equal(allow_add_name(&allow, "Name", NULL), 0);
	for (int i = 100; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "Name.%d", i);
		assert_int_equal(allow_add_name(&allow, name, NULL), 0);
	}
	allowance_start(&allowance, &allow);
	assert_string_equal(allowance_said(&allowance), "");
	assert_false(allowance_name(&allowance, "Name.2"));
	assert_true(allowance_name(&allowance, "Name.1"));
	assert_true(allowance_name(&allowance, "Name.1"));
	assert_true(allowance_name(&allowance, "Name"));
	assert_string_equal(allowance_said(&allowance), "allowed: Name.1, Name");
	for (int i = 100; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "Name.%d", i);
		assert_true(allowance_name(&allowance, name));
		assert_true(strlen(allowance_said(&allowance)) < VERDICT_DETAIL_MAX);
	}
	assert_non_null(strstr(allowance_said(&allowance), ", ..."));
	assert_null(strstr(allowance_said(&allowance), "..., ..."));
	allowance_start(&allowance, NULL);
	assert_false(allowance_name(&allowance, "Name.1"));
	assert_string_equal(allowance_said(&allowance), "");
}

static void texts_are_known_whatever_their_line_ends_and_nothing_else_is(void **state)
{
	static const struct {
		const char *part, *layer;
		bool same;
	} cases[] = { { "a\r\nb", "a\nb\n", true }, { "a\nb\r\n\r\n", "a\r\nb", true },
		{ "a", "a\n", true }, { "a\r\nb", "a\nc\n", false },
		{ "ab", "a\nb", false }, { "a\rb", "ab", false },
		{ "a\n\nb", "a\nb", false } };
	auto_allow struct allow allow = { 0 };

	(void)state;
	allow_bytes(&allow, span_str("something else"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		DEFER(allowance_done) struct allowance allowance = { 0 };
		struct span layer = span_str(cases[i].layer);
		struct hash hash;

		allowance_start(&allowance, &allow);
		allowance_add_text(&allowance, span_str(cases[i].part));
		assert_int_equal(hash_span(layer, &hash, NULL), 0);
		assert_int_equal(
			allowance_layer(&allowance, layer, &hash), cases[i].same);
	}
}

static void binary_parts_are_known_by_their_exact_bytes_only(void **state)
{
	static const uint8_t part[] = { 'M', 'Z', 0, '\r', '\n', 1 };
	static const uint8_t other[] = { 'M', 'Z', 0, '\n', 1 };
	DEFER(allowance_done) struct allowance allowance = { 0 };
	auto_allow struct allow allow = { 0 };
	struct hash hash;

	(void)state;
	allow_bytes(&allow, (struct span){ part, sizeof(part) });
	allowance_start(&allowance, &allow);
	allowance_add_text(&allowance, (struct span){ part, sizeof(part) });
	assert_int_equal(
		hash_span((struct span){ other, sizeof(other) }, &hash, NULL), 0);
	assert_false(allowance_layer(
		&allowance, (struct span){ other, sizeof(other) }, &hash));
	assert_true(allowance_layer(
		&allowance, (struct span){ part, sizeof(part) }, &allow.hashes[0]));
}

#define SCAN_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCAN_TEST(allowed_names_do_not_hide_the_one_that_is_not),
		SCAN_TEST(all_names_allowed_are_clean_and_said),
		SCAN_TEST(a_name_is_allowed_as_it_is_shown_and_without_unofficial),
		SCAN_TEST(a_name_that_only_resembles_it_is_not_allowed),
		SCAN_TEST(what_the_next_client_allows_is_its_own),
		SCAN_TEST(a_limit_and_an_encrypted_file_cannot_be_allowed),
		SCAN_TEST(a_part_is_allowed_by_the_hash_of_the_saved_attachment),
		SCAN_TEST(
			another_part_is_found_beside_an_allowed_one_and_only_that_is_cut),
		SCAN_TEST(
			an_archive_and_a_member_are_allowed_by_hash_and_no_other_member),
		SCAN_TEST(a_whole_message_is_allowed_by_its_hash),
		SCAN_TEST(what_is_read_otherwise_is_found_though_the_part_is_allowed),
		SCAN_TEST(a_file_in_a_text_is_allowed_by_its_hash),
		cmocka_unit_test(what_was_allowed_is_said_once_and_in_bounds),
		cmocka_unit_test(
			texts_are_known_whatever_their_line_ends_and_nothing_else_is),
		cmocka_unit_test(binary_parts_are_known_by_their_exact_bytes_only),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
