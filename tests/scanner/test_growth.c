/* SPDX-License-Identifier: ISC
 *
 * What costs a worker more than it is long: mail of one odd thing again and again. Each is scanned as a
 * worker does, and must take no more processor time than many times what it needs: all that grows
 * with the square of its size takes minutes at least. */
#include "tests/test.h"

#include <string.h>
#include <time.h>

#include "common/mime.h"

#include "scanner/worker.h"

#include "tests/scanner/fixture.h"

#define FROM  "From: a@example.org\r\nMIME-Version: 1.0\r\n"
#define TEXT  FROM "Content-Type: text/plain\r\n"
#define MIXED FROM "Content-Type: multipart/mixed; boundary=b\r\n\r\n"

enum {
	SIZE = 192 * 1024,
	FILES_MAX =
		1000,  /* up to here files are made of a text, which is slow but linear */
	CPU_S_MAX = 15 /* none here needs one, without sanitizers */
};

static const struct {
	const char *name, *head, *unit, *tail;
} cases[] = {
	{ "uuencode, cut off", TEXT "\r\n", "begin 644 x\r\n", "" },
	{ "uuencode", TEXT "\r\n", "begin 644 x\r\n#0V%T\r\n", "" },
	{ "uuencode ended", TEXT "\r\n", "begin 644 x\r\n#0V%T\r\n`\r\nend\r\n", "" },
	{ "yEnc", TEXT "\r\n", "=ybegin line=128 size=1 name=x\r\n", "" },
	{ "yEnc with a line", TEXT "\r\n", "=ybegin line=9 size=1 name=x\r\nab\r\n", "" },
	{ "BinHex", TEXT "\r\n", ":aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", "" },
	{ "BinHex of blanks", TEXT "\r\n:", "\r\n", "" },
	{ "TNEF", TEXT "\r\n", "\x78\x9f\x3e\x22xx", "" },
	{ "padding", TEXT "\r\n", "QUFBQUFBQUE=\r\n", "" },
	{ "padding alone", TEXT "\r\n", "=\r\n", "" },
	{ "padding among blanks", TEXT "\r\n", "QUFBQUFBQUE=\r\n\n\n\n\n\n\n\n\n", "" },
	{ "short base64 among blanks", TEXT "\r\n", "QQ\n\n\n\n\n\n\n\n\n*\n", "" },
	{ "line feeds", TEXT "\r\n", "\n", "" },
	{ "carriage returns", TEXT "\r\n", "\r", "" },
	{ "words that begin", TEXT "\r\n", "=?", "" },
	{ "From lines", TEXT "\r\n", "From a@b Mon Jan  1 00:00:00 2024\r\n\r\n", "" },
	{ "boundaries", MIXED, "--b\r\n", "" },
	{ "ends", MIXED, "--b--\r\n", "" },
	{ "hyphens", MIXED, "--\r\n", "" },
	{ "multiparts", MIXED, "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n",
		"" },
	{ "messages", "", "Content-Type: message/rfc822\r\n\r\n", "x\r\n" },
	{ "fields", FROM, "X: y\r\n", "\r\nx\r\n" },
	{ "folds", FROM "Subject: x", "\r\n x", "\r\n\r\nx\r\n" },
	{ "encoded words", FROM "Subject: ", "=?utf-8?q?a?= ", "\r\n\r\nx\r\n" },
	{ "broken encoded words", FROM "Subject: ", "=?", "\r\n\r\nx\r\n" },
	{ "comments", FROM "Content-Type: text/plain", "(", "\r\n\r\nx\r\n" },
	{ "comments in an address", FROM "To: ", "(", "\r\n\r\nx\r\n" },
	{ "addresses", FROM "To: ", "a@b, ", "\r\n\r\nx\r\n" },
	{ "groups", FROM "To: ", "a:", "\r\n\r\nx\r\n" },
	{ "parameters", FROM "Content-Type: text/plain", "; a=b", "\r\n\r\nx\r\n" },
	{ "pieces of a name", FROM "Content-Disposition: attachment", "; filename*1=x",
		"\r\n\r\nx\r\n" },
	{ "quotes", FROM "Content-Type: text/plain; name=\"", "\\\"", "\"\r\n\r\nx\r\n" },
	{ "UTF-7", FROM "Content-Type: text/plain; charset=utf-7\r\n\r\n", "+AAAA-", "" },
	{ "equals", TEXT "Content-Transfer-Encoding: quoted-printable\r\n\r\n", "=", "" },
	{ "base64 with junk", TEXT "Content-Transfer-Encoding: base64\r\n\r\n", "QUJD=*",
		"" },
	{ "tags", FROM "Content-Type: text/html\r\n\r\n", "<a href=\"", "" },
};

static double cpu_s(void)
{
	struct timespec now;

	assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void odd_things_again_and_again_cost_little(void **state)
{
	struct fixture fixture;

	(void)state;
	fixture_start(&fixture);
	fixture.settings.files_max = FILES_MAX;
	fixture_load(&fixture);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
		struct err err = { 0 };
		auto_buf struct buf mail;
		double from, took;

		buf_init(&mail, FIXTURE_MAX);
		assert_int_equal(buf_add_str(&mail, cases[i].head, NULL), 0);
		while (mail.len < SIZE)
			assert_int_equal(buf_add_str(&mail, cases[i].unit, NULL), 0);
		assert_int_equal(buf_add_str(&mail, cases[i].tail, NULL), 0);
		from = cpu_s();
		assert_int_equal(worker_clean(fixture.engine, buf_span(&mail), 0, "",
					 &verdict, &err),
			0);
		took = cpu_s() - from;
		if (took > CPU_S_MAX)
			fail_msg("%s: %.1f s", cases[i].name, took);
		assert_true(verdict.kind == VERDICT_CLEAN ||
			    verdict.kind == VERDICT_UNSCANNABLE);
	}
	fixture_stop(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(odd_things_again_and_again_cost_little),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
