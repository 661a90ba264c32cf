/* SPDX-License-Identifier: ISC */
#include "mailfilter/status_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

#include "mailfilter/health_show.h"
#include "mailfilter/wrap.h"

enum {
	CELL_MAX = 24,
	SENTENCE_MAX = 2 * LOG_LINE_MAX,
	ACCOUNT_COLUMNS = 20,
	SCANNER_COLUMNS = 27,
	MINUTE_S = 60,
	HOUR_S = 3600,
	DAY_S = 24 * 3600,
	OLD_DAYS = 7, /* from then on signatures are old: they change each day */
	MANY = 1000 * 1000 * 10,
	MILLION = 1000 * 1000
};

const char *status_state_name(const struct status_account *account)
{
	switch (account->state) {
	case STATUS_IDLE:
		return "idle";
	case STATUS_FETCHING:
		return "fetching";
	case STATUS_FAILED:
		return "failed";
	}
	return "unknown";
}

/* "3 min", "5 h", "12 d"; a clock that was set back makes no age. */
static const char *age_cell(int64_t since_s, int64_t now_s, char cell[static CELL_MAX])
{
	int64_t age_s = now_s > since_s ? now_s - since_s : 0;

	if (age_s / MINUTE_S < 2)
		(void)snprintf(cell, CELL_MAX, "%" PRId64 " s", age_s);
	else if (age_s / HOUR_S < 2)
		(void)snprintf(cell, CELL_MAX, "%" PRId64 " min", age_s / MINUTE_S);
	else if (age_s / DAY_S < 2)
		(void)snprintf(cell, CELL_MAX, "%" PRId64 " h", age_s / HOUR_S);
	else
		(void)snprintf(cell, CELL_MAX, "%" PRId64 " d", age_s / DAY_S);
	return cell;
}

static const char *count_cell(uint64_t count, char cell[static CELL_MAX])
{
	(void)snprintf(cell, CELL_MAX, "%" PRIu64 "%s",
		count < MANY ? count : count / MILLION, count < MANY ? "" : "M");
	return cell;
}

/* A name that is too long for its column has a line of its own. */
static int add_name(struct buf *out, const char *name, int columns, struct err *err)
{
	if (strlen(name) <= (size_t)columns)
		return buf_printf(out, err, "%-*s", columns, name);
	return buf_printf(out, err, "%s\n%*s", name, columns, "");
}

int status_table_accounts_head(struct buf *out, struct err *err)
{
	return buf_printf(out, err, "%-*s %9s %8s %8s %7s %7s  %s\n", ACCOUNT_COLUMNS,
		"ACCOUNT", "LAST RUN", "DONE", "INFECTED", "HELD", "PARKED", "STATE");
}

int status_table_account(struct buf *out, const struct status_account *account,
	int64_t now_s, struct err *err)
{
	const struct numbers *numbers = &account->numbers.numbers;
	const uint64_t counts[] = { numbers->counts.done, numbers->counts.infected,
		numbers->counts.held, numbers->counts.parked };
	char cells[4][CELL_MAX], age[CELL_MAX];

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		if (numbers->known)
			(void)count_cell(counts[i], cells[i]);
		else
			(void)snprintf(cells[i], CELL_MAX, "-");
	if (add_name(out, account->numbers.name, ACCOUNT_COLUMNS, err) < 0)
		return -1;
	return buf_printf(out, err, " %9s %8s %8s %7s %7s  %s\n",
		account->numbers.last_s > 0
			? age_cell(account->numbers.last_s, now_s, age)
			: "never",
		cells[0], cells[1], cells[2], cells[3], status_state_name(account));
}

int status_table_scanners_head(struct buf *out, struct err *err)
{
	return buf_printf(out, err, "%-*s %-8s %7s %6s %10s %8s %6s\n", SCANNER_COLUMNS,
		"SCANNER", "STATE", "BUSY", "QUEUE", "SIGNATURES", "AGE", "SET");
}

int status_table_scanner(struct buf *out, const struct status_scanner *scanner,
	int64_t now_s, struct err *err)
{
	const struct wire_state *state = &scanner->said.state;
	char busy[2 * CELL_MAX], signatures[CELL_MAX], queued[CELL_MAX], age[CELL_MAX],
		set[CELL_MAX];

	if (add_name(out, scanner->said.scanner, SCANNER_COLUMNS, err) < 0)
		return -1;
	if (!scanner->said.alive)
		return buf_printf(out, err, " %-8s %7s %6s %10s %8s %6s\n", "absent", "-",
			"-", "-", "-", "-");
	(void)snprintf(
		busy, sizeof(busy), "%" PRIu32 "/%" PRIu32, state->busy, state->workers);
	if (buf_printf(out, err, " %-8s %7s %6s %10s %8s %6s\n",
		    state_metrics_name(state->state), busy,
		    count_cell(state->queued, queued),
		    count_cell(state->signatures, signatures),
		    state->dated_s > 0 ? age_cell(state->dated_s, now_s, age) : "-",
		    count_cell(state->generation, set)) < 0)
		return -1;
	if (state->lookups > 0 &&
		buf_printf(out, err,
			"  %" PRIu64 " of %" PRIu64 " messages were known to be clean\n",
			state->hits, state->lookups) < 0)
		return -1;
	if (health_show_text(&state->health, out, err) < 0)
		return -1;
	return swept_show_text(&state->swept, out, err);
}

/* "- NAME: SENTENCE" */
static int advise(
	struct buf *out, const char *name, const char *sentence, struct err *err)
{
	char text[SENTENCE_MAX], escaped[LOG_LINE_MAX];

	(void)snprintf(
		text, sizeof(text), "%.300s: %s", name, log_sentence(sentence, escaped));
	return wrap_add(out, "- ", "  ", text, err);
}

static int advise_held(struct buf *out, const struct status_account *account,
	const struct record_reason *reason, bool is_told, struct err *err)
{
	char since[CLOCK_TEXT_MAX], next[CLOCK_TEXT_MAX], text[SENTENCE_MAX];
	int used = snprintf(text, sizeof(text), "%" PRIu64 " held", reason->count);

	if (reason->since_s > 0)
		used += snprintf(text + used, sizeof(text) - (size_t)used,
			", the oldest since %s", clock_iso(reason->since_s, since));
	if (reason->waits == WAITS_SCANNER)
		used += snprintf(text + used, sizeof(text) - (size_t)used,
			", again once a scanner is ready");
	else if (reason->waits == WAITS_DESTINATION)
		used += snprintf(text + used, sizeof(text) - (size_t)used,
			", again once `deliver` takes mail");
	else if (account->next_s > clock_wall_s())
		used += snprintf(text + used, sizeof(text) - (size_t)used,
			", again about %s", clock_iso(account->next_s, next));
	else
		used += snprintf(text + used, sizeof(text) - (size_t)used,
			", again with the next visit");
	if (reason->waits != WAITS_SCANNER || !is_told)
		(void)snprintf(
			text + used, sizeof(text) - (size_t)used, ": %s", reason->reason);
	return advise(out, account->numbers.name, text, err);
}

static int advise_parked(struct buf *out, const struct status_account *account,
	uint64_t parked, struct err *err)
{
	const struct status_held *held = &account->held;
	const char *name = account->numbers.name;
	char text[SENTENCE_MAX], folder[LOG_TEXT_MAX], uid[LOG_TEXT_MAX];

	for (size_t i = 0; i < held->parked_count; i++) {
		const struct record_row *row = &held->parked[i];

		(void)snprintf(text, sizeof(text), "parked %s%s%s: %s",
			row->key.folder[0] ? log_value(span_str(row->key.folder), folder)
					   : "",
			row->key.folder[0] ? "/" : "",
			log_value(span_str(row->key.uid), uid), row->reason);
		if (advise(out, name, text, err) < 0)
			return -1;
	}
	(void)snprintf(text, sizeof(text), "%" PRIu64 " parked%s; ", parked,
		parked > held->parked_count ? ", of which these are the first" : "");
	(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
		"to have %s tried again: mailfilter unpark %s",
		parked == 1 ? "it" : "them", name);
	return advise(out, name, text, err);
}

int status_table_advise_account(struct buf *out, const struct status_account *account,
	bool is_told, struct err *err)
{
	const struct status_held *held = &account->held;
	uint64_t parked = 0;

	if (account->reason[0] &&
		advise(out, account->numbers.name, account->reason, err) < 0)
		return -1;
	for (size_t i = 0; i < held->count; i++)
		if (held->reasons[i].state != RECORD_HELD)
			parked += held->reasons[i].count;
		else if (advise_held(out, account, &held->reasons[i], is_told, err) < 0)
			return -1;
	return parked > 0 ? advise_parked(out, account, parked, err) : 0;
}

/* What the scanner's checks of itself found, but for what is well. */
static int advise_checks(
	struct buf *out, const char *name, const struct checks *checks, struct err *err)
{
	char text[SENTENCE_MAX];

	for (size_t i = 0; i < checks->count; i++) {
		const struct checks_entry *entry = &checks->list[i];

		if (entry->result.level == CHECK_OK)
			continue;
		(void)snprintf(text, sizeof(text), "%s: %s: %s", entry->name,
			check_level_name(entry->result.level), entry->result.text);
		if (advise(out, name, text, err) < 0)
			return -1;
	}
	return 0;
}

int status_table_advise_scanner(struct buf *out, const struct status_scanner *scanner,
	int64_t now_s, struct err *err)
{
	const struct wire_state *state = &scanner->said.state;
	const char *name = scanner->said.scanner;
	char text[SENTENCE_MAX], cell[CELL_MAX];

	if (!scanner->said.alive) {
		(void)snprintf(text, sizeof(text),
			"no answer; mail that must be scanned waits: %s",
			scanner->why[0]
				? scanner->why
				: "start the scanner, or correct `scanners` in the settings");
		return advise(out, name, text, err);
	}
	if (state->trouble[0] && advise(out, name, state->trouble, err) < 0)
		return -1;
	(void)snprintf(text, sizeof(text), "NOT PROTECTED: %s", state->unprotected);
	if (state->unprotected[0] && advise(out, name, text, err) < 0)
		return -1;
	if (advise_checks(out, name, &state->checks, err) < 0)
		return -1;
	/* A scanner that checks itself has a limit of its own for that. */
	if (state->checks.count > 0)
		return 0;
	if (state->dated_s == 0 || now_s - state->dated_s <= (int64_t)OLD_DAYS * DAY_S)
		return 0;
	(void)snprintf(text, sizeof(text),
		"the newest signatures are %s old, and new viruses are not found: see that "
		"freshclam runs (systemctl status clamav-freshclam)",
		age_cell(state->dated_s, now_s, cell));
	return advise(out, name, text, err);
}
