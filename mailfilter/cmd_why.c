/* SPDX-License-Identifier: ISC
 *
 * mailfilter why: all that is on record of a message, and what comes next. Needs no lock. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/log.h"

#include "mailfilter/cmd.h"
#include "mailfilter/cmd_uid.h"
#include "mailfilter/quarantine.h"
#include "mailfilter/record_rescan.h"

static const char usage[] = "usage: mailfilter why [--json] ACCOUNT UID|FOLDER/UID\n";

struct answer {
	struct cmd_uid uid;
	struct json *json;           /* NULL: for people */
	struct record_rescan rescan; /* all 0: never was */
	struct record_row rows[RECORD_SAME_UID_MAX];
	size_t count;
};

/* What is known of its original in quarantine. */
struct original {
	bool known, has_file;
	struct record_quarantined item;
};

static const char *state_name(enum record_state state)
{
	switch (state) {
	case RECORD_HELD:
		return "held";
	case RECORD_PARKED:
		return "parked";
	case RECORD_INTENT:
		return "delivering";
	case RECORD_DONE:
		return "delivered";
	case RECORD_SETTLED:
		return "settled";
	case RECORD_PASSED:
		return "passed";
	}
	return "unknown";
}

static const char *next_of_held(enum waits waits)
{
	switch (waits) {
	case WAITS_VISIT:
		break;
	case WAITS_SCANNER:
		return "it is fetched again once a scanner is ready, see mailfilter "
		       "status";
	case WAITS_DESTINATION:
		return "it is fetched again once `deliver` takes mail, after more tries in "
		       "vain less often, at least once an hour";
	}
	return "it is tried again at each visit";
}

/* What the account does with it next; behind what ends in a blank the message is to be named. */
static const char *next_of(const struct record_row *row)
{
	switch (row->state) {
	case RECORD_HELD:
		return next_of_held(row->waits);
	case RECORD_PARKED:
		return "nothing: it stays on the server; to have it tried again: "
		       "mailfilter unpark ";
	case RECORD_INTENT:
		return "its delivery was cut off; the next visit ends it";
	case RECORD_DONE:
		return "the next visit does on the server what `after` says";
	case RECORD_SETTLED:
		return "nothing: all is done";
	case RECORD_PASSED:
		return "nothing: it was there before the account was (since, import)";
	}
	return "unknown";
}

/* As a person may type it, and print_text names it. */
static const char *next_text(const struct answer *answer, const struct record_row *row,
	char text[static LOG_LINE_MAX])
{
	const struct message_key *key = &row->key;
	const char *next = next_of(row);
	char name[LOG_TEXT_MAX], whole[MESSAGE_FOLDER_MAX + MESSAGE_UID_MAX];

	if (row->state != RECORD_PARKED)
		return next;
	(void)snprintf(whole, sizeof(whole), "%s%s%s", key->folder,
		key->folder[0] ? "/" : "", key->uid);
	(void)snprintf(text, LOG_LINE_MAX, "%s%s %s", next, answer->uid.account->name,
		log_value(span_str(whole), name));
	return text;
}

static int find_original(const struct answer *answer, const struct record_row *row,
	struct original *original_r, struct err *err)
{
	struct original original = { 0 };
	auto_close int fd = -1;
	struct err ignored;
	int found;

	if (row->quarantine_id[0]) {
		found = record_find_quarantined(
			answer->uid.record, row->quarantine_id, &original.item, err);
		if (found < 0)
			return -1;
		original.known = found > 0;
		original.has_file = quarantine_original(answer->uid.dir,
					    row->quarantine_id, &fd, &ignored) == 0;
	}
	*original_r = original;
	return 0;
}

static const char *original_state(const struct original *original)
{
	if (!original->known)
		return "gone: deleted or expired";
	if (!original->has_file)
		return "its file is missing";
	return original->item.fate == RECORD_RELEASED ? "released" : "kept";
}

static void line(const char *label, const char *text)
{
	char value[LOG_LINE_MAX];

	if (text[0])
		(void)printf("    %-11s %s\n", label, log_sentence(text, value));
}

static void print_times(const struct record_row *row)
{
	char when[CLOCK_TEXT_MAX], text[64];

	if (row->since_s > 0)
		line("first seen", clock_iso(row->since_s, when));
	line("last change", clock_iso(row->time_s, when));
	(void)snprintf(text, sizeof(text), "%" PRIu64 " bytes", row->size);
	line("size", text);
	(void)snprintf(text, sizeof(text), "%" PRIu32, row->attempts);
	if (row->attempts > 0)
		line("attempts", text);
}

static bool is_delivered(const struct record_row *row)
{
	return row->state == RECORD_INTENT || row->state == RECORD_DONE ||
	       row->state == RECORD_SETTLED;
}

/* When it was scanned again, with all that was delivered then; 0: not yet. */
static int64_t rescanned_s(const struct answer *answer, const struct record_row *row)
{
	const struct record_rescan *rescan = &answer->rescan;

	return is_delivered(row) && row->time_s >= rescan->since_s &&
			       row->time_s <= rescan->done_s
		       ? rescan->done_s
		       : 0;
}

static void print_rescan(const struct answer *answer, const struct record_row *row)
{
	char when[CLOCK_TEXT_MAX], text[CLOCK_TEXT_MAX + 32];
	const int64_t done_s = rescanned_s(answer, row);

	(void)snprintf(text, sizeof(text), "%s, set %" PRIu64, clock_iso(done_s, when),
		answer->rescan.generation);
	line("rescanned", done_s > 0 ? text : "");
}

static void print_text(const struct answer *answer, const struct record_row *row,
	const struct original *original)
{
	char folder[LOG_TEXT_MAX], uid[LOG_TEXT_MAX], text[ERR_TEXT_MAX],
		next[LOG_LINE_MAX];
	const bool delivered = is_delivered(row);

	(void)printf("%s %s%s%s: %s%s%s\n", answer->uid.account->name,
		row->key.folder[0] ? log_value(span_str(row->key.folder), folder) : "",
		row->key.folder[0] ? "/" : "", log_value(span_str(row->key.uid), uid),
		state_name(row->state), delivered ? ", " : "",
		delivered ? message_action_name(row->action) : "");
	print_times(row);
	line("judged", row->judged);
	line("rule", row->rule);
	line("verdict", row->verdict);
	line("reason", row->reason);
	print_rescan(answer, row);
	if (original->known)
		line("found", original->item.why);
	if (row->quarantine_id[0]) {
		(void)snprintf(text, sizeof(text), "%s (%s)", row->quarantine_id,
			original_state(original));
		line("quarantine", text);
	}
	if (delivered)
		line("name", row->name);
	line("next", next_text(answer, row, next));
}

static int print_json(struct answer *answer, const struct record_row *row,
	const struct original *original, struct err *err)
{
	struct json *json = answer->json;
	char next[LOG_LINE_MAX];

	json_open(json, NULL, '{');
	json_text(json, "account", span_str(answer->uid.account->name));
	json_text(json, "folder", span_str(row->key.folder));
	json_text(json, "uid", span_str(row->key.uid));
	json_text(json, "state", span_str(state_name(row->state)));
	json_text(json, "action", span_str(message_action_name(row->action)));
	json_number(json, "first", (uint64_t)row->since_s);
	json_number(json, "last", (uint64_t)row->time_s);
	json_number(json, "size", row->size);
	json_number(json, "attempts", row->attempts);
	json_text(json, "judged", span_str(row->judged));
	json_text(json, "rule", span_str(row->rule));
	json_text(json, "verdict", span_str(row->verdict));
	json_text(json, "reason", span_str(row->reason));
	json_text(json, "found", span_str(original->known ? original->item.why : ""));
	json_number(json, "rescanned", (uint64_t)rescanned_s(answer, row));
	json_text(json, "quarantine", span_str(row->quarantine_id));
	json_text(json, "original",
		span_str(row->quarantine_id[0] ? original_state(original) : ""));
	json_text(json, "name", span_str(row->name));
	json_text(json, "next", span_str(next_text(answer, row, next)));
	json_close(json, '}');
	return json_print(json, err);
}

static void take_row(const struct record_row *row, void *arg)
{
	struct answer *answer = arg;

	if (answer->count < RECORD_SAME_UID_MAX)
		answer->rows[answer->count++] = *row;
}

static int print_all(struct answer *answer, struct err *err)
{
	if (record_each_uid(answer->uid.record, answer->uid.folder, answer->uid.uid,
		    take_row, answer, err) < 0 ||
		record_find_rescan(answer->uid.record, &answer->rescan, err) < 0)
		return -1;
	for (size_t i = 0; i < answer->count; i++) {
		struct original original;

		if (find_original(answer, &answer->rows[i], &original, err) < 0)
			return -1;
		if (!answer->json)
			print_text(answer, &answer->rows[i], &original);
		else if (print_json(answer, &answer->rows[i], &original, err) < 0)
			return -1;
	}
	return 0;
}

static int why(const struct settings *settings, const struct account_settings *account,
	const char *name, struct json *json, struct err *err)
{
	struct answer *answer = calloc(1, sizeof(*answer));
	int result;

	if (!answer)
		return err_memory(err);
	answer->json = json;
	result = cmd_uid_open(settings, account, name, true, &answer->uid, err);
	if (result == 0) {
		result = print_all(answer, err);
		cmd_uid_close(&answer->uid);
	}
	free(answer);
	return result;
}

int cmd_why(const struct settings *settings, int argc, char **argv)
{
	static const struct option longs[] = { { "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 } };
	const struct account_settings *account;
	auto_json struct json json;
	struct err err = { 0 };
	bool as_json = false;
	int option;

	json_init(&json);
	optind = 1;
	while ((option = getopt_long(argc, argv, "+", longs, NULL)) != -1) {
		if (option != 'j')
			return cmd_usage(
				usage, "why: unknown option %s", argv[optind - 1]);
		as_json = true;
	}
	if (argc - optind != 2)
		return cmd_usage(usage, "why: say which account and which message");
	account = settings_find_account(settings, argv[optind]);
	if (!account)
		return cmd_no_account(settings, argv[optind]);
	if (why(settings, account, argv[optind + 1], as_json ? &json : NULL, &err) == 0)
		return EX_OK;
	log_error("%s", err.text);
	return err.kind == ERR_MESSAGE ? EX_NOINPUT : err_exit_code(err.kind);
}
