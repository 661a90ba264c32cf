/* SPDX-License-Identifier: ISC
 *
 * What scanners say of themselves, as metrics mailfilter_scanner_*: the same from a scanner itself and
 * from a client that asked. Pure. */
#ifndef COMMON_STATE_METRICS_H
#define COMMON_STATE_METRICS_H

#include "common/metrics.h"
#include "common/wire_state.h"

struct state_metrics {
	const char *scanner; /* label: its endpoint */
	bool alive;          /* it answered; else of state nothing is known */
	struct wire_state state;
};

void state_metrics_add(
	struct metrics *metrics, const struct state_metrics *list, size_t count);

/* "loading", "ready", "stopping". */
const char *state_metrics_name(enum wire_scanner_state state);

#endif
