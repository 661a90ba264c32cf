/* SPDX-License-Identifier: ISC
 *
 * Do scans take too long? */
#include <inttypes.h>

#include "scanner/check.h"

enum {
	SCANS_LEAST = 5 /* a few slow ones say nothing of the others */
};

void check_times(const struct check_facts *facts, struct check_result *result)
{
	char text[CHECK_SPAN_MAX], size[CHECK_SPAN_MAX];
	uint64_t scans = 0;

	for (size_t i = 0; i < HEALTH_CLASSES; i++) {
		const struct health_times *times = &facts->times[i];
		enum check_level level;

		scans += times->scans;
		if (times->scans < SCANS_LEAST)
			continue;
		level = check_limit_level(
			&facts->settings->check_limits, LIMIT_SCAN_TIME, times->all.p95);
		if (health_class_max(i) > 0)
			(void)snprintf(size, sizeof(size), "to %" PRIu64 " KB",
				health_class_max(i) >> 10);
		else
			(void)snprintf(size, sizeof(size), "of more");
		if (level != CHECK_OK)
			check_say(result, level,
				"1 of 20 messages %s takes more than %s: more workers, or "
				"a faster machine?",
				size, check_span(times->all.p95, text));
	}
	if (scans == 0)
		check_say(result, CHECK_OK, "nothing was scanned in the last hour");
	check_say(result, CHECK_OK, "scans end in time");
}
