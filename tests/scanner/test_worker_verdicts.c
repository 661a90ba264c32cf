/* SPDX-License-Identifier: ISC
 *
 * What a worker calls clean, and what it does not. */
#include "tests/scanner/scanned.h"

static void clean_mail_has_no_finding_and_no_edit(void **state)
{
	static const char *const messages[] = {
		HEAD "\r\nHello.\r\n",
		MIXED TEXT_PART END,
		"",
		"no header at all",
		HEAD "\r\nThe EICAR text " EICAR " is quoted here.\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
		__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };

		scan(span_str(messages[i]), 0, &verdict);
		assert_verdict(&verdict, VERDICT_CLEAN, REASON_NONE);
		assert_int_equal(verdict.finding_count, 0);
		assert_int_equal(verdict.edits.count, 0);
		assert_string_equal(verdict.detail, "");
	}
}

static void what_cannot_be_seen_is_not_clean(void **state)
{
	static const struct {
		const char *message;
		enum verdict_reason reason;
	} cases[] = {
		{ HEAD "Content-Type: multipart/encrypted; boundary=b;\r\n"
		       " protocol=\"application/pgp-encrypted\"\r\n\r\n"
		       "--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
		       "--b\r\nContent-Type: application/octet-stream\r\n\r\n"
		       "-----BEGIN PGP MESSAGE-----\r\n\r\nabcd\r\n"
		       "-----END PGP MESSAGE-----\r\n" END,
			REASON_ENCRYPTED },
		{ HEAD "Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n"
		       "Content-Transfer-Encoding: base64\r\n\r\nMIIB\r\n",
			REASON_ENCRYPTED },
		{ HEAD "Content-Type: message/partial; id=x; number=1; total=2\r\n\r\n"
		       "Subject: half\r\n\r\nhalf\r\n",
			REASON_UNSUPPORTED },
		{ HEAD "Content-Type: message/external-body; access-type=ftp;\r\n"
		       " site=\"ftp.example.org\"; name=\"a.exe\"\r\n\r\n"
		       "Content-Type: application/octet-stream\r\n\r\n",
			REASON_UNSUPPORTED },
		{ HEAD "\r\nSee below.\r\n-----BEGIN PGP MESSAGE-----\r\n\r\n"
		       "hQEMA0\r\n-----END PGP MESSAGE-----\r\n",
			REASON_ENCRYPTED },
		{ HEAD "Content-Type: application/pkcs7-mime; smime-type=compressed-data\r\n"
		       "Content-Transfer-Encoding: base64\r\n\r\nMIIB\r\n",
			REASON_ENCRYPTED },
		/* signed-data without an end */
		{ HEAD "Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n"
		       "Content-Transfer-Encoding: base64\r\n\r\nMIAGCSqGSIb3DQEHAqCAMIA=\r\n",
			REASON_UNSUPPORTED },
		{ MIXED TEXT_PART "--b\r\nContent-Type: application/x-rar; name=a.rar\r\n"
				  "Content-Transfer-Encoding: base64\r\n\r\n"
				  "UmFyIRoHAQAzkrXlCgEFBgAFAQGAgACbEjUu\r\n" END,
			REASON_UNSUPPORTED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };

		scan(span_str(cases[i].message), 0, &verdict);
		assert_verdict(&verdict, VERDICT_UNSCANNABLE, cases[i].reason);
		assert_true(verdict.detail[0] != '\0');
		assert_int_equal(verdict.edits.count, 0);
	}
}

static void headers_and_nesting_past_their_limits_are_not_clean(void **state)
{
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
	auto_buf struct buf mail;
	char text[80];

	(void)state;
	buf_init(&mail, FIXTURE_MAX);
	put_text(&mail, HEAD);
	for (int i = 0; i < MIME_HEADER_FIELDS_MAX; i++)
		put_text(&mail, "X-Field: value\r\n");
	put_text(&mail, "\r\ntext\r\n");
	scan(buf_span(&mail), 0, &verdict);
	assert_verdict(&verdict, VERDICT_UNSCANNABLE, REASON_MALFORMED);
	verdict_done(&verdict);
	buf_clear(&mail);
	for (int i = 0; i < MIME_DEPTH_MAX + 5; i++) {
		(void)snprintf(text, sizeof(text),
			"Content-Type: multipart/mixed; boundary=b%d-\r\n\r\n--b%d-\r\n",
			i, i);
		put_text(&mail, text);
	}
	scan(buf_span(&mail), 0, &verdict);
	assert_verdict(&verdict, VERDICT_UNSCANNABLE, REASON_LIMIT);
}

static void without_temp_space_there_is_no_verdict(void **state)
{
	static const char *const messages[] = { MIXED TEXT_PART END,
		MIXED EICAR_PART END };

	(void)state;
	assert_int_equal(rmdir(f.temp), 0);
	for (size_t i = 0; i < 2; i++) {
		__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };

		scan(span_str(messages[i]), 0, &verdict);
		/* The parent is told that it was for space. */
		assert_verdict(&verdict, VERDICT_RETRY, REASON_LIMIT);
		assert_true(verdict.detail[0] != '\0');
	}
}

static void time_runs_out_for_the_message_not_for_each_part(void **state)
{
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
	auto_buf struct buf mail;

	(void)state;
	engine_free(take_ptr(&f.engine));
	f.settings.scan_timeout_ms = 20;
	fixture_load(&f);
	buf_init(&mail, FIXTURE_MAX);
	put_text(&mail, MIXED);
	for (int i = 0; i < 9000; i++)
		put_text(&mail, "--b\r\n\r\ntext\r\n");
	put_text(&mail, END);
	scan(buf_span(&mail), 0, &verdict);
	assert_verdict(&verdict, VERDICT_UNSCANNABLE, REASON_TIMEOUT);
}

static void verifying_looks_and_cuts_nothing(void **state)
{
	__attribute__((cleanup(verdict_done))) struct verdict bad = { 0 };
	__attribute__((cleanup(verdict_done))) struct verdict good = { 0 };

	(void)state;
	assert_int_equal(
		worker_verify(f.engine, span_str(MIXED EICAR_PART END), &bad, NULL), 0);
	assert_verdict(&bad, VERDICT_INFECTED, REASON_NONE);
	assert_int_equal(bad.finding_count, 1);
	assert_int_equal(bad.edits.count, 0);
	assert_int_equal(
		worker_verify(f.engine, span_str(MIXED TEXT_PART END), &good, NULL), 0);
	assert_verdict(&good, VERDICT_CLEAN, REASON_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ENGINE(clean_mail_has_no_finding_and_no_edit),
		WITH_ENGINE(what_cannot_be_seen_is_not_clean),
		WITH_ENGINE(headers_and_nesting_past_their_limits_are_not_clean),
		WITH_ENGINE(without_temp_space_there_is_no_verdict),
		WITH_ENGINE(time_runs_out_for_the_message_not_for_each_part),
		WITH_ENGINE(verifying_looks_and_cuts_nothing),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
