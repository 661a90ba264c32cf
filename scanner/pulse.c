/* SPDX-License-Identifier: ISC */
#include "scanner/pulse.h"

bool pulse_beats(struct pulse *pulse, bool mail_waits, uint64_t moved, int64_t scan_ms,
	int64_t now)
{
	if (!mail_waits || moved != pulse->moved) {
		pulse->moved = moved;
		pulse->since = now;
	}
	return now - pulse->since <= PULSE_MS + scan_ms;
}
