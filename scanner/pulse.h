/* SPDX-License-Identifier: ISC
 *
 * Does the crew get on with the mail? The parent keeps deadlines for all that engine hosts and
 * workers do, and replaces what passes them. Should mail wait all the same for longer than
 * these deadlines come to, the parent itself is what is wrong, and says no more that it is alive.
 * Pure: time is an argument. */
#ifndef SCANNER_PULSE_H
#define SCANNER_PULSE_H

#include "scanner/crew.h"
#include "scanner/watch.h"

enum {
	/* Signatures that are being written, their load, and the start and end of a worker; a scan's
	 * time is on top. */
	PULSE_MS = WATCH_UNSETTLED_MS + HOST_LOAD_MS + CREW_START_MS + CREW_GRACE_MS +
		   CREW_END_MS + CREW_REAP_MS + HOST_END_MS
};

struct pulse {
	uint64_t moved;
	int64_t since; /* it has been so, or nothing waited; clock_ms() */
};

/* moved is another number after each thing that was done (hosts_moved); scan_ms what one scan may
 * take. */
bool pulse_beats(struct pulse *pulse, bool mail_waits, uint64_t moved, int64_t scan_ms,
	int64_t now);

#endif
