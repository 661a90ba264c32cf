/* SPDX-License-Identifier: ISC */
#include "mailfilter/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/clock.h"
#include "common/log.h"

#include "mailfilter/decide.h"

void report_count(struct report *report, const struct message *message)
{
	if (message->scanned && message->verdict.kind == VERDICT_INFECTED)
		report->infected[message->action]++;
	if (message->scanned && message->verdict.kind == VERDICT_UNSCANNABLE)
		report->unscannable[message->action]++;
	if (!message->scanned && message->rule[0] &&
		(message->action == ACTION_TAG || message->action == ACTION_QUARANTINE))
		report->ruled++;
	switch (message->action) {
	case ACTION_NONE:
		break;
	case ACTION_DELIVER:
		report->delivered++;
		break;
	case ACTION_CLEAN:
		report->cleaned++;
		break;
	case ACTION_TAG:
		report->tagged++;
		break;
	case ACTION_QUARANTINE:
		report->quarantined++;
		break;
	case ACTION_PARK:
		report->parked++;
		break;
	case ACTION_HOLD:
		if (report->held++ == 0)
			memcpy(report->held_why, message->reason,
				sizeof(report->held_why));
		break;
	}
}

uint32_t report_decided(const struct report *report)
{
	return report->delivered + report->cleaned + report->tagged +
	       report->quarantined + report->held + report->parked;
}

uint32_t report_served(const struct report *report)
{
	return report_decided(report) - report->held - report->parked;
}

/* " key=value" onto line, the value escaped; nothing where it is empty. */
static void add(char *line, size_t size, const char *key, const char *value)
{
	char text[LOG_TEXT_MAX];
	size_t used = strlen(line);

	if (value[0])
		(void)snprintf(line + used, size - used, " %s=%s", key,
			log_value(span_str(value), text));
}

static void add_number(char *line, size_t size, const char *key, uint64_t number)
{
	size_t used = strlen(line);

	(void)snprintf(line + used, size - used, " %s=%" PRIu64, key, number);
}

void report_message(const char *account, const struct message *message, bool dry_run)
{
	char line[LOG_LINE_MAX] = "", verdict[DECIDE_VERDICT_MAX], hash[HASH_TEXT_MAX];
	const struct verdict *said = &message->verdict;
	bool found = message->scanned && said->finding_count > 0;
	bool left = message->action == ACTION_HOLD || message->action == ACTION_PARK;

	if (!left && log_level() < LOG_LEVEL_INFO)
		return;
	add(line, sizeof(line), "account", account);
	add(line, sizeof(line), "folder", message->key.folder);
	add(line, sizeof(line), "uid", message->key.uid);
	add(line, sizeof(line), "verdict", decide_verdict(message, verdict));
	if (found) {
		add(line, sizeof(line), "signature", said->findings[0].signature);
		add(line, sizeof(line), "sha256",
			hash_text(&said->findings[0].hash, hash));
	}
	if (message->scanned && verdict_allowed(said))
		add(line, sizeof(line), "allowed", verdict_allowed(said));
	add(line, sizeof(line), dry_run ? "would" : "action",
		message_action_name(message->action));
	/* Where nothing is done nothing is kept, and no one finds that id. */
	if (!dry_run &&
		(message->action == ACTION_CLEAN || message->action == ACTION_QUARANTINE))
		add(line, sizeof(line), "quarantine", message->quarantine_id);
	add(line, sizeof(line), "rule", message->rule);
	if (message->folder[0] && !left)
		add(line, sizeof(line), "target", message->folder);
	add(line, sizeof(line), "judged", message->judged);
	/* Of what is changed or kept back verdict and signature are the reason. */
	if (left || (message->action != ACTION_DELIVER && !found))
		add(line, sizeof(line), "reason", message->reason);
	add(line, sizeof(line), "remark", message->remark);
	add_number(line, sizeof(line), "size", message->size);
	if (message->listed_ms > 0)
		add_number(line, sizeof(line), "ms",
			(uint64_t)(clock_ms() - message->listed_ms));
	if (left)
		log_warning("%s", line + 1);
	else
		log_info("%s", line + 1);
}

/* ", 3 held (why)" behind what is there; nothing where the number is 0. */
static void part(char *text, uint32_t number, const char *what, const char *why)
{
	size_t used = strlen(text);
	bool said = why[0] != '\0';

	if (number > 0)
		(void)snprintf(text + used, REPORT_SUMMARY_MAX - used,
			"%s%" PRIu32 " %s%s%s%s", used > 0 ? ", " : "", number, what,
			said ? " (" : "", why, said ? ")" : "");
}

/* ", 2 infected (cleaned), 1 infected (held)": accounts have a policy for each kind of mail. */
static void parts(
	char *text, const uint32_t numbers[static ACTION_HOLD + 1], const char *what)
{
	for (enum action action = ACTION_NONE; action <= ACTION_HOLD; action++)
		part(text, numbers[action], what, message_action_name(action));
}

/* What came of the mail; "" if nothing was new. */
static void outcome(const struct report *report, char text[static REPORT_SUMMARY_MAX])
{
	uint32_t changed = report->quarantined + report->tagged + report->cleaned;

	text[0] = '\0';
	part(text, report->delivered + changed, "new", "");
	parts(text, report->infected, "infected");
	parts(text, report->unscannable, "not scannable");
	part(text, report->ruled, "kept back or filed by a rule", "");
	part(text, report->parked, "parked", "");
	part(text, report->held, "held", report->held_why);
}

const char *report_summary(
	const struct report *report, char text[static REPORT_SUMMARY_MAX])
{
	size_t used;

	outcome(report, text);
	used = strlen(text);
	if (report->err.kind != ERR_NONE)
		(void)snprintf(text + used, REPORT_SUMMARY_MAX - used, "%s%s",
			used > 0 ? "; then: " : "", report->err.text);
	else if (used == 0)
		(void)snprintf(text, REPORT_SUMMARY_MAX, "nothing new");
	return text;
}

const char *report_note(const struct report *report, char text[static REPORT_SUMMARY_MAX])
{
	size_t used;

	if (report->err.kind == ERR_NONE)
		return report_summary(report, text);
	outcome(report, text);
	used = strlen(text);
	(void)snprintf(text + used, REPORT_SUMMARY_MAX - used, "\n%s", report->err.text);
	return text;
}

int report_exit_code(const struct report *report)
{
	int code = err_exit_code(report->err.kind);

	if (!report->final)
		code = report_worse(code, EX_TEMPFAIL);
	if (report->held > 0 || report->parked > 0)
		code = report_worse(code, EX_TEMPFAIL);
	return code;
}

int report_worse(int left, int right)
{
	static const int order[] = { EX_CONFIG, EX_NOPERM, EX_TEMPFAIL };

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (left == order[i] || right == order[i])
			return order[i];
	return left ? left : right;
}
