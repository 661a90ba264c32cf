/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "common/mime.h"

#include "scanner/clean.h"

enum {
	MESSAGE_MAX = 1024 * 1024
};

#define HEAD "From: a@example.org\r\nSubject: hello\r\nMIME-Version: 1.0\r\n"
#define TWO                                                                              \
	HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n"      \
	     "Content-Type: text/plain\r\n\r\nThe text.\r\n--b\r\n"                      \
	     "Content-Type: application/zip; name=\"a.zip\"\r\n"                         \
	     "Content-Transfer-Encoding: base64\r\n\r\nQUJD\r\nREVG\r\n--b--\r\nepilogue\r\n"

struct cleaned {
	struct mime *mime;
	struct edits edits;
	struct body body;
	struct span bytes;
	struct err err;
};

static void cleaned_done(struct cleaned *cleaned)
{
	mime_free(cleaned->mime);
	edits_done(&cleaned->edits);
	body_done(&cleaned->body);
}

static struct finding finding_of(const char *part, const char *name)
{
	struct finding finding = { .type = "application/zip", .size = 10 };

	(void)snprintf(finding.part, sizeof(finding.part), "%s", part);
	(void)snprintf(finding.name, sizeof(finding.name), "%s", name);
	(void)snprintf(finding.signature, sizeof(finding.signature), "Some.Virus");
	return finding;
}

/* Plan and apply, and check what must hold for every plan: outside of the edits nothing changes,
 * and what comes out has as many parts as its structure says, readable by the parser. */
static void clean(struct span message, const char *const *parts, size_t count,
	uint32_t level, struct cleaned *cleaned)
{
	struct finding findings[8];
	uint64_t from = 0, at = 0;

	*cleaned = (struct cleaned){ 0 };
	body_init(&cleaned->body, "/tmp", MESSAGE_MAX);
	for (size_t i = 0; i < count; i++)
		findings[i] = finding_of(parts[i], "a.zip");
	assert_int_equal(mime_parse(message, &cleaned->mime, NULL), 0);
	if (clean_plan(message, cleaned->mime,
		    &(struct clean_order){ findings, count, level, "q-17" },
		    &cleaned->edits, &cleaned->err) < 0 ||
		edits_apply(&cleaned->edits, message, &cleaned->body, &cleaned->err) < 0)
		fail_msg("%s", cleaned->err.text);
	assert_int_equal(body_span(&cleaned->body, &cleaned->bytes, NULL), 0);
	for (size_t i = 0; i < cleaned->edits.count; i++) {
		const struct edit *edit = &cleaned->edits.list[i];
		size_t len = (size_t)(edit->offset - from);

		assert_memory_equal(cleaned->bytes.data + at, message.data + from, len);
		from = edit->offset + edit->length;
		at += len + edit->text.len;
	}
	assert_int_equal(message.len - from, cleaned->bytes.len - at);
	assert_memory_equal(cleaned->bytes.data + at, message.data + from,
		message.len - (size_t)from);
}

static void clean_text(
	const char *message, const char *part, uint32_t level, struct cleaned *cleaned)
{
	clean(span_str(message), &part, 1, level, cleaned);
}

static void assert_has(const struct cleaned *cleaned, const char *text)
{
	if (span_find(cleaned->bytes, span_str(text)) < 0)
		fail_msg("\"%s\" is not in:\n%.*s", text, (int)cleaned->bytes.len,
			(const char *)cleaned->bytes.data);
}

static void assert_lacks(const struct cleaned *cleaned, const char *text)
{
	if (span_find(cleaned->bytes, span_str(text)) >= 0)
		fail_msg("\"%s\" is in:\n%.*s", text, (int)cleaned->bytes.len,
			(const char *)cleaned->bytes.data);
}

#define auto_cleaned DEFER(cleaned_done)

static void the_infected_part_is_replaced_where_it_stood(void **state)
{
	auto_cleaned struct cleaned cleaned;

	(void)state;
	clean_text(TWO, "2", 0, &cleaned);
	assert_has(&cleaned,
		"preamble\r\n--b\r\nContent-Type: text/plain\r\n\r\nThe text."
		"\r\n--b\r\nContent-Type: text/plain; charset=us-ascii\r\n"
		"Content-Disposition: inline\r\n"
		"Content-Transfer-Encoding: 7bit\r\n\r\n"
		"The attachment \"a.zip\"\r\n(application/zip, 10 bytes) was "
		"removed\r\nbecause Some.Virus was found.\r\n");
	assert_has(&cleaned, "mailfilter quarantine show q-17\r\n");
	assert_has(&cleaned, "\r\n--b--\r\nepilogue\r\n");
	assert_has(&cleaned, "X-Virus-Status: Cleaned (Some.Virus)\r\n");
	assert_has(&cleaned, "X-Quarantine-ID: q-17\r\n");
	assert_lacks(&cleaned, "QUJD");
	assert_lacks(&cleaned, "What stood around it");
}

static void several_infected_parts_go_and_only_they(void **state)
{
	static const char *const parts[] = { "2", "1" };
	auto_cleaned struct cleaned cleaned;

	(void)state;
	clean(span_str(TWO), parts, 2, 0, &cleaned);
	assert_lacks(&cleaned, "QUJD");
	assert_lacks(&cleaned, "The text.");
	assert_has(&cleaned, "preamble\r\n--b\r\nContent-Type: text/plain; charset=us");
	assert_has(&cleaned, "Cleaned (Some.Virus and 1 more)");
}

static void no_finding_means_no_edit(void **state)
{
	auto_cleaned struct cleaned cleaned;

	(void)state;
	clean(span_str(TWO), NULL, 0, 0, &cleaned);
	assert_int_equal(cleaned.edits.count, 0);
	assert_true(span_equal(cleaned.bytes, span_str(TWO)));
}

static void of_the_root_its_content_goes_and_its_other_fields_stay(void **state)
{
	static const char message[] = "From: a@example.org\n"
				      "Content-Type: application/octet-stream;\n"
				      "\tname=\"x.exe\"\n"
				      "Subject: hello\n"
				      "CONTENT-transfer-encoding : base64\n"
				      "X-Last: yes\n\nQUJD\n";
	auto_cleaned struct cleaned cleaned;

	(void)state;
	clean_text(message, "", 0, &cleaned);
	assert_has(&cleaned, "From: a@example.org\nSubject: hello\nX-Last: yes\n"
			     "Content-Type: text/plain; charset=us-ascii\n");
	assert_has(&cleaned, "Encoding: 7bit\n\nThe attachment");
	assert_lacks(&cleaned, "x.exe");
	assert_lacks(&cleaned, "base64");
	assert_lacks(&cleaned, "QUJD");
	assert_lacks(&cleaned, "\r");
	assert_int_equal(cleaned.bytes.data[cleaned.bytes.len - 1], '\n');
}

static void a_header_without_an_end_gets_one(void **state)
{
	static const char *const messages[] = { "From: a@example.org\r\n",
		"From: a@example.org", "From: a@example.org\r\nContent-Type: a/b", "" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		auto_cleaned struct cleaned cleaned;

		clean_text(messages[i], "", 0, &cleaned);
		assert_has(
			&cleaned, "\r\nContent-Type: text/plain; charset=us-ascii\r\n");
		assert_has(&cleaned, "Encoding: 7bit\r\n\r\nThe attachment");
		assert_lacks(&cleaned, "a/b");
		assert_lacks(&cleaned, "\r\n\r\nContent-Type");
	}
}

static void a_level_takes_the_enclosing_part(void **state)
{
	static const char message[] = HEAD
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
		"Content-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\n\r\nOne.\r\n"
		"--c\r\nContent-Type: text/html\r\n\r\nTwo.\r\n--c--\r\n\r\n--b\r\n\r\nThree.\r\n"
		"--b--\r\n";
	static const struct {
		const char *part;
		uint32_t level;
		const char *gone, *stays;
	} cases[] = {
		{ "1.2", 0, "Two.", "One." },
		{ "1.2", 1, "One.", "\r\n--b\r\n\r\nThree." },
		{ "1.2", 2, "Three.", "Subject: hello" },
		{ "1.2", 200, "Three.", "Subject: hello" },
		{ "", 0, "Three.", "Subject: hello" },
		{ "7.7", 0, "Three.", "Subject: hello" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_cleaned struct cleaned cleaned;

		clean_text(message, cases[i].part, cases[i].level, &cleaned);
		assert_lacks(&cleaned, cases[i].gone);
		assert_lacks(&cleaned, "Two.");
		assert_has(&cleaned, cases[i].stays);
		if (i == 1)
			assert_has(&cleaned, "What stood around it went too");
	}
}

static void a_part_in_a_larger_one_that_goes_is_not_cut_twice(void **state)
{
	static const char message[] = HEAD
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
		"Content-Type: multipart/signed; boundary=c\r\n\r\n--c\r\n\r\nOne.\r\n"
		"--c\r\nContent-Type: text/html\r\n\r\nTwo.\r\n--c--\r\n\r\n--b\r\n\r\nThree.\r\n"
		"--b--\r\n";
	static const char *const parts[] = { "1.1", "1.2" };
	auto_cleaned struct cleaned cleaned;

	(void)state;
	clean(span_str(message), parts, 2, 0, &cleaned);
	assert_lacks(&cleaned, "One.");
	assert_lacks(&cleaned, "Two.");
	assert_has(&cleaned, "Three.");
	assert_has(&cleaned, "What stood around it went too");
	/* One notice, which names both. */
	assert_int_equal(cleaned.edits.count, 2);
}

static void a_signed_root_goes_whole(void **state)
{
	static const char message[] = HEAD
		"Content-Type: multipart/signed; boundary=b; micalg=pgp-sha256\r\n\r\n--b\r\n"
		"\r\nSigned.\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nsig\r\n"
		"--b--\r\n";
	auto_cleaned struct cleaned cleaned;

	(void)state;
	clean_text(message, "1", 0, &cleaned);
	assert_lacks(&cleaned, "Signed.");
	assert_lacks(&cleaned, "multipart/signed");
	assert_lacks(&cleaned, "pgp");
	assert_has(&cleaned, "Subject: hello\r\n");
}

static void in_a_message_inside_its_own_fields_stay(void **state)
{
	static const char message[] = HEAD
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
		"Content-Type: message/rfc822\r\n\r\nFrom: inner@example.org\r\n"
		"Content-Type: application/zip\r\nSubject: inner\r\n\r\nQUJD\r\n--b--\r\n";
	auto_cleaned struct cleaned cleaned;

	(void)state;
	clean_text(message, "1.1", 0, &cleaned);
	assert_has(&cleaned, "message/rfc822\r\n\r\nFrom: inner@example.org\r\nSubject: "
			     "inner\r\nContent-Type: text/plain; charset=us-ascii\r\n");
	assert_lacks(&cleaned, "QUJD");
	assert_has(&cleaned, "\r\n--b--\r\n");
}

static void odd_ends_still_leave_delimiters_at_the_start_of_a_line(void **state)
{
	static const char *const messages[] = {
		/* no closing delimiter */
		HEAD
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nOne.\r\n"
		"--b\r\nX-Y: z\r\n\r\nQUJD",
		/* a header cut short by a delimiter */
		HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX-Y: z\r\n"
		     "--b\r\nX-Y: QUJD\r\n--b--\r\n",
		/* no body */
		HEAD
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nOne.\r\n"
		"--b\r\nX-Y: QUJD\r\n\r\n--b--\r\n",
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		auto_cleaned struct cleaned cleaned;
		auto_buf struct buf rest;
		struct mime *again = NULL;

		buf_init(&rest, MESSAGE_MAX);
		clean_text(messages[i], "2", 0, &cleaned);
		assert_lacks(&cleaned, "QUJD");
		assert_int_equal(mime_parse(cleaned.bytes, &again, NULL), 0);
		assert_int_equal(again->count, 3);
		assert_string_equal(again->parts[2].type, "text/plain");
		assert_int_equal(
			mime_decode(cleaned.bytes, &again->parts[2], &rest, NULL), 0);
		assert_true(span_find(buf_span(&rest), span_str("administrator")) > 0);
		mime_free(again);
	}
}

static void names_from_outside_form_neither_lines_nor_boundaries(void **state)
{
	struct finding finding = finding_of("2", "a\r\n--b--\r\n\"\xc3\xbc.zip\x1b[2J");
	auto_cleaned struct cleaned cleaned = { 0 };
	struct span message = span_str(TWO);

	(void)state;
	memset(finding.name + strlen(finding.name), 'x', 200);
	memcpy(finding.name + strlen(finding.name), ".exe", 5);
	(void)strcpy(finding.signature, "Evil\nVirus");
	(void)strcpy(finding.type, "a/b\r\n\r\nc");
	body_init(&cleaned.body, "/tmp", MESSAGE_MAX);
	assert_int_equal(mime_parse(message, &cleaned.mime, NULL), 0);
	assert_int_equal(clean_plan(message, cleaned.mime,
				 &(struct clean_order){ &finding, 1, 0, "q\n1" },
				 &cleaned.edits, &cleaned.err),
		0);
	assert_int_equal(edits_apply(&cleaned.edits, message, &cleaned.body, NULL), 0);
	assert_int_equal(body_span(&cleaned.body, &cleaned.bytes, NULL), 0);
	assert_has(&cleaned, "The attachment \"a?\?--b--?\?\?\?.zip?[2Jxxx");
	assert_has(&cleaned, "xxx...xxx");
	assert_has(&cleaned, "xxx.exe\"\r\n(a/b?\?\?\?c, 10 bytes)");
	assert_has(&cleaned, "because Evil?Virus was found.");
	assert_has(&cleaned, "show q?1\r\n");
}

static void the_most_findings_still_fit(void **state)
{
	auto_buf struct buf message;
	auto_free struct finding *findings = calloc(FINDINGS_MAX, sizeof(*findings));
	struct mime *mime = NULL;
	struct edits edits = { 0 };
	char path[16];

	(void)state;
	buf_init(&message, MESSAGE_MAX);
	assert_int_equal(
		buf_add_str(&message,
			HEAD "Content-Type: multipart/signed; boundary=b\r\n\r\n", NULL),
		0);
	for (int i = 0; i < FINDINGS_MAX; i++) {
		assert_int_equal(buf_add_str(&message, "--b\r\n\r\nx\r\n", NULL), 0);
		(void)snprintf(path, sizeof(path), "%d", i + 1);
		findings[i] = finding_of(path, "");
		memset(findings[i].name, 'n', FINDING_NAME_MAX - 1);
		memset(findings[i].type, 't', FINDING_TYPE_MAX - 1);
		memset(findings[i].signature, 's', FINDING_SIGNATURE_MAX - 1);
	}
	for (int signed_whole = 1; signed_whole >= 0; signed_whole--) {
		if (!signed_whole)
			memcpy(message.data + strlen(HEAD) +
					strlen("Content-Type: multipart/"),
				"mixedX", 6);
		assert_int_equal(mime_parse(buf_span(&message), &mime, NULL), 0);
		assert_int_equal(clean_plan(buf_span(&message), mime,
					 &(struct clean_order){
						 findings, FINDINGS_MAX, 0, "q-17" },
					 &edits, NULL),
			0);
		if (!signed_whole)
			assert_true(edits.count > FINDINGS_MAX);
		edits_done(&edits);
		mime_free(mime);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_infected_part_is_replaced_where_it_stood),
		cmocka_unit_test(several_infected_parts_go_and_only_they),
		cmocka_unit_test(no_finding_means_no_edit),
		cmocka_unit_test(of_the_root_its_content_goes_and_its_other_fields_stay),
		cmocka_unit_test(a_header_without_an_end_gets_one),
		cmocka_unit_test(a_level_takes_the_enclosing_part),
		cmocka_unit_test(a_part_in_a_larger_one_that_goes_is_not_cut_twice),
		cmocka_unit_test(a_signed_root_goes_whole),
		cmocka_unit_test(in_a_message_inside_its_own_fields_stay),
		cmocka_unit_test(odd_ends_still_leave_delimiters_at_the_start_of_a_line),
		cmocka_unit_test(names_from_outside_form_neither_lines_nor_boundaries),
		cmocka_unit_test(the_most_findings_still_fit),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
