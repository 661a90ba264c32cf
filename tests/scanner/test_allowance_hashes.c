/* SPDX-License-Identifier: ISC
 *
 * What a client allows by its hash is passed over, and nothing else with it. */
#include "tests/scanner/allowed.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCAN_TEST(a_part_is_allowed_by_the_hash_of_the_saved_attachment),
		SCAN_TEST(
			another_part_is_found_beside_an_allowed_one_and_only_that_is_cut),
		SCAN_TEST(
			an_archive_and_a_member_are_allowed_by_hash_and_no_other_member),
		SCAN_TEST(a_whole_message_is_allowed_by_its_hash),
		SCAN_TEST(what_is_read_otherwise_is_found_though_the_part_is_allowed),
		SCAN_TEST(a_file_in_a_text_is_allowed_by_its_hash),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
