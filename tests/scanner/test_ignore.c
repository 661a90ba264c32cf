/* SPDX-License-Identifier: ISC
 *
 * libclamav's own lists of false alarms, .ign2, .fp and .sfp in a signature folder, take effect
 * however a part is found. */
#include "tests/test.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "tests/scanner/make_archive.h"

#include "common/mime.h"

#include "scanner/signatures.h"
#include "scanner/worker.h"

#define ONE "first-own-signature-1111"
#define TWO "second-own-signature-2222"
#define HEAD                                                                             \
	"From: a@example.org\r\nTo: b@example.org\r\nSubject: hello\r\n"                 \
	"MIME-Version: 1.0\r\n"
#define MIXED HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
#define PART(encoding, text)                                                             \
	"--b\r\nContent-Type: application/octet-stream; name=\"a.bin\"\r\n"              \
	"Content-Transfer-Encoding: " encoding "\r\n\r\n" text "\r\n"
#define END "--b--\r\n"

static struct fixture f;
static char own[96], more[96];
static char *folders[3] = { own, more, (char[]){ "test" } };

static void write_line(const char *folder, const char *name, const char *line)
{
	char path[160];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "ae");
	assert_non_null(file);
	assert_true(fprintf(file, "%s\n", line) > 0);
	assert_int_equal(fclose(file), 0);
}

static void write_signature(const char *name, const char *text)
{
	char line[300];
	int used = snprintf(line, sizeof(line), "%s:0:*:", name);

	for (; *text; text++)
		used += snprintf(line + used, sizeof(line) - (size_t)used, "%02x",
			(unsigned char)*text);
	write_line(own, "own.ndb", line);
}

static int start(void **state)
{
	(void)state;
	fixture_start(&f);
	(void)snprintf(own, sizeof(own), "%s/own", f.folder);
	(void)snprintf(more, sizeof(more), "%s/more", f.folder);
	assert_int_equal(mkdir(own, 0700), 0);
	assert_int_equal(mkdir(more, 0700), 0);
	write_signature("Own.One", ONE);
	write_signature("Own.Two", TWO);
	f.settings.signatures.items = folders;
	f.settings.signatures.count = 3;
	return 0;
}

static void remove_all(const char *folder)
{
	auto_closedir DIR *dir = opendir(folder);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
	assert_int_equal(rmdir(folder), 0);
}

static int stop(void **state)
{
	(void)state;
	remove_all(own);
	remove_all(more);
	fixture_stop(&f);
	return 0;
}

/* A line of an .fp (MD5) or .sfp (SHA-256) file for these bytes. */
static void write_sum(const char *folder, const char *name, const char *bytes)
{
	bool is_md5 = strstr(name, ".fp");
	size_t size = is_md5 ? 16 : 32;
	uint8_t sum[32];
	char line[200];
	int used = 0;

	assert_int_equal(gnutls_hash_fast(is_md5 ? GNUTLS_DIG_MD5 : GNUTLS_DIG_SHA256,
				 bytes, strlen(bytes), sum),
		0);
	for (size_t i = 0; i < size; i++)
		used += snprintf(
			line + used, sizeof(line) - (size_t)used, "%02x", sum[i]);
	if (strstr(name, "wild"))
		(void)snprintf(line + used, sizeof(line) - (size_t)used, "%s",
			":*:False.Alarm:73");
	else
		(void)snprintf(line + used, sizeof(line) - (size_t)used,
			":%zu:False.Alarm", strlen(bytes));
	write_line(folder, name, line);
}

/* "clean", or the signatures found. */
static void assert_scan(const char *what, const char *mail, const char *wanted)
{
	DEFER(verdict_done) struct verdict verdict = { 0 };
	char said[400] = "";

	if (worker_clean(f.engine, span_str(mail), 0, "q", &verdict, &f.err) < 0)
		fail_msg("%s", f.err.text);
	if (verdict.kind != VERDICT_INFECTED)
		(void)snprintf(said, sizeof(said), "%s", verdict_name(verdict.kind));
	for (size_t i = 0; i < verdict.finding_count; i++)
		(void)snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s%s",
			i ? " " : "", verdict.findings[i].signature);
	if (strcmp(said, wanted) != 0)
		fail_msg("%s: \"%s\", expected \"%s\"", what, said, wanted);
}

#define ONE_BASE64 "Zmlyc3Qtb3duLXNpZ25hdHVyZS0xMTEx"
#define TWO_BASE64 "c2Vjb25kLW93bi1zaWduYXR1cmUtMjIyMg=="

static void remove_file(const char *folder, const char *name)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(unlink(path), 0);
	engine_free(f.engine);
	f.engine = NULL;
}

static void an_ignored_name_is_not_found_whichever_folder_says_so(void **state)
{
	const char *const places[] = { own, more };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		write_line(places[i], "local.ign2", "Own.One");
		write_line(places[i], "local.ign2", "Eicar-Test-Signature");
		fixture_load(&f);
		assert_scan("part", MIXED PART("base64", ONE_BASE64) END, "clean");
		assert_scan("text", MIXED PART("8bit", ONE) END, "clean");
		assert_scan("built in", MIXED PART("8bit", EICAR) END, "clean");
		assert_scan("another", MIXED PART("8bit", ONE " " TWO) END,
			"Own.Two.UNOFFICIAL");
		remove_file(places[i], "local.ign2");
	}
	fixture_load(&f);
	assert_scan("none", MIXED PART("base64", ONE_BASE64) END, "Own.One.UNOFFICIAL");
}

static void an_attachment_on_a_list_of_false_alarms_is_not_found(void **state)
{
	static const char *const files[] = { "local.fp", "local.sfp", "wild.sfp" };

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		const char *folder = i < 3 ? own : more, *file = files[i % 3];

		write_sum(folder, file, ONE);
		fixture_load(&f);
		assert_scan(file, MIXED PART("base64", ONE_BASE64) END, "clean");
		assert_scan("another",
			MIXED PART("base64", ONE_BASE64) PART("base64", TWO_BASE64) END,
			"Own.Two.UNOFFICIAL");
		assert_scan("as a text", MIXED PART("8bit", "not " ONE) END,
			"Own.One.UNOFFICIAL");
		remove_file(folder, file);
	}
}

/* libclamav finds it in the bytes of the mail itself, too, and these are not on the list: as the
 * manual page says. */
static void a_text_that_is_not_encoded_needs_its_name_ignored(void **state)
{
	(void)state;
	write_sum(own, "local.sfp", ONE);
	fixture_load(&f);
	assert_scan("text", MIXED PART("8bit", ONE) END, "Own.One.UNOFFICIAL");
}

static void a_list_that_does_not_load_leaves_only_its_folder_out(void **state)
{
	(void)state;
	write_line(more, "local.ign2", "too:many:words:in:this:line:for:a:list");
	fixture_load(&f);
	assert_non_null(strstr(f.loaded.left_out, more));
	assert_scan("part", MIXED PART("base64", ONE_BASE64) END, "Own.One.UNOFFICIAL");
}

static void a_list_that_is_new_or_changed_is_another_set(void **state)
{
	static const char *const files[] = { "local.ign2", "local.fp", "local.sfp" };
	auto_buf struct buf before, after;
	struct hash digest;

	(void)state;
	buf_init(&before, SIGNATURES_STAMP_MAX);
	buf_init(&after, SIGNATURES_STAMP_MAX);
	fixture_load(&f);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		for (int round = 0; round < 2; round++) {
			digest = f.loaded.digest;
			assert_int_equal(
				signatures_stamp(&f.settings.signatures, &before, &f.err),
				0);
			if (i == 0)
				write_line(more, files[i], round ? "Own.Two" : "Own.One");
			else
				write_sum(more, files[i], round ? TWO : ONE);
			assert_int_equal(
				signatures_stamp(&f.settings.signatures, &after, &f.err),
				0);
			assert_false(span_equal(buf_span(&before), buf_span(&after)));
			engine_free(f.engine);
			fixture_load(&f);
			assert_false(hash_equal(&digest, &f.loaded.digest));
		}
}

#define LOAD_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOAD_TEST(an_ignored_name_is_not_found_whichever_folder_says_so),
		LOAD_TEST(an_attachment_on_a_list_of_false_alarms_is_not_found),
		LOAD_TEST(a_text_that_is_not_encoded_needs_its_name_ignored),
		LOAD_TEST(a_list_that_does_not_load_leaves_only_its_folder_out),
		LOAD_TEST(a_list_that_is_new_or_changed_is_another_set),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
