/* SPDX-License-Identifier: ISC
 *
 * Are there workers, and do they live? */
#include <inttypes.h>

#include "scanner/check.h"

void check_workers(const struct check_facts *facts, struct check_result *result)
{
	const uint64_t *counts = facts->counts;
	uint64_t deaths = counts[HEALTH_CRASHES] + counts[HEALTH_LATE] +
			  counts[HEALTH_KILLED] + counts[HEALTH_HOSTS];

	if (!facts->serving && facts->trouble[0] != '\0')
		check_say(result, CHECK_CRITICAL, "mail waits: %s", facts->trouble);
	if (facts->serving && facts->workers_able == 0 && facts->waiting > 0)
		check_say(result, CHECK_WARNING, "no worker is there at the moment%s%s",
			facts->trouble[0] ? ": " : "", facts->trouble);
	check_say(result,
		check_limit_level(
			&facts->settings->check_limits, LIMIT_WORKER_DEATHS, deaths),
		"in the last hour %" PRIu64 " crashed, %" PRIu64
		" took too long, %" PRIu64 " were killed, and their host ended %" PRIu64
		" times: see the log",
		counts[HEALTH_CRASHES], counts[HEALTH_LATE], counts[HEALTH_KILLED],
		counts[HEALTH_HOSTS]);
	if (result->level != CHECK_OK)
		return;
	result->text[0] = '\0';
	if (!facts->serving)
		check_say(result, CHECK_OK, "signatures are being loaded");
	else if (facts->probed_ago_ms < 0)
		check_say(result, CHECK_OK, "the first of %" PRIu32 " is being tested",
			facts->workers_wanted);
	else
		check_say(result, CHECK_OK, "%" PRIu32 " of %" PRIu32 " serve",
			facts->workers_able, facts->workers_wanted);
}
