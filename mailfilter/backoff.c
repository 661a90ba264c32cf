/* SPDX-License-Identifier: ISC */
#include "mailfilter/backoff.h"

int64_t backoff_ms(int64_t first_ms, int64_t most_ms, uint32_t failures)
{
	int64_t wait_ms = first_ms;

	if (failures == 0)
		return 0;
	for (uint32_t i = 1; i < failures && wait_ms < most_ms; i++)
		wait_ms *= 2;
	return wait_ms < most_ms ? wait_ms : most_ms;
}

int64_t backoff_jitter(int64_t wait_ms, uint64_t random)
{
	int64_t half_ms = wait_ms / 2;

	return half_ms > 0 ? half_ms + (int64_t)(random % (uint64_t)(half_ms + 1))
			   : wait_ms;
}
