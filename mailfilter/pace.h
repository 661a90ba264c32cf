/* SPDX-License-Identifier: ISC
 *
 * How fast bytes may be taken: an average rate, with at most PACE_BURST_MS of it at once after a
 * pause. Times are clock_ms()'s. Pure. */
#ifndef MAILFILTER_PACE_H
#define MAILFILTER_PACE_H

#include <stddef.h>
#include <stdint.h>

enum {
	PACE_BURST_MS = 1000
};

struct pace {
	uint64_t rate;  /* bytes a second, 0: as fast as they come */
	int64_t due_us; /* when what was taken so far is paid for */
};

/* From when on more may be taken: now_ms or later. */
int64_t pace_next_ms(const struct pace *pace, int64_t now_ms);

/* How many bytes to take at once at most, so that no wait is long; size or fewer, at least one. */
size_t pace_room(const struct pace *pace, size_t size);

void pace_took(struct pace *pace, size_t len, int64_t now_ms);

#endif
