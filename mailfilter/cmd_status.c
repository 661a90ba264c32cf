/* SPDX-License-Identifier: ISC
 *
 * mailfilter status: scanners, accounts, what is held and kept back, the last run. Needs no lock
 * and disturbs nothing. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"

#include "mailfilter/account_dir.h"
#include "mailfilter/cmd.h"
#include "mailfilter/cmd_status_held.h"
#include "mailfilter/health_show.h"
#include "mailfilter/record.h"
#include "mailfilter/scan.h"

static const char usage[] = "usage: mailfilter status [--json]\n";

enum {
	STATUS_WAIT_MS = 2000,
	STATUS_STEP_MS = 50,
	HEALTH_TEXT_MAX = 8192
};

/* What is known of one account. */
struct seen {
	const struct account_settings *account;
	struct record_counts counts;
	uint64_t quarantined;
	int64_t last_s;
	char summary[1024];
	struct status_held held;
	struct err err;
};

static int count_one(const struct record_quarantined *item, void *arg)
{
	uint64_t *count = arg;

	(void)item;
	(*count)++;
	return 0;
}

static void look(const struct settings *settings, struct seen *seen)
{
	char path[4096];
	struct record *record = NULL;

	(void)snprintf(
		path, sizeof(path), "%s/%s", settings->state_dir, seen->account->name);
	if (record_open(path, true, &record, &seen->err) == 0) {
		if (record_count(record, &seen->counts, &seen->err) == 0 &&
			record_each_quarantined(
				record, count_one, &seen->quarantined, &seen->err) == 0 &&
			status_held_look(record, &seen->held, &seen->err) == 0)
			(void)record_run(record, &seen->last_s, seen->summary,
				sizeof(seen->summary), &seen->err);
	}
	record_close(record);
}

static const char *state_name(enum wire_scanner_state state)
{
	switch (state) {
	case WIRE_LOADING:
		return "loading";
	case WIRE_READY:
		return "ready";
	case WIRE_STOPPING:
		return "stopping";
	}
	return "unknown";
}

/* Give every scanner a moment to say what it is. */
static void ask_scanners(struct scan *scan, size_t count)
{
	int64_t deadline = clock_ms() + STATUS_WAIT_MS;
	struct err err = { 0 };
	size_t answered = 0;

	while (answered < count && clock_left(deadline) > 0) {
		if (scan_wait(scan, NULL, 0, STATUS_STEP_MS, &err) < 0)
			return;
		answered = 0;
		for (size_t i = 0; i < count; i++) {
			struct wire_state state = { 0 };
			bool alive = false;

			(void)scan_scanner(scan, i, &alive, &state);
			answered += alive;
		}
	}
}

/* One scanner, as far as it is known. */
struct heard {
	const char *endpoint;
	bool alive;
	struct wire_state state;
	char why[ERR_TEXT_MAX]; /* it is not there, or "" */
};

static void print_health(const struct health *health)
{
	auto_buf struct buf out;
	const char *text;

	buf_init(&out, HEALTH_TEXT_MAX);
	if (health_show_text(health, &out, NULL) == 0 && buf_text(&out, &text, NULL) == 0)
		(void)fputs(text, stdout);
}

static void print_scanner(const struct heard *heard)
{
	const struct wire_state *state = &heard->state;
	char text[LOG_LINE_MAX];

	if (!heard->alive) {
		(void)printf("scanner %s: no answer; mail that must be scanned waits\n",
			heard->endpoint);
		(void)printf("  %s%s\n", heard->why[0] ? "trouble: " : "",
			heard->why[0] ? log_sentence(heard->why, text)
				      : "start it, or correct `scanners`");
		return;
	}
	(void)printf("scanner %s: %s", heard->endpoint, state_name(state->state));
	/* Before the first signatures are loaded there is no engine to speak of. */
	if (state->engine[0])
		(void)printf(", %s, %" PRIu64 " signatures",
			log_sentence(state->engine, text), state->signatures);
	(void)printf(", %" PRIu32 " workers, %" PRIu32 " queued\n", state->workers,
		state->queued);
	if (state->lookups > 0)
		(void)printf("  %" PRIu64 " of %" PRIu64
			     " messages were known to be clean\n",
			state->hits, state->lookups);
	print_health(&state->health);
	if (state->trouble[0])
		(void)printf("  trouble: %s\n", log_sentence(state->trouble, text));
	if (state->unprotected[0])
		(void)printf(
			"  NOT PROTECTED: %s\n", log_sentence(state->unprotected, text));
}

static void json_scanner(struct json *json, const struct heard *heard)
{
	const struct wire_state *state = &heard->state;

	json_open(json, NULL, '{');
	json_text(json, "endpoint", span_str(heard->endpoint));
	json_text(json, "state",
		span_str(heard->alive ? state_name(state->state) : "absent"));
	json_text(json, "engine", span_str(state->engine));
	json_number(json, "signatures", state->signatures);
	json_number(json, "generation", state->generation);
	json_number(json, "workers", state->workers);
	json_number(json, "queued", state->queued);
	json_number(json, "cache_lookups", state->lookups);
	json_number(json, "cache_hits", state->hits);
	json_text(json, "unprotected", span_str(state->unprotected));
	json_text(json, "trouble", span_str(heard->alive ? state->trouble : heard->why));
	health_show_json(&state->health, json);
	json_close(json, '}');
}

static void print_account(const struct settings *settings, const struct seen *seen)
{
	char when[CLOCK_TEXT_MAX] = "never", text[LOG_LINE_MAX];

	if (seen->err.kind != ERR_NONE) {
		(void)printf("account %s: %s\n", seen->account->name,
			log_sentence(seen->err.text, text));
		return;
	}
	if (seen->last_s > 0)
		(void)clock_iso(seen->last_s, when);
	(void)printf("account %s: last run %s%s%s\n", seen->account->name, when,
		seen->last_s > 0 ? ": " : "",
		seen->last_s > 0 && !seen->summary[0]
			? "under way, or cut off"
			: log_sentence(seen->summary, text));
	(void)printf("  %" PRIu64 " done, %" PRIu64 " infected, %" PRIu64
		     " held, %" PRIu64 " parked, %" PRIu64 " in quarantine\n",
		seen->counts.done, seen->counts.infected, seen->counts.held,
		seen->counts.parked, seen->quarantined);
	status_held_print(&seen->held, seen->account->name,
		seen->last_s > 0 ? seen->last_s + settings->interval_ms / 1000 : 0);
}

static void json_account(struct json *json, const struct seen *seen)
{
	json_open(json, NULL, '{');
	json_text(json, "account", span_str(seen->account->name));
	json_number(json, "last", (uint64_t)seen->last_s);
	json_text(json, "summary", span_str(seen->summary));
	json_number(json, "done", seen->counts.done);
	json_number(json, "infected", seen->counts.infected);
	json_number(json, "held", seen->counts.held);
	json_number(json, "parked", seen->counts.parked);
	json_number(json, "pending", seen->counts.pending);
	json_number(json, "quarantined", seen->quarantined);
	status_held_json(&seen->held, json);
	json_text(json, "error",
		span_str(seen->err.kind == ERR_NONE ? "" : seen->err.text));
	json_close(json, '}');
}

static void scanners(
	const struct settings *settings, struct scan *scan, struct json *json)
{
	for (size_t i = 0; i < settings->scanners.count; i++) {
		struct heard heard = { 0 };

		heard.endpoint = scan_scanner(scan, i, &heard.alive, &heard.state);
		(void)scan_trouble(scan, i, heard.why, sizeof(heard.why));
		if (json)
			json_scanner(json, &heard);
		else
			print_scanner(&heard);
	}
}

static int accounts(const struct settings *settings, struct json *json, struct err *err)
{
	/* Too much for the stack. */
	struct seen *seen = malloc(sizeof(*seen));

	if (!seen)
		return err_memory(err);
	for (size_t i = 0; i < settings->accounts.count; i++) {
		*seen = (struct seen){ .account = settings_account(settings, i) };
		look(settings, seen);
		if (json)
			json_account(json, seen);
		else
			print_account(settings, seen);
	}
	free(seen);
	return 0;
}

static int show(const struct settings *settings, bool as_json, struct err *err)
{
	struct json json DEFER(json_done);
	struct scan *scan = NULL;

	json_init(&json);
	if (scan_open(settings, &scan, err) < 0)
		return -1;
	ask_scanners(scan, settings->scanners.count);
	if (!as_json) {
		scanners(settings, scan, NULL);
		scan_close(scan);
		return accounts(settings, NULL, err);
	}
	json_open(&json, NULL, '{');
	json_open(&json, "scanners", '[');
	scanners(settings, scan, &json);
	scan_close(scan);
	json_close(&json, ']');
	json_open(&json, "accounts", '[');
	if (accounts(settings, &json, err) < 0)
		return -1;
	json_close(&json, ']');
	json_close(&json, '}');
	return json_print(&json, err);
}

int cmd_status(const struct settings *settings, int argc, char **argv)
{
	static const struct option longs[] = { { "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 } };
	struct err err = { 0 };
	bool as_json = false;
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		if (option != 'j')
			return cmd_usage(
				usage, "status: unknown option %s", argv[optind - 1]);
		as_json = true;
	}
	if (optind != argc)
		return cmd_usage(
			usage, "status: %s is one argument too many", argv[optind]);
	if (show(settings, as_json, &err) == 0)
		return EX_OK;
	log_error("%s", err.text);
	return err_exit_code(err.kind);
}
