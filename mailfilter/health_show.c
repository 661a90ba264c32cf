/* SPDX-License-Identifier: ISC */
#include "mailfilter/health_show.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	CELL_MAX = 16,
	CELL_MS_MAX = 10 * 1000 * 1000, /* from here on in seconds, to fit its column */
	CELL_COUNT_MAX = 100 * 1000 * 1000,
	MILLION = 1000 * 1000
};

static const char *const class_names[HEALTH_CLASSES] = { "to 10 KB", "to 100 KB",
	"to 1 MB", "to 10 MB", "larger" };

static const char *ms_cell(uint32_t ms, char cell[static CELL_MAX])
{
	bool long_ms = ms >= CELL_MS_MAX;

	(void)snprintf(cell, CELL_MAX, "%" PRIu32 "%s", long_ms ? ms / 1000 : ms,
		long_ms ? "s" : "");
	return cell;
}

static const char *count_cell(uint32_t count, char cell[static CELL_MAX])
{
	bool many = count >= CELL_COUNT_MAX;

	(void)snprintf(cell, CELL_MAX, "%" PRIu32 "%s", many ? count / MILLION : count,
		many ? "M" : "");
	return cell;
}

static int add_row(
	size_t index, const struct health_times *times, struct buf *out, struct err *err)
{
	const uint32_t all[] = { times->all.p50, times->all.p95, times->all.p99,
		times->work.p50, times->work.p95, times->work.p99 };
	char cell[CELL_MAX];

	if (buf_printf(out, err, "  %-10s%9s", class_names[index],
		    count_cell(times->scans, cell)) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (buf_printf(out, err, "%s%9s", i == 3 ? "   " : "",
			    ms_cell(all[i], cell)) < 0)
			return -1;
	return buf_add_str(out, "\n", err);
}

static int add_times(const struct health *health, struct buf *out, struct err *err)
{
	bool any = false;

	for (size_t i = 0; i < HEALTH_CLASSES; i++) {
		const struct health_times *times = &health->times[i];

		if (times->scans == 0)
			continue;
		if (!any && buf_printf(out, err,
				    "  %-21s%27s   %27s\n"
				    "  %-10s%9s%9s%9s%9s   %9s%9s%9s\n",
				    "scans lately, in ms:", "until the verdict",
				    "of that in workers", "size", "scans", "p50", "p95",
				    "p99", "p50", "p95", "p99") < 0)
			return -1;
		any = true;
		if (add_row(i, times, out, err) < 0)
			return -1;
	}
	return 0;
}

/* " (1 encrypted, 2 limit)", or nothing. */
static int add_reasons(const struct health *health, struct buf *out, struct err *err)
{
	static const char *const words[] = { "encrypted", "unsupported", "limit",
		"timeout", "crash", "malformed", "error" };
	const char *before = " (";

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		uint64_t count = health->counts[HEALTH_ENCRYPTED + i];

		if (count == 0)
			continue;
		if (buf_printf(out, err, "%s%" PRIu64 " %s", before, count, words[i]) < 0)
			return -1;
		before = ", ";
	}
	return buf_add_str(out, before[0] == ' ' ? "\n" : ")\n", err);
}

static int add_verdicts(const struct health *health, struct buf *out, struct err *err)
{
	const uint64_t *counts = health->counts;

	if (buf_printf(out, err,
		    "  since its start: %" PRIu64 " clean, %" PRIu64 " infected, %" PRIu64
		    " to be tried again,\n    %" PRIu64 " unscannable",
		    counts[HEALTH_CLEAN], counts[HEALTH_INFECTED], counts[HEALTH_RETRY],
		    counts[HEALTH_UNSCANNABLE]) < 0)
		return -1;
	return add_reasons(health, out, err);
}

/* What went wrong; nothing where nothing did. */
static int add_failures(const struct health *health, struct buf *out, struct err *err)
{
	static const struct {
		enum health_count count;
		const char *words;
	} failures[] = { { HEALTH_CRASHES, "workers crashed" },
		{ HEALTH_LATE, "workers took too long" },
		{ HEALTH_KILLED, "workers were killed" },
		{ HEALTH_HOSTS, "engine hosts ended" },
		{ HEALTH_AGAIN, "scans began again" },
		{ HEALTH_FRAMES, "malformed messages of clients were dropped" },
		{ HEALTH_CONNECTIONS, "attempts to connect were refused" },
		{ HEALTH_SWEEP, "processes of the sweep ended" } };

	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
		uint64_t count = health->counts[failures[i].count];

		if (count > 0 && buf_printf(out, err, "  %" PRIu64 " %s\n", count,
					 failures[i].words) < 0)
			return -1;
	}
	return 0;
}

int health_show_text(const struct health *health, struct buf *out, struct err *err)
{
	uint64_t verdicts =
		health->counts[HEALTH_CLEAN] + health->counts[HEALTH_INFECTED] +
		health->counts[HEALTH_RETRY] + health->counts[HEALTH_UNSCANNABLE];

	if (verdicts > 0 && add_verdicts(health, out, err) < 0)
		return -1;
	if (add_failures(health, out, err) < 0)
		return -1;
	return add_times(health, out, err);
}

void health_show_json(const struct health *health, struct json *json)
{
	json_open(json, "counts", '{');
	for (enum health_count i = 0; i < HEALTH_COUNTS; i++)
		json_number(json, health_count_name(i), health->counts[i]);
	json_close(json, '}');
	json_open(json, "times", '[');
	for (size_t i = 0; i < HEALTH_CLASSES; i++) {
		const struct health_times *times = &health->times[i];

		json_open(json, NULL, '{');
		json_number(json, "size_max", health_class_max(i));
		json_number(json, "scans", times->scans);
		json_number(json, "p50_ms", times->all.p50);
		json_number(json, "p95_ms", times->all.p95);
		json_number(json, "p99_ms", times->all.p99);
		json_number(json, "work_p50_ms", times->work.p50);
		json_number(json, "work_p95_ms", times->work.p95);
		json_number(json, "work_p99_ms", times->work.p99);
		json_close(json, '}');
	}
	json_close(json, ']');
}
