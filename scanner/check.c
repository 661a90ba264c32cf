/* SPDX-License-Identifier: ISC */
#include "scanner/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

const struct check check_table[] = {
	{ "signatures", 5 * MINUTE, true, check_signatures },
	{ "freshclam", 10 * MINUTE, true, check_freshclam },
	{ "workers", 10 * SECOND, false, check_workers },
	{ "queue", 10 * SECOND, false, check_queue },
	{ "times", MINUTE, false, check_times },
	{ "unscannable", MINUTE, false, check_unscannable },
	{ "space", MINUTE, true, check_space },
	{ "memory", MINUTE, true, check_memory },
	{ "clock", 10 * SECOND, false, check_clock },
	{ "permissions", 10 * MINUTE, true, check_permissions },
	{ "isolation", 5 * MINUTE, true, check_isolation },
	{ "sweep", 10 * SECOND, false, check_sweep },
	{ "inspector", 10 * SECOND, false, check_inspector },
	{ 0 },
};

void check_say(
	struct check_result *result, enum check_level level, const char *format, ...)
{
	va_list args;

	if (result->text[0] != '\0' && level <= result->level)
		return;
	result->level = level;
	va_start(args, format);
	(void)vsnprintf(result->text, sizeof(result->text), format, args);
	va_end(args);
}

const char *check_span(int64_t ms, char text[static CHECK_SPAN_MAX])
{
	static const struct {
		int64_t ms;
		const char *name;
	} units[] = { { DAY, "day" }, { HOUR, "hour" }, { MINUTE, "minute" },
		{ SECOND, "second" } };
	size_t at = 0;
	int64_t count;

	/* Two of a unit at least, so that nothing is told too roughly. */
	while (at < 3 && ms < 2 * units[at].ms)
		at++;
	count = ms / units[at].ms;
	(void)snprintf(text, CHECK_SPAN_MAX, "%" PRId64 " %s%s", count, units[at].name,
		count == 1 ? "" : "s");
	return text;
}

void check_inspector(const struct check_facts *facts, struct check_result *result)
{
	char ago[CHECK_SPAN_MAX];

	if (facts->inspector[0] != '\0')
		check_say(result, CHECK_CRITICAL, "%s", facts->inspector);
	if (facts->inspector_died_ago_ms >= 0 &&
		facts->inspector_died_ago_ms < 5 * MINUTE)
		check_say(result, CHECK_WARNING, "the inspector ended on its own %s ago",
			check_span(facts->inspector_died_ago_ms, ago));
	check_say(result, CHECK_OK, "the checks run");
}
