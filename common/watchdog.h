/* SPDX-License-Identifier: ISC
 *
 * Tell the service manager now and then that we go on (sd_watchdog_enabled(3)): it ends, and
 * starts anew, who is silent for too long. Nothing happens where nobody asks for it. */
#ifndef COMMON_WATCHDOG_H
#define COMMON_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

enum {
	WATCHDOG_LOOK_MS = 1000 /* between two looks at work that does not go on */
};

struct watchdog {
	int64_t every_ms; /* 0: nobody asks */
	int64_t due_ms;   /* clock_ms() */
};

/* Does the service manager ask this very process? Else a turn does nothing. */
void watchdog_start(struct watchdog *watchdog);

/* To be called whenever something was done, and then: says so if it is time to, but not while alive
 * is false. Returns when to call it again, clock_ms(), or -1. */
int64_t watchdog_turn(struct watchdog *watchdog, bool alive);

#endif
