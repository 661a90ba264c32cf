/* SPDX-License-Identifier: ISC
 *
 * Mails with finds of four signatures in them, scanned with what a client allows. */
#ifndef TESTS_SCANNER_ALLOWED_H
#define TESTS_SCANNER_ALLOWED_H

#include "tests/scanner/engined.h"
#include "tests/scanner/make_archive.h"

#include "common/mime.h"

#include "scanner/worker.h"

/* Found anywhere in a file, and in the mail around it where that is not encoded. ONE and TWO are
 * matched by one algorithm of libclamav, THREE by another, FOUR is a logical signature. */
#define ONE   "first-own-signature-1111"
#define TWO   "second-own-signature-2222"
#define THREE "third-own-signature-33-33"
#define FOUR  "fourth-own-signature-4444"

#define END "--b--\r\n"

static const char *const signatures[] = { ONE, TWO, THREE, FOUR };
static const char *const names[] = { "Own.One", "Own.Two", "Own.Three", "Own.Four" };

enum {
	SIGNATURES = 4
};

static char own[96];
static char *folders[2] = { own, (char[]){ "test" } };

static inline void put_hex(FILE *file, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		(void)fprintf(file, "%02x", (unsigned char)text[i]);
}

static inline void write_file(const char *name, void (*write)(FILE *file))
{
	char path[160];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", own, name);
	file = fopen(path, "we");
	assert_non_null(file);
	write(file);
	assert_int_equal(fclose(file), 0);
}

static inline void write_ndb(FILE *file)
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

static inline void write_ldb(FILE *file)
{
	(void)fprintf(file, "%s;Engine:51-255,Target:0;0&1;", names[3]);
	put_hex(file, "fourth-own", 10);
	(void)fputc(';', file);
	put_hex(file, "-4444", 5);
	(void)fputc('\n', file);
}

static inline int start_with_signatures(void **state)
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

static inline int stop_with_signatures(void **state)
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

#define SCAN_TEST(name)                                                                  \
	cmocka_unit_test_setup_teardown(name, start_with_signatures, stop_with_signatures)

static inline void allow_bytes(struct allow *allow, struct span bytes)
{
	struct hash hash;

	assert_int_equal(hash_span(bytes, &hash, NULL), 0);
	assert_int_equal(allow_add_hash(allow, &hash, NULL), 0);
}

static inline void scan(
	struct span mail, const struct allow *allow, struct verdict *verdict)
{
	*verdict = (struct verdict){ 0 };
	engine_allow(f.engine, allow);
	if (worker_clean(f.engine, mail, 0, "q", verdict, &f.err) < 0)
		fail_msg("%s", f.err.text);
	engine_allow(f.engine, NULL);
}

/* Its kind and detail; an infected one: its signatures in a row. */
static inline void assert_scan(
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

static inline void start_mail(struct buf *mail)
{
	buf_init(mail, FIXTURE_MAX);
	put_text(mail, MIXED TEXT_PART);
}

static inline void attach_head(struct buf *mail, const char *type, const char *encoding)
{
	assert_int_equal(buf_printf(mail, NULL,
				 "--b\r\nContent-Type: %s\r\n"
				 "Content-Disposition: attachment; filename=\"a.bin\"\r\n"
				 "Content-Transfer-Encoding: %s\r\n\r\n",
				 type, encoding),
		0);
}

static inline void attach(struct buf *mail, struct span bytes)
{
	attach_head(mail, "application/octet-stream", "base64");
	add_base64(mail, bytes, "\r\n");
	put_text(mail, "\r\n");
}

static inline void attach_text(struct buf *mail, const char *encoding, const char *text)
{
	attach_head(mail, "text/plain", encoding);
	put_text(mail, text);
	put_text(mail, "\r\n");
}

/* All signatures at once: as one part, in one archive of each kind, as a part each. */
static inline void make_many(struct buf *mail, int how)
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

#endif
