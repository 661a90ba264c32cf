/* SPDX-License-Identifier: ISC
 *
 * Does mail wait for a worker too long? */
#include <inttypes.h>

#include "scanner/check.h"

void check_queue(const struct check_facts *facts, struct check_result *result)
{
	char age[CHECK_SPAN_MAX];

	if (facts->waiting == 0) {
		check_say(result, CHECK_OK, "no mail waits");
		return;
	}
	check_say(result,
		check_limit_level(&facts->settings->check_limits, LIMIT_QUEUE_AGE,
			(uint64_t)facts->oldest_for_ms),
		"%" PRIu32 " messages wait, the first of them for %s", facts->waiting,
		check_span(facts->oldest_for_ms, age));
}
