/* SPDX-License-Identifier: ISC
 *
 * How long to wait after failures in a row: each time twice as long, with some chance in it, so that
 * many that failed together do not come back together. Pure. */
#ifndef MAILFILTER_BACKOFF_H
#define MAILFILTER_BACKOFF_H

#include <stdint.h>

/* After the first failure first_ms, at most most_ms; 0 without a failure. */
int64_t backoff_ms(int64_t first_ms, int64_t most_ms, uint32_t failures);

/* Between half of it and all of it, as this number has it. */
int64_t backoff_jitter(int64_t wait_ms, uint64_t random);

#endif
