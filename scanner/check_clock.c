/* SPDX-License-Identifier: ISC
 *
 * Does the wall clock tell the time? The age of signatures and the names of mails hang on it. */
#include <inttypes.h>

#include "scanner/check.h"

#define YEAR_2020 INT64_C(1577836800)

void check_clock(const struct check_facts *facts, struct check_result *result)
{
	uint64_t jump = (uint64_t)(facts->jump_ms < 0 ? -facts->jump_ms : facts->jump_ms);
	enum check_level level;
	char text[CHECK_SPAN_MAX], ago[CHECK_SPAN_MAX];

	if (facts->wall_s < YEAR_2020)
		check_say(result, CHECK_CRITICAL,
			"the clock of this machine is before 2020: set it (systemd-timesyncd, "
			"chrony)");
	if (facts->jumped_ago_ms >= 0 &&
		facts->jumped_ago_ms < check_news_ms(facts->settings)) {
		level = check_limit_level(
			&facts->settings->check_limits, LIMIT_CLOCK_JUMP, jump);
		if (level != CHECK_OK)
			check_say(result, level,
				"the clock of this machine jumped %s by %s, %s ago",
				facts->jump_ms < 0 ? "back" : "ahead",
				check_span((int64_t)jump, text),
				check_span(facts->jumped_ago_ms, ago));
	}
	check_say(result, CHECK_OK, "the clock does not jump");
}
