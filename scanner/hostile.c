/* SPDX-License-Identifier: ISC */
#include "scanner/hostile.h"

#include <inttypes.h>
#include <stdbool.h>

#include "common/clock.h"
#include "common/log.h"

/* May it be told now? Then how many are new goes to *fresh_r, and counts as told. */
static bool may_tell(struct hostile_told *told, uint64_t count, uint64_t *fresh_r)
{
	int64_t now = clock_ms();

	if (count == told->count || (told->at != 0 && now - told->at < HOSTILE_LOG_MS))
		return false;
	*fresh_r = count - told->count;
	*told = (struct hostile_told){ .at = now, .count = count };
	return true;
}

void hostile_message(struct hostile *hostile, const char *why)
{
	uint64_t fresh;

	hostile->malformed++;
	if (may_tell(&hostile->malformed_told, hostile->malformed, &fresh))
		log_warning(
			"malformed=%" PRIu64 " from clients, the last: %s", fresh, why);
}

void hostile_connections(struct hostile *hostile, uint64_t count, const char *why)
{
	char text[LOG_TEXT_MAX];
	uint64_t fresh;

	hostile->refused = count;
	if (may_tell(&hostile->refused_told, count, &fresh))
		log_warning("refused=%" PRIu64 " connections, the last: %s", fresh,
			log_value(span_str(why), text));
}
