/* SPDX-License-Identifier: ISC
 *
 * What was answered since the start, by verdict, and how long it took lately: the part of a scanner's
 * health that its clients' requests make. Pure: time is an argument. */
#ifndef SCANNER_TALLY_H
#define SCANNER_TALLY_H

#include "scanner/request.h"
#include "scanner/timing.h"

/* Zeroed, it is empty. */
struct tally {
	uint64_t counts[HEALTH_COUNTS];
	struct timing timing;
};

/* Its verdict was sent. */
void tally_add(struct tally *tally, int64_t now_ms, const struct request *request);

/* Add what is counted here, and put in the times. */
void tally_fill(const struct tally *tally, int64_t now_ms, struct health *health);

#endif
