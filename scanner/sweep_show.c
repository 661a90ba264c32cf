/* SPDX-License-Identifier: ISC
 *
 * The sweep's report for people and for scripts. */
#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"

#include "scanner/sweep.h"
#include "scanner/sweep_report.h"

enum {
	EXIT_FOUND = 1
};

/* Numbers with their names, in the JSON and behind it for people; NULL: only where it is. */
struct line {
	const char *key, *says;
	uint64_t value;
};

enum {
	LINES = 16
};

static size_t lines_of(const struct sweep_counts *counts, struct line lines_r[LINES])
{
	const struct line lines[] = {
		{ "files", "files looked at", counts->files },
		{ "bytes", "bytes in them", counts->bytes },
		{ "scanned", "files scanned, the others were known", counts->scanned },
		{ "scanned_bytes", "bytes scanned", counts->scanned_bytes },
		{ "infected", "infected", counts->infected },
		{ "unscannable", "unscannable", counts->unscannable },
		{ "large", "not read: larger than sweep-file-max", counts->large },
		{ "unreadable", "not readable (see mailfilter-scanner-sweep-read.conf)",
			counts->unreadable + counts->why[SWEEP_WHY_UNREADABLE] },
		{ "changed", "changed meanwhile: scanned again in the next pass",
			counts->changed },
		{ "later", "short of temp space or memory: tried again in the next pass",
			counts->later },
		{ "links", "symbolic links, not followed", counts->why[SWEEP_WHY_LINK] },
		{ "special", "FIFOs, sockets and devices, not opened",
			counts->why[SWEEP_WHY_SPECIAL] },
		{ "excluded", "left out by sweep-exclude",
			counts->why[SWEEP_WHY_EXCLUDED] },
		{ "elsewhere", "on other file systems, not entered",
			counts->why[SWEEP_WHY_ELSEWHERE] },
		{ "deep", "nested too deep", counts->why[SWEEP_WHY_DEEP] },
	};
	size_t count = sizeof(lines) / sizeof(*lines);

	for (size_t i = 0; i < count; i++)
		lines_r[i] = lines[i];
	return count;
}

static void pass_json(struct json *json, const char *key, const struct sweep_pass *pass)
{
	char text[CLOCK_TEXT_MAX];
	struct line lines[LINES];
	size_t count = lines_of(&pass->counts, lines);

	json_open(json, key, '{');
	json_text(json, "began", span_str(clock_iso(pass->began_s, text)));
	json_text(json, "ended",
		span_str(pass->ended_s ? clock_iso(pass->ended_s, text) : ""));
	for (size_t i = 0; i < count; i++)
		json_number(json, lines[i].key, lines[i].value);
	json_close(json, '}');
}

static void find_json(struct json *json, const struct sweep_find *find)
{
	char text[CLOCK_TEXT_MAX];

	json_open(json, NULL, '{');
	json_text(json, "path", span_str(find->path));
	json_text(json, "verdict",
		span_str(find->is_infected ? "infected" : "unscannable"));
	json_text(json, "reason", span_str(verdict_reason_name(find->reason)));
	json_text(json, "signature", span_str(find->signature));
	json_text(json, "where", span_str(find->where));
	json_text(json, "detail", span_str(find->detail));
	json_number(json, "size", find->size);
	json_text(json, "found", span_str(clock_iso(find->found_s, text)));
	json_close(json, '}');
}

static int print_json(const struct sweep_report *report, struct err *err)
{
	auto_json struct json json;
	char text[CLOCK_TEXT_MAX];

	json_init(&json);
	json_open(&json, NULL, '{');
	json_number(&json, "pass", report->pass);
	json_bool(&json, "done", report->now.ended_s != 0);
	json_text(&json, "written", span_str(clock_iso(report->written_s, text)));
	json_text(&json, "trouble", span_str(report->trouble));
	pass_json(&json, "now", &report->now);
	if (report->last.ended_s != 0)
		pass_json(&json, "last", &report->last);
	json_open(&json, "finds", '[');
	for (size_t i = 0; i < report->find_count; i++)
		find_json(&json, &report->finds[i]);
	json_close(&json, ']');
	json_close(&json, '}');
	return json_print(&json, err);
}

static void print_pass(const struct sweep_pass *pass)
{
	struct line lines[LINES];
	size_t count = lines_of(&pass->counts, lines);

	for (size_t i = 0; i < count; i++)
		if (i < 3 || lines[i].value > 0)
			(void)printf(
				"  %14" PRIu64 "  %s\n", lines[i].value, lines[i].says);
}

static void print_find(const struct sweep_find *find)
{
	char path[LOG_LINE_MAX], text[LOG_LINE_MAX];

	(void)printf("%s\n  %s", log_sentence(find->path, path),
		find->is_infected ? "infected" : "unscannable");
	if (find->is_infected)
		(void)printf(": %s", log_sentence(find->signature, text));
	else
		(void)printf(" (%s)", verdict_reason_name(find->reason));
	if (find->where[0])
		(void)printf(" in %s", log_sentence(find->where, text));
	if (find->detail[0])
		(void)printf("\n  %s", log_sentence(find->detail, text));
	(void)printf("\n  %" PRIu64 " bytes, %s\n", find->size,
		clock_iso(find->found_s, text));
}

static int print_text(const struct sweep_report *report, struct err *err)
{
	char text[LOG_LINE_MAX];

	if (report->now.ended_s == 0) {
		(void)printf("pass %u, since %s, goes on:\n", report->pass,
			clock_iso(report->now.began_s, text));
		print_pass(&report->now);
	}
	if (report->last.ended_s != 0) {
		(void)printf("the last full pass ended %s",
			clock_iso(report->last.ended_s, text));
		(void)printf(" (began %s):\n", clock_iso(report->last.began_s, text));
		print_pass(&report->last);
	}
	if (report->trouble[0])
		(void)printf("trouble: %s\n", log_sentence(report->trouble, text));
	for (size_t i = 0; i < report->find_count; i++)
		print_find(&report->finds[i]);
	if (report->find_count == SWEEP_FINDS_MAX)
		(void)printf("(more are not listed)\n");
	return fflush(stdout) == 0 && !ferror(stdout)
		       ? 0
		       : err_set(err, ERR_AGAIN, "cannot write the report");
}

int sweep_show(const struct settings *settings, bool as_json)
{
	DEFER(sweep_report_done) struct sweep_report report = { 0 };
	struct err err = { 0 };
	int got;

	if (settings->sweep.count == 0) {
		log_error("no sweep is set: name directories in sweep");
		return EX_CONFIG;
	}
	got = sweep_report_load(settings->sweep_state, &report, &err);
	if (got == 0)
		got = err_set(&err, ERR_AGAIN, "no sweep has begun yet: %s is empty",
			settings->sweep_state);
	if (got > 0 &&
		(as_json ? print_json(&report, &err) : print_text(&report, &err)) < 0)
		got = -1;
	if (got < 0) {
		log_error("%s", err.text);
		return err_exit_code(err.kind);
	}
	for (size_t i = 0; i < report.find_count; i++)
		if (report.finds[i].is_infected)
			return EXIT_FOUND;
	return EX_OK;
}
