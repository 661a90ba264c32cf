/* SPDX-License-Identifier: ISC
 *
 * What happened in the last hour, from counts that only grow: they are kept every five minutes. Pure:
 * time is an argument. */
#ifndef SCANNER_HOUR_H
#define SCANNER_HOUR_H

#include "common/health.h"

enum {
	HOUR_STEP_MS = 5 * 60 * 1000,
	HOUR_STEPS = 12,
	HOUR_SLOTS = HOUR_STEPS + 1
};

struct hour {
	bool begun;
	size_t count, next; /* slots used; the one to be written next */
	int64_t at;         /* of the last one written */
	uint64_t slots[HOUR_SLOTS][HEALTH_COUNTS];
};

/* Zeroed, it is empty; counts are those of now. Afterwards delta_r is what they grew by in the last 60
 * to 65 minutes, or since the first call. */
void hour_turn(struct hour *hour, int64_t now_ms,
	const uint64_t counts[static HEALTH_COUNTS],
	uint64_t delta_r[static HEALTH_COUNTS]);

#endif
