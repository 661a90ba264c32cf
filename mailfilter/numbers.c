/* SPDX-License-Identifier: ISC */
#include "mailfilter/numbers.h"

#include "common/clock.h"

enum {
	DAY_S = 24 * 3600
};

static const struct metrics_label none = { NULL, NULL };

static int count_one(const struct record_quarantined *item, void *arg)
{
	struct hoard *hoard = arg;

	hoard->count++;
	hoard->bytes += item->size;
	/* Of 1970: a clock that was not set. */
	if (item->time_s >= DAY_S &&
		(hoard->oldest_s == 0 || item->time_s < hoard->oldest_s))
		hoard->oldest_s = item->time_s;
	return 0;
}

int numbers_take(struct record *record, struct numbers *numbers_r, struct err *err)
{
	struct numbers numbers = { .known = true };
	int found;

	if (record_count(record, &numbers.counts, err) < 0 ||
		record_each_quarantined(record, count_one, &numbers.quarantine, err) < 0)
		return -1;
	found = record_find_rescan(record, &numbers.rescan, err);
	if (found < 0)
		return -1;
	numbers.rescanned = found > 0;
	*numbers_r = numbers;
	return 0;
}

void numbers_take_for(
	struct record *record, const struct settings *settings, struct numbers *numbers_r)
{
	const struct hoard_limits limits = { settings->quarantine_warn,
		settings->quarantine_days };
	struct check_result quarantine;

	if (!settings->metrics_file || numbers_take(record, numbers_r, NULL) < 0)
		return;
	hoard_check(&numbers_r->quarantine, &limits, clock_wall_s(), &quarantine);
	numbers_r->quarantine_level = quarantine.level;
}

static struct metrics_label account(const struct numbers_account *one)
{
	return (struct metrics_label){ "account", one->name };
}

static void add_messages(
	struct metrics *metrics, const struct numbers_account *list, size_t count)
{
	metrics_family(metrics, "mailfilter_account_messages", METRICS_GAUGE,
		"Messages on record, by what became of them.");
	for (size_t i = 0; i < count; i++) {
		const struct record_counts *counts = &list[i].numbers.counts;
		const struct {
			const char *state;
			uint64_t number;
		} states[] = { { "done", counts->done }, { "held", counts->held },
			{ "parked", counts->parked }, { "pending", counts->pending } };

		for (size_t j = 0; list[i].numbers.known && j < 4; j++)
			metrics_number(metrics, account(&list[i]),
				(struct metrics_label){ "state", states[j].state },
				states[j].number);
	}
}

static void add_quarantine(
	struct metrics *metrics, const struct numbers_account *list, size_t count)
{
	static const struct {
		const char *name, *help;
	} families[] = {
		{ "mailfilter_account_quarantined_messages", "Originals in quarantine." },
		{ "mailfilter_account_quarantined_bytes", "Their size." },
		{ "mailfilter_account_quarantined_oldest_timestamp_seconds",
			"When the oldest of them was put there; 0: there is none." },
		{ "mailfilter_account_quarantine_check",
			"Is that too much, or too old: 0 ok, 1 a warning, 2 critical." },
	};

	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		metrics_family(
			metrics, families[i].name, METRICS_GAUGE, families[i].help);
		for (size_t j = 0; j < count; j++) {
			const struct numbers *numbers = &list[j].numbers;
			const uint64_t values[] = { numbers->quarantine.count,
				numbers->quarantine.bytes,
				(uint64_t)numbers->quarantine.oldest_s,
				numbers->quarantine_level };

			if (numbers->known)
				metrics_number(
					metrics, account(&list[j]), none, values[i]);
		}
	}
}

static void add_rescans(
	struct metrics *metrics, const struct numbers_account *list, size_t count)
{
	metrics_family(metrics, "mailfilter_account_rescan_timestamp_seconds",
		METRICS_GAUGE,
		"When delivered mail was scanned again to its end; 0: it is not yet.");
	for (size_t i = 0; i < count; i++)
		if (list[i].numbers.rescanned)
			metrics_number(metrics, account(&list[i]), none,
				(uint64_t)list[i].numbers.rescan.done_s);
	metrics_family(metrics, "mailfilter_account_rescan_generation", METRICS_GAUGE,
		"The number of the signatures that did it.");
	for (size_t i = 0; i < count; i++)
		if (list[i].numbers.rescanned)
			metrics_number(metrics, account(&list[i]), none,
				list[i].numbers.rescan.generation);
	metrics_family(metrics, "mailfilter_account_rescan_messages", METRICS_GAUGE,
		"Delivered messages that were scanned again, and those of them that were "
		"infected.");
	for (size_t i = 0; i < count; i++) {
		if (!list[i].numbers.rescanned)
			continue;
		metrics_number(metrics, account(&list[i]),
			(struct metrics_label){ "result", "scanned" },
			list[i].numbers.rescan.scanned);
		metrics_number(metrics, account(&list[i]),
			(struct metrics_label){ "result", "infected" },
			list[i].numbers.rescan.infected);
	}
}

void numbers_add(
	struct metrics *metrics, const struct numbers_account *list, size_t count)
{
	metrics_family(metrics, "mailfilter_account_last_run_timestamp_seconds",
		METRICS_GAUGE, "When the account was served last; 0: never.");
	for (size_t i = 0; i < count; i++)
		metrics_number(
			metrics, account(&list[i]), none, (uint64_t)list[i].last_s);
	metrics_family(metrics, "mailfilter_account_failed", METRICS_GAUGE,
		"1 where the last run did not serve the account to its end.");
	for (size_t i = 0; i < count; i++)
		metrics_number(metrics, account(&list[i]), none, list[i].failed);
	add_messages(metrics, list, count);
	metrics_family(metrics, "mailfilter_account_infected_messages", METRICS_GAUGE,
		"Messages on record that were infected.");
	for (size_t i = 0; i < count; i++)
		if (list[i].numbers.known)
			metrics_number(metrics, account(&list[i]), none,
				list[i].numbers.counts.infected);
	add_quarantine(metrics, list, count);
	add_rescans(metrics, list, count);
}
