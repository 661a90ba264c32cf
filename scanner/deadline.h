/* SPDX-License-Identifier: ISC
 *
 * Deadlines of clock_ms(), where -1 means none. */
#ifndef SCANNER_DEADLINE_H
#define SCANNER_DEADLINE_H

#include <stdint.h>

static inline int64_t deadline_sooner(int64_t left, int64_t right)
{
	if (left < 0 || right < 0)
		return left < 0 ? right : left;
	return left < right ? left : right;
}

#endif
