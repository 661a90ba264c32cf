/* SPDX-License-Identifier: ISC */
#include "scanner/timing.h"

#include <string.h>

/* Where it is counted; the index grows with the time. */
static size_t bucket_of(uint32_t ms)
{
	size_t base = 0;

	for (; ms >= TIMING_EXACT; ms /= 2)
		base += TIMING_STEPS;
	return base + ms;
}

/* The longest time that is counted there. */
static uint32_t longest(size_t bucket)
{
	size_t doublings =
		bucket < TIMING_EXACT ? 0 : (bucket - TIMING_STEPS) / TIMING_STEPS;
	uint32_t step = (uint32_t)(bucket - doublings * TIMING_STEPS);

	return ((step + 1) << doublings) - 1;
}

static void add(struct timing_histogram *histogram, int64_t ms)
{
	uint32_t short_ms = ms > TIMING_MS_MAX ? TIMING_MS_MAX : (uint32_t)ms;

	if (histogram->count == UINT32_MAX)
		return;
	histogram->count++;
	histogram->buckets[bucket_of(short_ms)]++;
}

void timing_add(struct timing *timing, int64_t now_ms, uint64_t size, int64_t all_ms,
	int64_t work_ms)
{
	int64_t number = now_ms / TIMING_SLOT_MS;
	struct timing_slot *slot = &timing->slots[number % TIMING_SLOTS];
	size_t at = health_class(size);

	if (slot->number != number) {
		memset(slot, 0, sizeof(*slot));
		slot->number = number;
	}
	add(&slot->all[at], all_ms);
	add(&slot->work[at], work_ms);
}

/* Of so many percent of them the longest took so long, or less. */
static uint32_t quantile(const struct timing_histogram *const *histograms, uint64_t count,
	uint64_t percent)
{
	uint64_t rank = (count * percent + 99) / 100, before = 0;

	for (size_t i = 0; count > 0 && i < TIMING_BUCKETS; i++) {
		for (size_t j = 0; j < TIMING_SLOTS; j++)
			before += histograms[j] ? histograms[j]->buckets[i] : 0;
		if (before >= rank)
			return longest(i);
	}
	return 0;
}

static void fill(const struct timing_histogram *const *histograms, uint64_t count,
	struct health_quantiles *quantiles)
{
	quantiles->p50 = quantile(histograms, count, 50);
	quantiles->p95 = quantile(histograms, count, 95);
	quantiles->p99 = quantile(histograms, count, 99);
}

void timing_fill(const struct timing *timing, int64_t now_ms,
	struct health_times times_r[static HEALTH_CLASSES])
{
	int64_t number = now_ms / TIMING_SLOT_MS;

	for (size_t at = 0; at < HEALTH_CLASSES; at++) {
		const struct timing_histogram *all[TIMING_SLOTS] = { NULL };
		const struct timing_histogram *work[TIMING_SLOTS] = { NULL };
		uint64_t count = 0;

		for (size_t i = 0; i < TIMING_SLOTS; i++) {
			const struct timing_slot *slot = &timing->slots[i];

			if (number - slot->number >= TIMING_SLOTS)
				continue;
			all[i] = &slot->all[at];
			work[i] = &slot->work[at];
			count += slot->all[at].count;
		}
		times_r[at].scans = count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
		fill(all, count, &times_r[at].all);
		fill(work, count, &times_r[at].work);
	}
}
