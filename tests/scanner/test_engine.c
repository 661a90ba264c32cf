/* SPDX-License-Identifier: ISC */
#include "tests/scanner/found.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define MAIL "From: a@example.org\r\nTo: b@example.org\r\nMIME-Version: 1.0\r\n"

static void eicar_is_found_in_many_wrappings(void **state)
{
	static const char *const wrappings[] = {
		EICAR,
		MAIL "Content-Type: application/octet-stream\r\n"
		     "Content-Transfer-Encoding: base64\r\n\r\n" EICAR_BASE64 "\r\n",
		MAIL
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n"
		"--b\r\nContent-Type: application/x-com; name=e.com\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n" EICAR_BASE64 "\r\n--b--\r\n",
		MAIL "Content-Type: message/rfc822\r\n\r\n" MAIL
		     "Content-Type: application/octet-stream; name=e.com\r\n"
		     "Content-Transfer-Encoding: base64\r\n\r\n" EICAR_BASE64 "\r\n",
		MAIL "\r\ntext\r\nbegin 644 e.com\r\n"
		     "M6#5/(5`E0$%06S1<4%I8-30H4%XI-T-#*3=])$5)0T%2+5-404Y$05)$+4%.\r\n"
		     "75$E625)54RU415-4+49)3$4A)$@K2\"H`\r\n`\r\nend\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrappings) / sizeof(*wrappings); i++)
		assert_result(scan(span_str(wrappings[i])), VERDICT_INFECTED, REASON_NONE,
			EICAR_NAME);
}

static void eicar_in_a_zip_is_found(void **state)
{
	auto_buf struct buf zip;

	(void)state;
	buf_init(&zip, FIXTURE_MAX);
	make_zip(&zip, "e.com", span_str(EICAR), 0);
	assert_result(scan(buf_span(&zip)), VERDICT_INFECTED, REASON_NONE, EICAR_NAME);
}

static void a_clean_mail_is_clean(void **state)
{
	(void)state;
	assert_result(scan(span_str(MAIL "Subject: hello\r\n\r\nHello.\r\n")),
		VERDICT_CLEAN, REASON_NONE, "");
	assert_result(scan((struct span){ 0 }), VERDICT_CLEAN, REASON_NONE, "");
	/* EICAR's text counts at the start of a file only: this quotes it. */
	assert_result(scan(span_str(MAIL "\r\nThe text is " EICAR "\r\n")), VERDICT_CLEAN,
		REASON_NONE, "");
}

static void an_encrypted_zip_is_unscannable(void **state)
{
	auto_buf struct buf zip;

	(void)state;
	buf_init(&zip, FIXTURE_MAX);
	make_zip(&zip, "secret.txt", span_str("0123456789abcdefghijklmnop"),
		ZIP_ENCRYPTED);
	assert_result(scan(buf_span(&zip)), VERDICT_UNSCANNABLE, REASON_ENCRYPTED, "");
}

static void a_find_wins_over_what_cannot_be_opened(void **state)
{
	auto_buf struct buf zip, mail;

	(void)state;
	buf_init(&zip, FIXTURE_MAX);
	buf_init(&mail, FIXTURE_MAX);
	make_zip(&zip, "secret.txt", span_str("0123456789abcdefghijklmnop"),
		ZIP_ENCRYPTED);
	put_text(&mail, MIXED);
	add_part(&mail, "application/zip; name=a.zip", buf_span(&zip));
	buf_clear(&zip);
	make_zip(&zip, "e.com", span_str(EICAR), 0);
	add_part(&mail, "application/zip; name=a.zip", buf_span(&zip));
	put_text(&mail, "--b--\r\n");
	assert_result(scan(buf_span(&mail)), VERDICT_INFECTED, REASON_NONE, EICAR_NAME);
}

static void a_partial_message_is_unsupported(void **state)
{
	(void)state;
	assert_result(scan(span_str(MAIL
			      "Content-Type: message/partial; id=x; number=1; total=2"
			      "\r\n\r\nSubject: half\r\n\r\nhalf\r\n")),
		VERDICT_UNSCANNABLE, REASON_UNSUPPORTED, "");
}

static void zips_nested_past_the_limit_are_not_clean(void **state)
{
	auto_buf struct buf inner, outer;

	(void)state;
	buf_init(&inner, FIXTURE_MAX);
	buf_init(&outer, FIXTURE_MAX);
	put_text(&inner, EICAR);
	for (int depth = 0; depth < 20; depth++) {
		struct buf swap = inner;

		buf_clear(&outer);
		make_zip(&outer, "x.zip", buf_span(&inner), 0);
		inner = outer;
		outer = swap;
	}
	assert_result(scan(buf_span(&inner)), VERDICT_UNSCANNABLE, REASON_LIMIT, "");
}

static void a_file_over_the_size_limit_is_not_clean(void **state)
{
	auto_buf struct buf zip;
	uint8_t *room;

	(void)state;
	f.settings.file_size_max = 64UL * 1024;
	fixture_load(&f);
	buf_init(&zip, FIXTURE_MAX);
	assert_int_equal(buf_reserve(&zip, 128UL * 1024, &room, NULL), 0);
	memset(room, 'x', 128UL * 1024);
	zip.len = 128UL * 1024;
	assert_result(scan(buf_span(&zip)), VERDICT_UNSCANNABLE, REASON_LIMIT, "");
}

static void a_message_without_time_left_times_out(void **state)
{
	(void)state;
	f.settings.scan_timeout_ms = 0;
	fixture_load(&f);
	engine_begin(f.engine);
	assert_result(scan(span_str(EICAR)), VERDICT_UNSCANNABLE, REASON_TIMEOUT, "");
}

static void without_its_temp_folder_nothing_is_clean(void **state)
{
	(void)state;
	assert_int_equal(rmdir(f.temp), 0);
	assert_result(scan(span_str("text")), VERDICT_RETRY, REASON_LIMIT, "");
	assert_result(scan(span_str(EICAR)), VERDICT_RETRY, REASON_LIMIT, "");
	assert_int_equal(engine_probe(f.engine, &f.err), -1);
	assert_int_equal(f.err.kind, ERR_AGAIN);
	assert_non_null(strstr(f.err.text, "temp folder"));
	assert_int_equal(engine_use_temp(f.engine, f.temp, &f.err), -1);
}

static void a_temp_folder_that_is_a_file_is_refused(void **state)
{
	(void)state;
	assert_int_equal(engine_use_temp(f.engine, "/etc/passwd", &f.err), -1);
	assert_int_equal(f.err.kind, ERR_AGAIN);
}

/* In a child, because a limit on file size stays: a part is longer than may be written. */
static void a_scan_that_cannot_write_is_not_clean(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		struct rlimit limit = { 10000, 10000 };
		auto_buf struct buf mail;
		struct result result;
		struct err err;

		buf_init(&mail, FIXTURE_MAX);
		(void)signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &limit) < 0 ||
			buf_add_str(&mail,
				MAIL "Content-Type: application/octet-stream\r\n\r\n",
				&err) < 0)
			_exit(100);
		for (int i = 0; i < 1000; i++)
			if (buf_add_str(&mail, "A line of no importance.\r\n", &err) < 0)
				_exit(100);
		engine_scan(f.engine, buf_span(&mail), NULL, &result);
		_exit(result.kind == VERDICT_UNSCANNABLE && result.reason == REASON_ERROR
				? 0
				: 1 + (int)result.kind);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void the_probe_is_found_and_its_absence_is_clean(void **state)
{
	(void)state;
	if (engine_probe(f.engine, &f.err) < 0)
		fail_msg("%s", f.err.text);
}

/* "random-part-is-clean" is in the mail without the probe alone. */
static void a_set_that_finds_the_harmless_mail_serves_at_no_start(void **state)
{
	(void)state;
	assert_int_equal(engine_probe_start(f.engine, &f.err), 0);
	assert_int_equal(engine_probe_start(f.engine, &f.err), 0);
	use_folder(f.temp);
	write_signatures("all.ndb", "All:0:*:72616e646f6d2d706172742d69732d636c65616e\n");
	engine_free(take_ptr(&f.engine));
	fixture_load(&f);
	remove_signatures("all.ndb");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(engine_probe_start(f.engine, &f.err), -1);
		assert_int_equal(f.err.kind, ERR_FATAL);
		assert_non_null(strstr(f.err.text, "a clean mail is not clean"));
	}
}

#define SPOOFED                                                                          \
	"Content-Type: text/html\r\n\r\n<html><body><a "                                 \
	"href=\"http://198.51.100.7/x\">https://www.example-bank.com/login</a>"          \
	"</body></html>\r\n"

static void phishing_tags_or_is_off_but_is_never_cut(void **state)
{
	(void)state;
	use_folder(f.temp);
	write_signatures("own.pdb", "H:example-bank.com\n");
	write_signatures(
		"own.ndb", "Own.Test:0:*:6d616c69636520696e20776f6e6465726c616e64\n");
	for (int heuristics = 0; heuristics < 2; heuristics++) {
		f.settings.heuristics = heuristics;
		fixture_load(&f);
		assert_result(scan(span_str(MAIL SPOOFED)), VERDICT_CLEAN, REASON_NONE,
			heuristics ? "Heuristics.Phishing.Email.SSL-Spoof" : "");
		engine_free(take_ptr(&f.engine));
	}
	remove_signatures("own.ndb");
	remove_signatures("own.pdb");
}

/* libclamav names the last find of a heuristic only, unless told to name all. */
static void a_find_that_tags_hides_no_other(void **state)
{
	(void)state;
	use_folder(f.temp);
	write_signatures("own.pdb", "H:example-bank.com\n");
	f.settings.heuristics = 1;
	fixture_load(&f);
	for (int zip_first = 0; zip_first < 2; zip_first++) {
		auto_buf struct buf zip, mail;

		buf_init(&zip, FIXTURE_MAX);
		buf_init(&mail, FIXTURE_MAX);
		make_zip(&zip, "secret.txt", span_str("0123456789abcdefghijklmnop"),
			ZIP_ENCRYPTED);
		put_text(&mail, MIXED);
		if (zip_first)
			add_part(&mail, "application/zip; name=a.zip", buf_span(&zip));
		put_text(&mail, "--b\r\n" SPOOFED);
		if (!zip_first)
			add_part(&mail, "application/zip; name=a.zip", buf_span(&zip));
		put_text(&mail, "--b--\r\n");
		assert_result(
			scan(buf_span(&mail)), VERDICT_UNSCANNABLE, REASON_ENCRYPTED, "");
	}
	remove_signatures("own.pdb");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ENGINE(eicar_is_found_in_many_wrappings),
		WITH_ENGINE(eicar_in_a_zip_is_found),
		WITH_ENGINE(a_clean_mail_is_clean),
		WITH_ENGINE(an_encrypted_zip_is_unscannable),
		WITH_ENGINE(a_find_wins_over_what_cannot_be_opened),
		WITH_ENGINE(a_partial_message_is_unsupported),
		WITH_ENGINE(zips_nested_past_the_limit_are_not_clean),
		WITHOUT_ENGINE(a_file_over_the_size_limit_is_not_clean),
		WITHOUT_ENGINE(a_message_without_time_left_times_out),
		WITH_ENGINE(without_its_temp_folder_nothing_is_clean),
		WITH_ENGINE(a_temp_folder_that_is_a_file_is_refused),
		WITH_ENGINE(a_scan_that_cannot_write_is_not_clean),
		WITH_ENGINE(the_probe_is_found_and_its_absence_is_clean),
		WITH_ENGINE(a_set_that_finds_the_harmless_mail_serves_at_no_start),
		WITHOUT_ENGINE(phishing_tags_or_is_off_but_is_never_cut),
		WITHOUT_ENGINE(a_find_that_tags_hides_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
