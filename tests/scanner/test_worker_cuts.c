/* SPDX-License-Identifier: ISC
 *
 * What a worker finds, where, and what it leaves of the mail. */
#include "tests/scanner/scanned.h"

#define UUENCODED                                                                        \
	"See this:\r\n"                                                                  \
	"begin 644 e.com\r\n"                                                            \
	"M6#5/(5`E0$%06S1<4%I8-30H4%XI-T-#*3=])$5)0T%2+5-404Y$05)$+4%.\r\n"              \
	"75$E625)54RU415-4+49)3$4A)$@K2\"H`\r\n`\r\nend\r\n"

static const struct {
	const char *message;
	const char *parts; /* of the findings, in order */
	const char *stays;
} infected[] = {
	{ EICAR, "<>", "X-Virus-Status" },
	{ HEAD "\r\n" EICAR, "<>", "Subject: hello\r\n" },
	{ HEAD "Content-Type: application/x-com\r\n"
	       "Content-Transfer-Encoding: base64\r\n\r\n" EICAR_BASE64 "\r\n",
		"<>", "Subject: hello\r\n" },
	{ MIXED TEXT_PART EICAR_PART END, "<2>", TEXT_PART },
	{ MIXED EICAR_PART TEXT_PART EICAR_PART END, "<1><3>", TEXT_PART },
	{ MIXED TEXT_PART "--b\r\nContent-Type: text/plain\r\n\r\n" EICAR "\r\n" END,
		"<2>", TEXT_PART },
	/* only libclamav's mail parser looks for uuencode in text */
	{ MIXED TEXT_PART "--b\r\nContent-Type: text/plain\r\n\r\n" UUENCODED END, "<2>",
		TEXT_PART },
	{ HEAD "\r\nHello.\r\n" UUENCODED, "<>", "Subject: hello\r\n" },
	/* one that is found at once and one that shows when that is gone */
	{ MIXED TEXT_PART EICAR_PART
		"--b\r\nContent-Type: text/plain\r\n\r\n" UUENCODED TEXT_PART END,
		"<2><3>", TEXT_PART },
	{ MIXED TEXT_PART "--b\r\nContent-Type: message/rfc822\r\n\r\n" HEAD
			  "Content-Type: multipart/mixed; boundary=c\r\n\r\n"
			  "--c\r\n\r\nInner text.\r\n--c\r\n"
			  "Content-Type: application/x-com\r\n"
			  "Content-Transfer-Encoding: base64\r\n\r\n" EICAR_BASE64
			  "\r\n--c--\r\n" END,
		"<2.2>", "Inner text." },
	{ MIXED TEXT_PART "--b\r\nContent-Type: message/rfc822\r\n\r\n"
			  "Subject: inner\r\nContent-Type: application/x-com\r\n"
			  "Content-Transfer-Encoding: base64\r\n\r\n" EICAR_BASE64
			  "\r\n" END,
		"<2.1>", "\r\n\r\nSubject: inner\r\n" },
	{ HEAD "Content-Type: multipart/signed; boundary=b\r\n\r\n" TEXT_PART EICAR_PART
			END,
		"<2>", "Subject: hello\r\n" },
	{ MIXED TEXT_PART
		"--b\r\nContent-Type: multipart/signed; boundary=c\r\n\r\n--c\r\n\r\n"
		"Signed.\r\n--c\r\nContent-Transfer-Encoding: base64\r\n\r\n" EICAR_BASE64
		"\r\n--c--\r\n" END,
		"<2.2>", TEXT_PART },
	/* padding in the middle: libclamav stops there, mail programs go on */
	{ MIXED TEXT_PART
		"--b\r\nContent-Type: application/x-com\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n"
		"WDVPIQ==\r\nUCVAQVBbNFxQWlg1NChQXik3Q0MpN30kRUlDQVItU1RBTkRBUkQt\r\n"
		"QU5USVZJUlVTLVRFU1QtRklMRSEkSCtIKg==\r\n" END,
		"<2>", TEXT_PART },
	/* behind the closing delimiter, for those who read on */
	{ MIXED TEXT_PART END EICAR_PART, "<EPILOGUE>", TEXT_PART END },
	{ MIXED UUENCODED TEXT_PART END, "<PREAMBLE>", "\r\n" TEXT_PART END },
	{ MIXED TEXT_PART END "Bye.\r\n" UUENCODED, "<EPILOGUE>", TEXT_PART END },
	/* a message that is encoded, which it must not be */
	{ MIXED TEXT_PART
		"--b\r\nContent-Type: message/rfc822\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n"
		"Q29udGVudC1UcmFuc2Zlci1FbmNvZGluZzogYmFzZTY0DQoNCldEVlBJVkFs\r\n"
		"UUVGUVd6UmNVRnBZTlRRb1VGNHBOME5ES1RkOUpFVkpRMEZTTFZOVVFVNUVRVkpF\r\n"
		"TFVGT1ZFbFdTVkpWVXkxVVJWTlVMVVpKVEVVaEpFZ3JTQ289\r\n" END,
		"<2>", TEXT_PART },
	/* the payload stands in a header to some */
	{ HEAD "Content-Transfer-Encoding: base64\r\nno field\r\n" EICAR_BASE64 "\r\n",
		"<>", "Subject: hello\r\n" },
};

static void infected_parts_are_found_and_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(infected) / sizeof(*infected); i++) {
		__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
		struct span message = span_str(infected[i].message), cleaned;
		char parts[256] = "";
		auto_body struct body body;

		scan(message, 0, &verdict);
		assert_verdict(&verdict, VERDICT_INFECTED, REASON_NONE);
		for (size_t n = 0; n < verdict.finding_count; n++) {
			(void)snprintf(parts + strlen(parts),
				sizeof(parts) - strlen(parts), "<%s>",
				verdict.findings[n].part);
			assert_string_equal(verdict.findings[n].signature, EICAR_NAME);
		}
		if (infected[i].parts)
			assert_string_equal(parts, infected[i].parts);
		check_cleaned(message, &verdict, &body, &cleaned);
		if (span_find(cleaned, span_str(infected[i].stays)) < 0)
			fail_msg("case %zu: %.*s", i, (int)cleaned.len,
				(const char *)cleaned.data);
	}
}

static void lf_mail_is_cut_with_lf(void **state)
{
	static const char crlf[] = MIXED TEXT_PART EICAR_PART END;
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
	auto_body struct body body;
	struct span cleaned;
	char lf[sizeof(crlf)];
	size_t len = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(crlf) - 1; i++)
		if (crlf[i] != '\r')
			lf[len++] = crlf[i];
	scan((struct span){ (uint8_t *)lf, len }, 0, &verdict);
	assert_verdict(&verdict, VERDICT_INFECTED, REASON_NONE);
	check_cleaned((struct span){ (uint8_t *)lf, len }, &verdict, &body, &cleaned);
	assert_int_equal(span_find(cleaned, span_str("\r")), -1);
}

/* A virus, and beside it what cannot be opened. */
static void make_mixed_mail(struct buf *mail)
{
	auto_buf struct buf zip;

	buf_init(&zip, FIXTURE_MAX);
	buf_init(mail, FIXTURE_MAX);
	make_zip(&zip, "secret.txt", span_str("0123456789abcdefghijklmnop"),
		ZIP_ENCRYPTED);
	put_text(mail, MIXED);
	add_part(mail, "application/zip; name=a.zip", buf_span(&zip));
	put_text(mail, TEXT_PART EICAR_PART END);
}

static void what_remains_beside_a_cut_is_told(void **state)
{
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
	auto_body struct body body;
	auto_buf struct buf mail;
	struct span cleaned;

	(void)state;
	make_mixed_mail(&mail);
	scan(buf_span(&mail), 0, &verdict);
	assert_verdict(&verdict, VERDICT_INFECTED, REASON_ENCRYPTED);
	assert_int_equal(verdict.finding_count, 1);
	assert_string_equal(verdict.findings[0].part, "3");
	check_cleaned(buf_span(&mail), &verdict, &body, &cleaned);
}

/* Who asks has it verified. */
static void a_first_cut_is_not_looked_at(void **state)
{
	__attribute__((cleanup(verdict_done))) struct verdict first = { 0 },
							      second = { 0 };
	auto_buf struct buf mail;

	(void)state;
	make_mixed_mail(&mail);
	assert_int_equal(
		worker_scan(f.engine, buf_span(&mail), "q-17", &first, &f.err), 0);
	scan(buf_span(&mail), 0, &second);
	assert_verdict(&first, VERDICT_INFECTED, REASON_NONE);
	assert_verdict(&second, VERDICT_INFECTED, REASON_ENCRYPTED);
	assert_true(hash_equal(&first.cleaned, &second.cleaned));
}

static void more_finds_than_can_be_listed_take_the_whole_body(void **state)
{
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
	auto_body struct body body;
	auto_buf struct buf mail;
	struct span cleaned;

	(void)state;
	buf_init(&mail, FIXTURE_MAX);
	put_text(&mail, MIXED);
	for (int i = 0; i < FINDINGS_MAX; i++)
		put_text(&mail, "--b\r\n\r\n" EICAR "\r\n");
	put_text(&mail, END);
	scan(buf_span(&mail), 0, &verdict);
	assert_verdict(&verdict, VERDICT_INFECTED, REASON_NONE);
	check_cleaned(buf_span(&mail), &verdict, &body, &cleaned);
	assert_true(cleaned.len < 2000);
}

static void the_level_asked_for_is_where_cutting_starts(void **state)
{
	static const uint32_t levels[] = { 1, JOB_LEVEL_ALL };
	struct span message = span_str(MIXED TEXT_PART EICAR_PART END);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
		auto_body struct body body;
		struct span cleaned;

		scan(message, levels[i], &verdict);
		assert_verdict(&verdict, VERDICT_INFECTED, REASON_NONE);
		check_cleaned(message, &verdict, &body, &cleaned);
		assert_int_equal(span_find(cleaned, span_str("The text that stays")), -1);
	}
}

static void what_sits_in_the_header_cannot_be_cut(void **state)
{
	static const char signature[] = "In.Header:0:*:582d4576696c3a20796573\n";
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
	char path[200];
	FILE *file;

	(void)state;
	engine_free(take_ptr(&f.engine));
	(void)snprintf(path, sizeof(path), "%s/own.ndb", f.temp);
	file = fopen(path, "w");
	assert_true(file && fputs(signature, file) >= 0 && fclose(file) == 0);
	free(f.items[0]);
	f.items[0] = strdup(f.temp);
	fixture_load(&f);
	assert_int_equal(unlink(path), 0);
	scan(span_str("X-Evil: yes\r\n" MIXED TEXT_PART END), 0, &verdict);
	assert_verdict(&verdict, VERDICT_UNSCANNABLE, REASON_ERROR);
	assert_non_null(strstr(verdict.detail, "In.Header.UNOFFICIAL was found and"));
	assert_int_equal(verdict.edits.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ENGINE(infected_parts_are_found_and_cut),
		WITH_ENGINE(lf_mail_is_cut_with_lf),
		WITH_ENGINE(what_remains_beside_a_cut_is_told),
		WITH_ENGINE(a_first_cut_is_not_looked_at),
		WITH_ENGINE(more_finds_than_can_be_listed_take_the_whole_body),
		WITH_ENGINE(the_level_asked_for_is_where_cutting_starts),
		WITH_ENGINE(what_sits_in_the_header_cannot_be_cut),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
