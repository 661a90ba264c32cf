/* SPDX-License-Identifier: ISC
 *
 * What makes it worth trying again at once: the machine slept and is awake, or it has a new address.
 * Where the kernel does not tell, nothing is lost but time. */
#ifndef MAILFILTER_WAKE_H
#define MAILFILTER_WAKE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	WAKE_SLEPT_MS = 5000, /* asleep for less is not worth a word */
	WAKE_FDS = 2,
};

struct wake {
	int fds[WAKE_FDS]; /* to poll(2) for POLLIN, -1: not to be had: clock, network */
	int64_t asleep_ms; /* all that the machine slept since it started */
};

void wake_open(struct wake *wake);
void wake_close(struct wake *wake);

/* Has the machine slept since the last call? At any time, but best when the clock's fd says so. */
bool wake_slept(struct wake *wake);

/* Given how long it has slept in all by now. Pure. */
bool wake_slept_by(struct wake *wake, int64_t asleep_ms);

/* Has it a new address since the last call? */
bool wake_network(struct wake *wake);

#endif
