/* SPDX-License-Identifier: ISC
 *
 * The mails of tests/corpus_attacks.pl through the worker's jobs: nothing that hides EICAR may pass, what
 * is cleaned may hold it in no decoding, and nothing clean may be called infected. The judge is
 * that program, which shares nothing with ours. */
#include "tests/test.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "tests/scanner/fixture.h"

#include "common/file.h"
#include "common/mime.h"

#include "scanner/worker.h"

enum {
	MAIL_MAX = 1024 * 1024
};

static struct fixture f;
static char folder[64];

static void run(const char *what)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)execlp("perl", "perl", "tests/corpus_attacks.pl", what, folder,
			(char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		fail_msg("corpus_attacks.pl %s: status %d", what, status);
}

static int start(void **state)
{
	(void)state;
	fixture_start(&f);
	fixture_load(&f);
	(void)snprintf(folder, sizeof(folder), "/tmp/test-leaks-XXXXXX");
	assert_non_null(mkdtemp(folder));
	return 0;
}

static int stop(void **state)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char path[512];

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		(void)unlink(path);
	}
	(void)closedir(dir);
	assert_int_equal(rmdir(folder), 0);
	fixture_stop(&f);
	return 0;
}

static void write_cleaned(const char *path, struct span bytes)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes.data, 1, bytes.len, file), bytes.len);
	assert_int_equal(fclose(file), 0);
}

/* As request.c has it done: one cut, another look, and if need be cuts until it is clean. */
static void scan_mail(const char *name, struct span mail, struct verdict *verdict)
{
	__attribute__((cleanup(verdict_done))) struct verdict after = { 0 };
	auto_body struct body body;
	struct span cut;

	body_init(&body, f.temp, MAIL_MAX);
	if (worker_scan(f.engine, mail, "q-17", verdict, &f.err) < 0)
		fail_msg("%s: %s", name, f.err.text);
	if (verdict->kind != VERDICT_INFECTED)
		return;
	assert_int_equal(edits_apply(&verdict->edits, mail, &body, &f.err), 0);
	assert_int_equal(body_span(&body, &cut, &f.err), 0);
	if (worker_verify(f.engine, cut, &after, &f.err) < 0)
		fail_msg("%s: %s", name, f.err.text);
	if (after.kind == VERDICT_CLEAN)
		return;
	verdict_done(verdict);
	*verdict = (struct verdict){ 0 };
	if (worker_clean(f.engine, mail, 0, "q-17", verdict, &f.err) < 0)
		fail_msg("%s: %s", name, f.err.text);
}

static void scan_file(const char *name, FILE *verdicts)
{
	__attribute__((cleanup(verdict_done))) struct verdict verdict = { 0 };
	int len = (int)strlen(name) - 4;
	char path[512];
	auto_buf struct buf mail;
	auto_body struct body body;
	struct span cleaned;

	buf_init(&mail, MAIL_MAX);
	body_init(&body, f.temp, MAIL_MAX);
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(file_read(path, MAIL_MAX, &mail, &f.err), 0);
	scan_mail(name, buf_span(&mail), &verdict);
	assert_true(fprintf(verdicts, "%.*s\t%s\t%s\t%s\n", len, name,
			    verdict_name(verdict.kind),
			    verdict_reason_name(verdict.reason), verdict.detail) > 0);
	if (getenv("SHOW_FINDINGS"))
		for (size_t i = 0; i < verdict.finding_count; i++)
			print_message("%s: part %s\n", name, verdict.findings[i].part);
	if (verdict.kind != VERDICT_INFECTED) {
		assert_int_equal(verdict.edits.count, 0);
		return;
	}
	assert_int_equal(edits_check(&verdict.edits, mail.len, &f.err), 0);
	assert_int_equal(edits_apply(&verdict.edits, buf_span(&mail), &body, &f.err), 0);
	assert_int_equal(body_span(&body, &cleaned, &f.err), 0);
	(void)snprintf(path, sizeof(path), "%s/%.*s.out", folder, len, name);
	write_cleaned(path, cleaned);
}

static int is_mail(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && strcmp(dot, ".eml") == 0;
}

static void nothing_passes_and_nothing_clean_is_harmed(void **state)
{
	struct dirent **names;
	FILE *verdicts;
	char path[512];
	int count;

	(void)state;
	run("write");
	count = scandir(folder, &names, is_mail, alphasort);
	assert_true(count > 0);
	(void)snprintf(path, sizeof(path), "%s/verdicts", folder);
	verdicts = fopen(path, "w");
	assert_non_null(verdicts);
	for (int i = 0; i < count; i++) {
		scan_file(names[i]->d_name, verdicts);
		free(names[i]);
	}
	free(names);
	assert_int_equal(fclose(verdicts), 0);
	run("check");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_passes_and_nothing_clean_is_harmed),
	};

	mime_start();
	return cmocka_run_group_tests(tests, start, stop);
}
