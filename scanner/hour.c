/* SPDX-License-Identifier: ISC */
#include "scanner/hour.h"

#include <string.h>

static void keep(struct hour *hour, const uint64_t counts[static HEALTH_COUNTS])
{
	memcpy(hour->slots[hour->next], counts, sizeof(hour->slots[0]));
	hour->next = (hour->next + 1) % HOUR_SLOTS;
	if (hour->count < HOUR_SLOTS)
		hour->count++;
}

void hour_turn(struct hour *hour, int64_t now_ms,
	const uint64_t counts[static HEALTH_COUNTS],
	uint64_t delta_r[static HEALTH_COUNTS])
{
	const uint64_t *oldest;

	if (!hour->begun) {
		hour->begun = true;
		hour->at = now_ms;
		keep(hour, counts);
	}
	/* A machine that slept has as many steps to make up for, and no more than there are slots. */
	for (int i = 0; i < HOUR_SLOTS && now_ms - hour->at >= HOUR_STEP_MS; i++) {
		keep(hour, counts);
		hour->at += HOUR_STEP_MS;
	}
	if (now_ms - hour->at >= HOUR_STEP_MS)
		hour->at = now_ms;
	oldest = hour->slots[hour->count < HOUR_SLOTS ? 0 : hour->next];
	for (size_t i = 0; i < HEALTH_COUNTS; i++)
		delta_r[i] = counts[i] - oldest[i];
}
