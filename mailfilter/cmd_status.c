/* SPDX-License-Identifier: ISC
 *
 * mailfilter status: scanners, accounts, what is held and kept back, the last run. Needs no lock
 * and disturbs nothing. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"

#include "mailfilter/account_dir.h"
#include "mailfilter/cmd.h"
#include "mailfilter/health_show.h"
#include "mailfilter/scan.h"
#include "mailfilter/status_table.h"

static const char usage[] = "usage: mailfilter status [--json|--metrics]\n";

enum {
	STATUS_WAIT_MS = 2000,
	STATUS_STEP_MS = 50,
	STATUS_TEXT_MAX = 64 * 1024 * 1024
};

/* What is shown, and what it is gathered from. */
struct status {
	const struct settings *settings;
	struct status_scanner scanners[SCAN_SCANNERS_MAX];
	size_t scanner_count;
	bool all_ready; /* every one of them */
	int64_t now_s;
	struct status_account account; /* the one that is looked at */
	struct buf text, advice;
};

/* A second line says how it failed, see report_note. */
static void split_note(struct status_account *account, const char *note)
{
	size_t len = strcspn(note, "\n");
	const char *reason = note[len] ? note + len + 1 : "";

	(void)snprintf(account->reason, sizeof(account->reason), "%s", reason);
	(void)snprintf(account->summary, sizeof(account->summary), "%.*s%s%s", (int)len,
		note, len > 0 && reason[0] ? "; then: " : "", reason);
	account->state = reason[0] ? STATUS_FAILED : STATUS_IDLE;
}

static void note_run(struct status_account *account, const char *path, const char *note)
{
	if (account->numbers.last_s == 0)
		return;
	split_note(account, note);
	if (note[0])
		return;
	if (account_dir_is_busy(path)) {
		account->state = STATUS_FETCHING;
		(void)snprintf(account->summary, sizeof(account->summary), "under way");
		return;
	}
	account->state = STATUS_FAILED;
	(void)snprintf(account->summary, sizeof(account->summary), "cut off");
	(void)snprintf(account->reason, sizeof(account->reason),
		"the last run was cut off; the next one goes on where it was");
}

static int read_record(struct status_account *account, const char *path, struct err *err)
{
	char note[STATUS_SUMMARY_MAX] = "";
	struct record *record = NULL;
	int result = record_open(path, true, &record, err);

	if (result == 0)
		result = numbers_take(record, &account->numbers.numbers, err);
	if (result == 0)
		result = status_held_look(record, &account->held, err);
	if (result == 0)
		result = record_run(
			record, &account->numbers.last_s, note, sizeof(note), err);
	record_close(record);
	if (result == 0)
		note_run(account, path, note);
	return result;
}

static void look(struct status *status, const struct account_settings *settings)
{
	struct status_account *account = &status->account;
	auto_free char *path = NULL;
	struct err err = { 0 };

	*account = (struct status_account){ .numbers.name = settings->name };
	if (account_dir_path(status->settings->state_dir, settings->name, &path, &err) <
			0 ||
		read_record(account, path, &err) < 0) {
		account->numbers.numbers.known = false;
		account->state = STATUS_FAILED;
		(void)snprintf(account->reason, sizeof(account->reason), "%s", err.text);
	}
	if (account->numbers.last_s > 0)
		account->next_s = account->numbers.last_s + settings->interval_ms / 1000;
	account->numbers.failed = account->state == STATUS_FAILED;
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

static int take_scanners(struct status *status, struct err *err)
{
	struct scan *scan = NULL;

	if (scan_open(status->settings, &scan, err) < 0)
		return -1;
	status->scanner_count = status->settings->scanners.count;
	status->all_ready = true;
	ask_scanners(scan, status->scanner_count);
	for (size_t i = 0; i < status->scanner_count; i++) {
		struct status_scanner *scanner = &status->scanners[i];
		struct state_metrics *said = &scanner->said;

		/* The name that scan has goes with it. */
		(void)snprintf(scanner->endpoint, sizeof(scanner->endpoint), "%s",
			scan_scanner(scan, i, &said->alive, &said->state));
		(void)scan_trouble(scan, i, scanner->why, sizeof(scanner->why));
		said->scanner = scanner->endpoint;
		status->all_ready = status->all_ready && said->alive &&
				    said->state.state == WIRE_READY;
	}
	scan_close(scan);
	return 0;
}

static int show_text(struct status *status, struct err *err)
{
	struct buf *text = &status->text, *advice = &status->advice;
	const struct settings *settings = status->settings;

	if (status_table_accounts_head(text, err) < 0)
		return -1;
	for (size_t i = 0; i < status->scanner_count; i++)
		if (status_table_advise_scanner(
			    advice, &status->scanners[i], status->now_s, err) < 0)
			return -1;
	for (size_t i = 0; i < settings->accounts.count; i++) {
		look(status, settings_account(settings, i));
		if (status_table_account(text, &status->account, status->now_s, err) <
				0 ||
			status_table_advise_account(
				advice, &status->account, !status->all_ready, err) < 0)
			return -1;
	}
	if (buf_add_str(text, "\n", err) < 0 || status_table_scanners_head(text, err) < 0)
		return -1;
	for (size_t i = 0; i < status->scanner_count; i++) {
		const struct status_scanner *scanner = &status->scanners[i];

		if (status_table_scanner(text, scanner, status->now_s, err) < 0)
			return -1;
	}
	if (buf_add_str(text,
		    advice->len > 0 ? "\nWhat to do:\n" : "\nNothing is to be done.\n",
		    err) < 0 ||
		buf_add(text, advice->data, advice->len, err) < 0)
		return -1;
	if (fwrite(text->data, 1, text->len, stdout) != text->len || fflush(stdout) != 0)
		return err_errno(err, ERR_AGAIN, "cannot write the output");
	return 0;
}

static void json_scanner(struct json *json, const struct status_scanner *scanner)
{
	const struct wire_state *state = &scanner->said.state;
	const bool alive = scanner->said.alive;

	json_open(json, NULL, '{');
	json_text(json, "endpoint", span_str(scanner->said.scanner));
	json_text(json, "state",
		span_str(alive ? state_metrics_name(state->state) : "absent"));
	json_text(json, "engine", span_str(state->engine));
	json_number(json, "signatures", state->signatures);
	json_number(json, "signatures_dated", (uint64_t)state->dated_s);
	json_number(json, "generation", state->generation);
	json_number(json, "workers", state->workers);
	json_number(json, "busy", state->busy);
	json_number(json, "queued", state->queued);
	json_number(json, "cache_lookups", state->lookups);
	json_number(json, "cache_hits", state->hits);
	json_text(json, "unprotected", span_str(state->unprotected));
	json_text(json, "trouble", span_str(alive ? state->trouble : scanner->why));
	health_show_json(&state->health, json);
	checks_show_json(&state->checks, json);
	swept_show_json(&state->swept, json);
	json_close(json, '}');
}

static void json_account(struct json *json, const struct status_account *account)
{
	const struct numbers *numbers = &account->numbers.numbers;

	json_open(json, NULL, '{');
	json_text(json, "account", span_str(account->numbers.name));
	json_text(json, "state", span_str(status_state_name(account)));
	json_text(json, "reason", span_str(account->reason));
	json_number(json, "last", (uint64_t)account->numbers.last_s);
	json_text(json, "summary", span_str(account->summary));
	json_number(json, "done", numbers->counts.done);
	json_number(json, "infected", numbers->counts.infected);
	json_number(json, "held", numbers->counts.held);
	json_number(json, "parked", numbers->counts.parked);
	json_number(json, "pending", numbers->counts.pending);
	json_number(json, "quarantined", numbers->quarantined);
	status_held_json(&account->held, json);
	/* The record could not be read: all the numbers mean nothing. */
	json_text(json, "error", span_str(numbers->known ? "" : account->reason));
	json_close(json, '}');
}

static int show_json(struct status *status, struct err *err)
{
	const struct settings *settings = status->settings;
	struct json json DEFER(json_done);

	json_init(&json);
	json_open(&json, NULL, '{');
	json_open(&json, "scanners", '[');
	for (size_t i = 0; i < status->scanner_count; i++)
		json_scanner(&json, &status->scanners[i]);
	json_close(&json, ']');
	json_open(&json, "accounts", '[');
	for (size_t i = 0; i < settings->accounts.count; i++) {
		look(status, settings_account(settings, i));
		json_account(&json, &status->account);
	}
	json_close(&json, ']');
	json_close(&json, '}');
	return json_print(&json, err);
}

static int show_metrics(struct status *status, struct err *err)
{
	const struct settings *settings = status->settings;
	struct state_metrics said[SCAN_SCANNERS_MAX];
	struct numbers_account *list DEFER(defer_free) =
		calloc(settings->accounts.count + 1, sizeof(*list));
	struct metrics metrics DEFER(metrics_done);

	metrics_init(&metrics);
	if (!list)
		return err_memory(err);
	for (size_t i = 0; i < settings->accounts.count; i++) {
		look(status, settings_account(settings, i));
		list[i] = status->account.numbers;
	}
	for (size_t i = 0; i < status->scanner_count; i++)
		said[i] = status->scanners[i].said;
	numbers_add(&metrics, list, settings->accounts.count);
	state_metrics_add(&metrics, said, status->scanner_count);
	return metrics_print(&metrics, err);
}

typedef int show_function(struct status *status, struct err *err);

static int show(const struct settings *settings, show_function *how, struct err *err)
{
	/* Too much for the stack. */
	struct status *status DEFER(defer_free) = calloc(1, sizeof(*status));
	int result;

	if (!status)
		return err_memory(err);
	*status = (struct status){ .settings = settings, .now_s = clock_wall_s() };
	buf_init(&status->text, STATUS_TEXT_MAX);
	buf_init(&status->advice, STATUS_TEXT_MAX);
	result = take_scanners(status, err);
	if (result == 0)
		result = how(status, err);
	buf_done(&status->text);
	buf_done(&status->advice);
	return result;
}

int cmd_status(const struct settings *settings, int argc, char **argv)
{
	static const struct option longs[] = { { "json", no_argument, NULL, 'j' },
		{ "metrics", no_argument, NULL, 'm' }, { NULL, 0, NULL, 0 } };
	show_function *how = show_text;
	struct err err = { 0 };
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		if (option != 'j' && option != 'm')
			return cmd_usage(
				usage, "status: unknown option %s", argv[optind - 1]);
		if (how != show_text)
			return cmd_usage(usage,
				"status: --json or --metrics, but one of them, once");
		how = option == 'j' ? show_json : show_metrics;
	}
	if (optind != argc)
		return cmd_usage(
			usage, "status: %s is one argument too many", argv[optind]);
	if (show(settings, how, &err) == 0)
		return EX_OK;
	log_error("%s", err.text);
	return err_exit_code(err.kind);
}
