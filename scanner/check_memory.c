/* SPDX-License-Identifier: ISC
 *
 * Is there memory, on this machine and within the limits that are set for the scanner? */
#include <inttypes.h>

#include "scanner/check.h"
#include "scanner/memory.h"

void check_memory(const struct check_facts *facts, struct check_result *result)
{
	uint64_t left;
	bool limited;

	if (!memory_left("", &left, &limited)) {
		check_say(result, CHECK_OK, "this machine does not say what is left");
		return;
	}
	check_say(result,
		check_limit_level(
			&facts->settings->check_limits, LIMIT_MEMORY_LEFT, left),
		"%" PRIu64 " MB are left, %s", left >> 20,
		limited ? "by the limit of its service or container" : "on this machine");
}
