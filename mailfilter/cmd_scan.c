/* SPDX-License-Identifier: ISC
 *
 * mailfilter scan: message files to the scanner, many at once; verdicts in the order of the
 * files. 0: all clean; 1: something infected; else 2: something without a verdict. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "common/log.h"

#include "mailfilter/cmd.h"
#include "mailfilter/input.h"
#include "mailfilter/scan.h"

static const char usage[] = "usage: mailfilter scan [--json] [--output DIR] FILE|-...\n";

enum {
	SCAN_ALL_CLEAN = 0,
	SCAN_INFECTED = 1,
	SCAN_NO_VERDICT = 2
}; /* exit codes */
enum {
	SCAN_WINDOW_MAX = 64,
	SCAN_STEP_MS = 200
};

struct item {
	const char *file;
	struct body body;
	struct verdict verdict;
	int64_t sent_ms, took_ms;
	bool opened, done;
};

struct job {
	const struct settings *settings;
	struct scan *scan;
	struct item *items;
	size_t count, sent, printed;
	const char *output;
	bool json;
	int code;
};

static const char *base_name(const char *file)
{
	const char *slash = strrchr(file, '/');

	if (strcmp(file, "-") == 0)
		return "stdin";
	return slash ? slash + 1 : file;
}

static void no_verdict(struct item *item, const char *why)
{
	(void)snprintf(item->verdict.detail, sizeof(item->verdict.detail), "%.*s",
		VERDICT_DETAIL_MAX - 1, why);
	item->done = true;
}

static void take_verdict(void *arg, struct verdict *verdict)
{
	struct item *item = arg;

	item->verdict = *verdict;
	*verdict = (struct verdict){ 0 };
	item->took_ms = clock_ms() - item->sent_ms;
	item->done = true;
}

/* False: it has to wait for room at the scanners. */
static bool send_item(struct job *job, struct item *item)
{
	struct scan_request request = { .quarantine_id = "",
		.message = &item->body,
		.allow = &job->settings->allow,
		.answer = take_verdict,
		.arg = item };
	struct err err = { 0 };
	uint64_t id;

	if (!item->opened) {
		body_init(&item->body, input_spool(), INPUT_BYTES_MAX);
		item->opened = true;
		if (input_read(item->file, &item->body, &err) < 0) {
			no_verdict(item, err.text);
			return true;
		}
	}
	item->sent_ms = clock_ms();
	if (scan_send(job->scan, &request, &id, &err) < 0) {
		if (err.kind == ERR_AGAIN)
			return false;
		no_verdict(item, err.text);
	}
	return true;
}

/* Whole or not at all: half a copy would look like a clean one. */
static int save(struct item *item, const char *dir, struct err *err)
{
	struct body cleaned DEFER(body_done) = { .fd = -1 };
	auto_free char *path = NULL;
	struct span bytes, original;

	if (asprintf(&path, "%s/%s", dir, base_name(item->file)) < 0) {
		path = NULL;
		return err_memory(err);
	}
	if (body_span(&item->body, &bytes, err) < 0)
		return -1;
	if (item->verdict.kind == VERDICT_INFECTED) {
		original = bytes;
		body_init(&cleaned, input_spool(), INPUT_BYTES_MAX);
		if (edits_apply(&item->verdict.edits, original, &cleaned, err) < 0 ||
			body_span(&cleaned, &bytes, err) < 0)
			return -1;
	}
	return file_replace(path, bytes, S_IRUSR | S_IWUSR, err);
}

static int print_json(const struct item *item, struct err *err)
{
	static const struct hash none;
	struct json json DEFER(json_done);
	char hash[HASH_TEXT_MAX];
	const struct verdict *verdict = &item->verdict;

	json_init(&json);
	json_open(&json, NULL, '{');
	json_text(&json, "file", span_str(item->file));
	json_text(&json, "verdict", span_str(verdict_name(verdict->kind)));
	json_text(&json, "reason", span_str(verdict_reason_name(verdict->reason)));
	json_text(&json, "detail", span_str(verdict->detail));
	if (verdict_allowed(verdict))
		json_text(&json, "allowed", span_str(verdict_allowed(verdict)));
	json_open(&json, "findings", '[');
	for (size_t i = 0; i < verdict->finding_count; i++) {
		json_open(&json, NULL, '{');
		json_text(&json, "part", span_str(verdict->findings[i].part));
		json_text(&json, "name", span_str(verdict->findings[i].name));
		json_text(&json, "type", span_str(verdict->findings[i].type));
		json_number(&json, "size", verdict->findings[i].size);
		json_text(&json, "signature", span_str(verdict->findings[i].signature));
		json_text(&json, "sha256",
			span_str(hash_text(&verdict->findings[i].hash, hash)));
		json_close(&json, '}');
	}
	json_close(&json, ']');
	/* Of a file that could not be read there is none. */
	json_text(&json, "sha256",
		span_str(hash_equal(&verdict->message, &none)
				 ? ""
				 : hash_text(&verdict->message, hash)));
	json_number(&json, "milliseconds", (uint64_t)item->took_ms);
	json_close(&json, '}');
	return json_print(&json, err);
}

static void print_text(const struct item *item)
{
	char name[LOG_TEXT_MAX], value[LOG_TEXT_MAX], hash[HASH_TEXT_MAX];
	const struct verdict *verdict = &item->verdict;

	(void)printf("%s: %s", log_value(span_str(item->file), name),
		verdict_name(verdict->kind));
	if (verdict->reason != REASON_NONE)
		(void)printf(" (%s)", verdict_reason_name(verdict->reason));
	if (verdict->detail[0])
		(void)printf(": %s", log_value(span_str(verdict->detail), value));
	(void)putchar('\n');
	for (size_t i = 0; i < verdict->finding_count; i++) {
		const struct finding *finding = &verdict->findings[i];

		(void)printf("  part %s",
			finding->part[0] ? log_value(span_str(finding->part), value)
					 : "(all)");
		if (finding->name[0])
			(void)printf(" %s", log_value(span_str(finding->name), value));
		(void)printf(": %s\n", log_value(span_str(finding->signature), value));
		(void)printf("    sha256 %s\n", hash_text(&finding->hash, hash));
	}
	(void)fflush(stdout);
}

static void finish(struct job *job, struct item *item)
{
	struct err err = { 0 };
	bool has_copy = item->verdict.kind == VERDICT_CLEAN ||
			item->verdict.kind == VERDICT_INFECTED;

	if (job->output && has_copy && save(item, job->output, &err) < 0) {
		log_error("%s", err.text);
		job->code = SCAN_NO_VERDICT;
	}
	if (!job->json)
		print_text(item);
	else if (print_json(item, &err) < 0)
		log_error("%s", err.text);
	if (item->verdict.kind == VERDICT_INFECTED)
		job->code = SCAN_INFECTED;
	else if (item->verdict.kind != VERDICT_CLEAN && job->code == SCAN_ALL_CLEAN)
		job->code = SCAN_NO_VERDICT;
	verdict_done(&item->verdict);
	body_done(&item->body);
}

static int scan_all(struct job *job, struct err *err)
{
	char why[VERDICT_DETAIL_MAX];

	while (job->printed < job->count) {
		while (job->sent < job->count &&
			job->sent - job->printed < SCAN_WINDOW_MAX &&
			scan_ready(job->scan) && send_item(job, &job->items[job->sent]))
			job->sent++;
		if (job->sent < job->count && scan_hopeless(job->scan, why, sizeof(why)))
			no_verdict(&job->items[job->sent++], why);
		if (job->items[job->printed].done)
			finish(job, &job->items[job->printed++]);
		else if (scan_wait(job->scan, NULL, 0, SCAN_STEP_MS, err) < 0)
			return -1;
	}
	return 0;
}

static int by_name(const void *left, const void *right)
{
	return strcmp(base_name(*(const char *const *)left),
		base_name(*(const char *const *)right));
}

/* Two files of one name would overwrite each other in DIR. */
static int check_output(const struct job *job)
{
	auto_free const char **files = NULL;
	struct stat status;

	if (!job->output)
		return 0;
	if (stat(job->output, &status) < 0 || !S_ISDIR(status.st_mode))
		return cmd_usage(usage,
			"scan: --output %s: no such folder; make it first", job->output);
	files = calloc(job->count, sizeof(*files));
	if (!files)
		return EX_OSERR;
	for (size_t i = 0; i < job->count; i++)
		files[i] = job->items[i].file;
	qsort(files, job->count, sizeof(*files), by_name);
	for (size_t i = 1; i < job->count; i++)
		if (by_name(&files[i - 1], &files[i]) == 0)
			return cmd_usage(usage, "scan: %s and %s would be one file in %s",
				files[i - 1], files[i], job->output);
	return 0;
}

static int run(const struct settings *settings, struct job *job, char **files)
{
	struct err err = { 0 };
	int code;

	for (size_t i = 0; i < job->count; i++)
		job->items[i].file = files[i];
	code = check_output(job);
	if (code != 0)
		return code;
	if (scan_open(settings, &job->scan, &err) < 0 || scan_all(job, &err) < 0) {
		log_error("%s", err.text);
		job->code = SCAN_NO_VERDICT;
	}
	scan_close(job->scan);
	return job->code;
}

int cmd_scan(const struct settings *settings, int argc, char **argv)
{
	static const struct option longs[] = { { "json", no_argument, NULL, 'j' },
		{ "output", required_argument, NULL, 'o' }, { NULL, 0, NULL, 0 } };
	struct job job = { .settings = settings };
	int option, code;

	optind = 1;
	while ((option = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		if (option == 'j')
			job.json = true;
		else if (option == 'o')
			job.output = optarg;
		else
			return cmd_usage(usage,
				"scan: unknown option or missing value: %s",
				argv[optind - 1]);
	}
	if (optind == argc)
		return cmd_usage(usage, "scan: no file given");
	job.count = (size_t)(argc - optind);
	job.items = calloc(job.count, sizeof(*job.items));
	if (!job.items)
		return EX_OSERR;
	code = run(settings, &job, argv + optind);
	free(job.items);
	return code;
}
