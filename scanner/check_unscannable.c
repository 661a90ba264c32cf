/* SPDX-License-Identifier: ISC
 *
 * Is too much of the mail unscannable? What is encrypted does not count: that is its sender's doing. */
#include <inttypes.h>

#include "scanner/check.h"

enum {
	VERDICTS_LEAST = 20 /* of fewer a share says nothing */
};

void check_unscannable(const struct check_facts *facts, struct check_result *result)
{
	const uint64_t *counts = facts->counts;
	uint64_t refused = counts[HEALTH_UNSCANNABLE] - counts[HEALTH_ENCRYPTED];
	uint64_t all = counts[HEALTH_CLEAN] + counts[HEALTH_INFECTED] +
		       counts[HEALTH_UNSCANNABLE];
	enum check_level level = CHECK_OK;

	if (all >= VERDICTS_LEAST)
		level = check_limit_level(&facts->settings->check_limits,
			LIMIT_UNSCANNABLE, refused * 100 / all);
	check_say(result, level,
		"%" PRIu64 " of %" PRIu64
		" messages of the last hour were unscannable, though not encrypted%s",
		refused, all,
		level == CHECK_OK ? "" : ": \"mailfilter status\" shows the reasons");
}
