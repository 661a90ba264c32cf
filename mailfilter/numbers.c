/* SPDX-License-Identifier: ISC */
#include "mailfilter/numbers.h"

static const struct metrics_label none = { NULL, NULL };

static int count_one(const struct record_quarantined *item, void *arg)
{
	uint64_t *count = arg;

	(void)item;
	(*count)++;
	return 0;
}

int numbers_take(struct record *record, struct numbers *numbers_r, struct err *err)
{
	struct numbers numbers = { .known = true };
	int found;

	if (record_count(record, &numbers.counts, err) < 0 ||
		record_each_quarantined(record, count_one, &numbers.quarantined, err) < 0)
		return -1;
	found = record_find_rescan(record, &numbers.rescan, err);
	if (found < 0)
		return -1;
	numbers.rescanned = found > 0;
	*numbers_r = numbers;
	return 0;
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
	metrics_family(metrics, "mailfilter_account_quarantined_messages", METRICS_GAUGE,
		"Originals in quarantine.");
	for (size_t i = 0; i < count; i++)
		if (list[i].numbers.known)
			metrics_number(metrics, account(&list[i]), none,
				list[i].numbers.quarantined);
	add_rescans(metrics, list, count);
}
