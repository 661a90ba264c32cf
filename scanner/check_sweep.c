/* SPDX-License-Identifier: ISC
 *
 * Does the sweep of directories get on, and what did it find? */
#include <inttypes.h>

#include "scanner/check.h"

/* Of the present pass and the last full one, what is worse: one that has just begun knows of nothing. */
static uint64_t worst(const struct swept *swept, uint64_t now, uint64_t last)
{
	return swept_rests(swept) || now > last ? now : last;
}

/* Since when a full pass should have ended; the first is not expected to be quick. */
static int64_t late_ms(const struct check_facts *facts)
{
	const struct swept *swept = &facts->swept;
	int64_t late;

	if (swept->pass == 0)
		return facts->up_ms;
	if (swept->last.ended_s == 0)
		late = (facts->wall_s - swept->now.began_s) * 1000;
	else
		late = (facts->wall_s - swept->last.ended_s) * 1000 -
		       facts->settings->sweep_interval_ms;
	return late > 0 ? late : 0;
}

static void say_count(const struct check_facts *facts, struct check_result *result,
	enum check_limit limit, uint64_t count, const char *what)
{
	enum check_level level =
		check_limit_level(&facts->settings->check_limits, limit, count);

	if (level != CHECK_OK)
		check_say(result, level, "%" PRIu64 " %s", count, what);
}

static void say_late(const struct check_facts *facts, struct check_result *result)
{
	int64_t late = late_ms(facts);
	enum check_level level = check_limit_level(
		&facts->settings->check_limits, LIMIT_SWEEP_LATE, (uint64_t)late);
	char text[CHECK_SPAN_MAX];

	if (level == CHECK_OK)
		return;
	if (facts->swept.last.ended_s == 0)
		check_say(result, level,
			"no pass has ended yet, for %s: is there always mail, or is "
			"sweep-rate too low?",
			check_span(late, text));
	else
		check_say(result, level,
			"the next pass should have ended %s ago: is there always mail, or "
			"is sweep-rate too low?",
			check_span(late, text));
}

static void say_well(const struct check_facts *facts, struct check_result *result)
{
	const struct swept *swept = &facts->swept;
	int64_t ago = (facts->wall_s - swept->last.ended_s) * 1000;
	char text[CHECK_SPAN_MAX];

	if (swept->pass == 0)
		check_say(result, CHECK_OK, "no pass has begun yet");
	else if (swept->last.ended_s == 0)
		check_say(result, CHECK_OK,
			"the first pass is at work: %" PRIu64 " files so far, %" PRIu64
			" of them infected",
			swept->now.files, swept->now.infected);
	else
		check_say(result, CHECK_OK,
			"the last full pass ended %s ago: %" PRIu64 " files, %" PRIu64
			" of them infected",
			check_span(ago > 0 ? ago : 0, text), swept->last.files,
			swept->last.infected);
}

void check_sweep(const struct check_facts *facts, struct check_result *result)
{
	const struct swept *swept = &facts->swept;

	if (!swept->on) {
		check_say(result, CHECK_OK, "no directories are named to be swept");
		return;
	}
	if (swept->trouble[0] != '\0')
		check_say(result, CHECK_CRITICAL, "%.190s", swept->trouble);
	say_count(facts, result, LIMIT_SWEEP_FOUND,
		worst(swept, swept->now.infected, swept->last.infected),
		"found infected: mailfilter-scanner --sweep-report says where");
	say_count(facts, result, LIMIT_SWEEP_DEATHS, facts->counts[HEALTH_SWEEP],
		"of its processes died in the last hour: see the log");
	say_late(facts, result);
	say_count(facts, result, LIMIT_SWEEP_UNREADABLE,
		worst(swept, swept->now.unreadable, swept->last.unreadable),
		"could not be read, files or directories: see the log, and \"The sweep\" "
		"in mailfilter-scanner(8)");
	say_well(facts, result);
}
