/* SPDX-License-Identifier: ISC
 *
 * What libclamav took out of a mail as its parts is not scanned again, and nothing else goes unscanned.
 * A scan without a temp folder fails, one that is left out does not: that tells them apart. */
#include "tests/scanner/engined.h"

#include "common/mime.h"

#include "scanner/dissect.h"
#include "scanner/worker.h"

#define BINARY "application/octet-stream; name=x.bin"
#define START                                                                            \
	"--b\r\nContent-Type: " BINARY "\r\nContent-Transfer-Encoding: base64\r\n\r\n"
#define END     "\r\n--b--\r\n"
#define LETTER  "The first line of a text,\r\nthe second one,\r\nand a third, for good."
#define PROGRAM "Bytes of a file, and not so few of them that they would be passed over."

/* Scan the mail, then the part where nothing can be scanned. */
static bool is_scanned_after(
	struct span mail, struct span part, enum verdict_kind *kind_r)
{
	auto_dissection struct dissection *dissection = NULL;
	struct result whole, result;
	char away[128];

	engine_begin(f.engine);
	assert_int_equal(dissection_new(f.engine, &dissection, &f.err), 0);
	dissect_mail(dissection, mail, &whole);
	(void)snprintf(away, sizeof(away), "%s.away", f.temp);
	assert_int_equal(rename(f.temp, away), 0);
	assert_int_equal(dissect_part(dissection, part, &result, &f.err), 0);
	assert_int_equal(rename(away, f.temp), 0);
	*kind_r = whole.kind;
	return result.kind == VERDICT_RETRY;
}

static void assert_scanned(const char *what, struct span mail, struct span part,
	enum verdict_kind kind, bool expected)
{
	enum verdict_kind whole;
	bool scanned = is_scanned_after(mail, part, &whole);

	if (whole != kind || scanned != expected)
		fail_msg("%s: %s, %s", what, verdict_name(whole),
			scanned ? "scanned" : "not scanned");
}

static void an_attachment_that_was_taken_out_is_not_scanned_again(void **state)
{
	auto_buf struct buf mail;

	(void)state;
	buf_init(&mail, FIXTURE_MAX);
	put_text(&mail, MIXED "--b\r\nContent-Type: text/plain\r\n\r\n" LETTER "\r\n");
	add_part(&mail, BINARY, span_str(PROGRAM));
	put_text(&mail, END);
	assert_scanned("the attachment", buf_span(&mail), span_str(PROGRAM),
		VERDICT_CLEAN, false);
	assert_scanned("less of it", buf_span(&mail),
		span_part(span_str(PROGRAM), 0, strlen(PROGRAM) - 1), VERDICT_CLEAN,
		true);
	assert_scanned("the text: its line ends differ", buf_span(&mail),
		span_str(LETTER), VERDICT_CLEAN, true);
	assert_scanned(
		"the whole", buf_span(&mail), buf_span(&mail), VERDICT_CLEAN, true);
}

/* Its parts may not have been looked at in full. */
static void no_part_of_a_mail_with_a_doubt_is_left_out(void **state)
{
	auto_buf struct buf zip, locked, mail;

	(void)state;
	buf_init(&zip, FIXTURE_MAX);
	buf_init(&locked, FIXTURE_MAX);
	buf_init(&mail, FIXTURE_MAX);
	make_zip(&zip, "a.txt", span_str(EICAR), 0);
	make_zip(&locked, "a.txt", span_str(LETTER), ZIP_ENCRYPTED);
	put_text(&mail, MIXED);
	add_part(&mail, BINARY, span_str(PROGRAM));
	add_part(&mail, BINARY, buf_span(&locked));
	put_text(&mail, END);
	assert_scanned("beside an encrypted zip", buf_span(&mail), span_str(PROGRAM),
		VERDICT_UNSCANNABLE, true);
	buf_clear(&mail);
	put_text(&mail, MIXED);
	add_part(&mail, BINARY, span_str(PROGRAM));
	add_part(&mail, BINARY, buf_span(&zip));
	put_text(&mail, END);
	assert_scanned("beside EICAR", buf_span(&mail), span_str(PROGRAM),
		VERDICT_INFECTED, true);
}

static void nothing_that_lies_deeper_is_left_out(void **state)
{
	auto_buf struct buf zip, mail;

	(void)state;
	buf_init(&zip, FIXTURE_MAX);
	buf_init(&mail, FIXTURE_MAX);
	make_zip(&zip, "a.bin", span_str(PROGRAM), 0);
	put_text(&mail, MIXED);
	add_part(&mail, BINARY, buf_span(&zip));
	put_text(&mail, END);
	assert_scanned("the zip", buf_span(&mail), buf_span(&zip), VERDICT_CLEAN, false);
	assert_scanned(
		"what is in it", buf_span(&mail), span_str(PROGRAM), VERDICT_CLEAN, true);
	assert_scanned("in a zip that is no mail", buf_span(&zip), span_str(PROGRAM),
		VERDICT_CLEAN, true);
}

static void a_part_that_libclamav_reads_otherwise_is_scanned(void **state)
{
	auto_buf struct buf mail, padded;

	(void)state;
	buf_init(&mail, FIXTURE_MAX);
	buf_init(&padded, FIXTURE_MAX);
	/* Padding in mid-stream: what stands behind it libclamav reads as something else. */
	add_base64(&padded,
		span_str("Bytes "
			 "of a file!"),
		"\r\n");
	put_text(&padded, "\r\n");
	add_base64(&padded, span_str(PROGRAM), "\r\n");
	put_text(&mail, MIXED START);
	assert_int_equal(buf_add(&mail, padded.data, padded.len, &f.err), 0);
	put_text(&mail, END);
	assert_scanned("behind padding", buf_span(&mail),
		span_str("Bytes of a file!" PROGRAM), VERDICT_CLEAN, true);
}

static void what_follows_padding_is_found(void **state)
{
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
	auto_buf struct buf mail;

	(void)state;
	buf_init(&mail, FIXTURE_MAX);
	put_text(&mail, MIXED START);
	/* "X5O!P%@A", padding, and the rest of it. */
	put_text(&mail, "WDVPIVAlQEE=\r\n");
	add_base64(&mail, span_part(span_str(EICAR), 8, sizeof(EICAR)), "\r\n");
	put_text(&mail, END);
	assert_int_equal(
		worker_clean(f.engine, buf_span(&mail), 0, "", &verdict, &f.err), 0);
	assert_int_equal(verdict.kind, VERDICT_INFECTED);
	assert_int_equal(verdict.finding_count, 1);
	assert_string_equal(verdict.findings[0].part, "1");
}

/* An engine that knows these lines of a signature file alone. */
static void load(const char *name, const char *lines)
{
	char folder[96], path[128];
	FILE *file;

	fixture_start(&f);
	(void)snprintf(folder, sizeof(folder), "%s/signatures", f.folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(lines, file) >= 0);
	assert_int_equal(fclose(file), 0);
	free(f.items[0]);
	f.items[0] = strdup(folder);
	fixture_load(&f);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void assert_found(const char *what, const char *mail)
{
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
	struct result whole;

	engine_begin(f.engine);
	engine_scan(f.engine, span_str(mail), NULL, &whole);
	if (whole.kind != VERDICT_CLEAN)
		fail_msg("%s: the whole: %s %s", what, verdict_name(whole.kind),
			whole.signature);
	assert_int_equal(
		worker_clean(f.engine, span_str(mail), 0, "", &verdict, &f.err), 0);
	if (verdict.kind != VERDICT_INFECTED || verdict.finding_count != 1)
		fail_msg("%s: %s", what, verdict_name(verdict.kind));
	assert_string_equal(verdict.findings[0].part, "1");
}

/* libclamav's mail parser gives them other line ends, and one more at the end. */
static void text_is_matched_in_its_own_bytes(void **state)
{
	static const char plain[] =
		MIXED "--b\r\nContent-Type: text/plain\r\n\r\n" LETTER END;
	static const char quoted[] = MIXED
		"--b\r\nContent-Type: text/plain\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
		"The first =\r\nline of a text,\r\nthe second one,\r\nand a third, =\r\n"
		"for good." END;
	char line[256], hex[HASH_TEXT_MAX], letter[2 * sizeof(LETTER)];
	struct hash hash;

	(void)state;
	assert_int_equal(hash_span(span_str(LETTER), &hash, &f.err), 0);
	for (size_t i = 0; i < strlen(LETTER); i++)
		(void)snprintf(letter + 2 * i, 3, "%02x", (unsigned)LETTER[i]);
	(void)snprintf(line, sizeof(line), "%s:%zu:Test.Hash\n", hash_text(&hash, hex),
		strlen(LETTER));
	load("test.hsb", line);
	assert_found("by its hash", plain);
	assert_found("quoted, by its hash", quoted);
	fixture_stop(&f);
	(void)snprintf(line, sizeof(line), "Test.Start:0:0:%.100s\n", letter);
	load("test.ndb", line);
	assert_found("by its start", plain);
	assert_found("quoted, by its start", quoted);
	fixture_stop(&f);
	(void)snprintf(line, sizeof(line), "Test.Lines:0:*:%.48s\n", letter + 12);
	load("test.ndb", line);
	assert_found("quoted, by lines in it", quoted);
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ENGINE(an_attachment_that_was_taken_out_is_not_scanned_again),
		WITH_ENGINE(no_part_of_a_mail_with_a_doubt_is_left_out),
		WITH_ENGINE(nothing_that_lies_deeper_is_left_out),
		WITH_ENGINE(a_part_that_libclamav_reads_otherwise_is_scanned),
		WITH_ENGINE(what_follows_padding_is_found),
		cmocka_unit_test(text_is_matched_in_its_own_bytes),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
