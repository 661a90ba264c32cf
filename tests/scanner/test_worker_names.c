/* SPDX-License-Identifier: ISC
 *
 * How a worker names what it finds. */
#include "tests/scanner/scanned.h"

/* Names that say something else than they show. */
static const struct {
	const char *parameter; /* of Content-Disposition */
	const char *name;      /* of the finding */
	const char *shown;     /* in the notice */
} names[] = {
	{ "filename=\"a.pdf.exe\"", "a.pdf.exe", "\"a.pdf.exe\"" },
	{ "filename*=utf-8''doc%E2%80%AEfdp.exe",
		/* NOLINTNEXTLINE(misc-misleading-bidirectional): that is the case */
		"doc\xe2\x80\xae"
		"fdp.exe",
		"\"doc?fdp.exe\"" },
	{ "filename*0*=utf-8''one%20; filename*1=two.exe", "one two.exe",
		"\"one two.exe\"" },
	{ "filename=\"=?utf-8?B?dsOkdGVyLmV4ZQ==?=\"", "v\xc3\xa4ter.exe",
		"\"v?ter.exe\"" },
	{ "filename=\"../../etc/passwd\"", "../../etc/passwd", "\"../../etc/passwd\"" },
	{ "filename*=us-ascii''a%0D%0AX-Evil:%20b%22.exe", "a  X-Evil: b\".exe",
		"\"a  X-Evil: b?.exe\"" },
	{ "filename*=us-ascii''a%1B[2J.exe", "a [2J.exe", "\"a [2J.exe\"" },
};

static void deceiving_names_are_shown_for_what_they_are(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
		auto_body struct body body;
		auto_buf struct buf mail;
		struct span cleaned;

		buf_init(&mail, 4096);
		assert_int_equal(
			buf_printf(&mail, NULL,
				MIXED TEXT_PART
				"--b\r\nContent-Type: application/octet-stream\r\n"
				"Content-Disposition: attachment; %s\r\n"
				"Content-Transfer-Encoding: base64\r\n\r\n" EICAR_BASE64
				"\r\n" END,
				names[i].parameter),
			0);
		scan(buf_span(&mail), 0, &verdict);
		assert_verdict(&verdict, VERDICT_INFECTED, REASON_NONE);
		assert_int_equal(verdict.finding_count, 1);
		assert_string_equal(verdict.findings[0].name, names[i].name);
		check_cleaned(buf_span(&mail), &verdict, &body, &cleaned);
		if (span_find(cleaned, span_str(names[i].shown)) < 0)
			fail_msg("%s in: %.*s", names[i].shown, (int)cleaned.len,
				(const char *)cleaned.data);
	}
}

static void a_nul_in_a_name_hides_nothing_that_follows(void **state)
{
	static const char mail[] = MIXED TEXT_PART
		"--b\r\nContent-Type: application/octet-stream; name=\"a.txt\0.exe\"\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n" EICAR_BASE64 "\r\n" END;
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };

	(void)state;
	scan((struct span){ (const uint8_t *)mail, sizeof(mail) - 1 }, 0, &verdict);
	assert_verdict(&verdict, VERDICT_INFECTED, REASON_NONE);
	assert_int_equal(verdict.finding_count, 1);
	assert_string_equal(verdict.findings[0].name, "a.txt?.exe");
}

static void a_finding_tells_name_type_and_size(void **state)
{
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };

	(void)state;
	scan(span_str(MIXED TEXT_PART EICAR_PART END), 0, &verdict);
	assert_int_equal(verdict.finding_count, 1);
	assert_string_equal(verdict.findings[0].name, "e.com");
	assert_string_equal(verdict.findings[0].type, "application/octet-stream");
	assert_int_equal(verdict.findings[0].size, strlen(EICAR_BASE64));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ENGINE(deceiving_names_are_shown_for_what_they_are),
		WITH_ENGINE(a_nul_in_a_name_hides_nothing_that_follows),
		WITH_ENGINE(a_finding_tells_name_type_and_size),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
