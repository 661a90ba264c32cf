/* SPDX-License-Identifier: ISC
 *
 * How long scans took lately, by size of message, in histograms of fixed size. A percentile is the
 * nearest rank's: at most a sixteenth more than the time it stands for, and never less. Times are kept
 * in two slots of half an hour, the present one and the one before, so that what is told covers
 * the last 30 to 60 minutes and an old spike fades. Pure: time is an argument. */
#ifndef SCANNER_TIMING_H
#define SCANNER_TIMING_H

#include "common/health.h"

enum {
	TIMING_SLOTS = 2,
	TIMING_SLOT_MS = 30 * 60 * 1000,
	TIMING_STEPS = 16,               /* buckets for each doubling */
	TIMING_EXACT = 2 * TIMING_STEPS, /* below, each millisecond has its own */
	TIMING_DOUBLINGS = 22, /* above: to 37 hours, what is longer counts as that */
	TIMING_BUCKETS = TIMING_EXACT + TIMING_DOUBLINGS * TIMING_STEPS,
};

#define TIMING_MS_MAX (((uint32_t)TIMING_EXACT << TIMING_DOUBLINGS) - 1)

struct timing_histogram {
	uint32_t count; /* stays at its maximum */
	uint32_t buckets[TIMING_BUCKETS];
};

/* Zeroed, it is empty. */
struct timing {
	struct timing_slot {
		int64_t number; /* of half hours since 0 */
		struct timing_histogram all[HEALTH_CLASSES], work[HEALTH_CLASSES];
	} slots[TIMING_SLOTS];
};

/* One scan ended. now_ms never goes back, and neither it nor the times are negative. */
void timing_add(struct timing *timing, int64_t now_ms, uint64_t size, int64_t all_ms,
	int64_t work_ms);

void timing_fill(const struct timing *timing, int64_t now_ms,
	struct health_times times_r[static HEALTH_CLASSES]);

#endif
