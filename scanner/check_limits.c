/* SPDX-License-Identifier: ISC */
#include "scanner/check_limits.h"

#include <stdio.h>
#include <string.h>

#include "common/parse.h"

enum {
	VALUE_TEXT_MAX = 64,
	PERCENT_MAX = 100,
	COUNT_MAX = 1000 * 1000 * 1000,
};

#define AGE_MAX_MS (INT64_C(3650) * 24 * 3600 * 1000)
#define BYTES_MAX  (UINT64_C(1) << 50)

enum unit {
	UNIT_TIME,
	UNIT_PERCENT,
	UNIT_COUNT,
	UNIT_BYTES
};

static const struct {
	const char *name;
	const char *preset;
	enum unit unit;
	bool down; /* less is worse */
} table[LIMIT_COUNT] = {
	[LIMIT_SIGNATURES_AGE] = { "signatures-age", "2d 7d", UNIT_TIME, false },
	[LIMIT_SIGNATURES_LATE] = { "signatures-late", "30m 1d", UNIT_TIME, false },
	[LIMIT_SIGNATURES_DROP] = { "signatures-drop", "10% 50%", UNIT_PERCENT, false },
	[LIMIT_FRESHCLAM_AGE] = { "freshclam-age", "1d 7d", UNIT_TIME, false },
	[LIMIT_WORKER_DEATHS] = { "worker-deaths", "3 30", UNIT_COUNT, false },
	[LIMIT_QUEUE_AGE] = { "queue-age", "1m 10m", UNIT_TIME, false },
	[LIMIT_SCAN_TIME] = { "scan-time", "30s 2m", UNIT_TIME, false },
	[LIMIT_UNSCANNABLE] = { "unscannable", "10% 50%", UNIT_PERCENT, false },
	[LIMIT_TEMP_LEFT] = { "temp-left", "200M 32M", UNIT_BYTES, true },
	[LIMIT_TEMP_FILES] = { "temp-files", "5000 1000", UNIT_COUNT, true },
	[LIMIT_MEMORY_LEFT] = { "memory-left", "128M 32M", UNIT_BYTES, true },
	[LIMIT_CLOCK_JUMP] = { "clock-jump", "10s 1h", UNIT_TIME, false },
	[LIMIT_SWEEP_LATE] = { "sweep-late", "2d 7d", UNIT_TIME, false },
	[LIMIT_SWEEP_FOUND] = { "sweep-found", "0 50", UNIT_COUNT, false },
	[LIMIT_SWEEP_UNREADABLE] = { "sweep-unreadable", "0 100000", UNIT_COUNT, false },
	[LIMIT_SWEEP_DEATHS] = { "sweep-deaths", "3 30", UNIT_COUNT, false },
};

static int parse_percent(const char *text, uint64_t *value_r, struct err *err)
{
	size_t len = strlen(text);
	char digits[VALUE_TEXT_MAX];

	if (len < 2 || text[len - 1] != '%')
		return err_set(err, ERR_SETTINGS, "expected a share such as 10%%");
	memcpy(digits, text, len - 1);
	digits[len - 1] = '\0';
	return parse_number(digits, 0, PERCENT_MAX, value_r, err);
}

/* text is shorter than VALUE_TEXT_MAX. */
static int parse_value(
	enum unit unit, const char *text, uint64_t *value_r, struct err *err)
{
	int64_t ms;

	switch (unit) {
	case UNIT_TIME:
		if (parse_duration(text, AGE_MAX_MS, &ms, err) < 0)
			return -1;
		*value_r = (uint64_t)ms;
		return 0;
	case UNIT_PERCENT:
		return parse_percent(text, value_r, err);
	case UNIT_COUNT:
		return parse_number(text, 0, COUNT_MAX, value_r, err);
	case UNIT_BYTES:
		return parse_size(text, BYTES_MAX, value_r, err);
	}
	return -1;
}

struct pair {
	bool off;
	uint64_t warning, critical;
};

/* The next word of text, which is moved behind it; false: none, or too long. */
static bool next_word(const char **text, char word[static VALUE_TEXT_MAX])
{
	const char *start = *text + strspn(*text, " \t");
	size_t len = strcspn(start, " \t");

	if (len == 0 || len >= VALUE_TEXT_MAX)
		return false;
	memcpy(word, start, len);
	word[len] = '\0';
	*text = start + len;
	return true;
}

/* "WARNING CRITICAL" or "off". */
static int parse_pair(
	enum check_limit limit, const char *text, struct pair *pair_r, struct err *err)
{
	char first[VALUE_TEXT_MAX], second[VALUE_TEXT_MAX];
	struct pair pair = { 0 };

	if (!next_word(&text, first))
		return err_set(err, ERR_SETTINGS,
			"expected two limits, such as \"%s %s\", or off",
			table[limit].name, table[limit].preset);
	if (strcmp(first, "off") == 0 && text[strspn(text, " \t")] == '\0') {
		pair_r->off = true;
		return 0;
	}
	if (!next_word(&text, second) || text[strspn(text, " \t")] != '\0')
		return err_set(err, ERR_SETTINGS,
			"expected two limits, such as \"%s %s\", or off",
			table[limit].name, table[limit].preset);
	if (parse_value(table[limit].unit, first, &pair.warning, err) < 0 ||
		parse_value(table[limit].unit, second, &pair.critical, err) < 0)
		return -1;
	if (table[limit].down ? pair.critical > pair.warning
			      : pair.critical < pair.warning)
		return err_set(err, ERR_SETTINGS,
			"expected the warning before what is critical");
	*pair_r = pair;
	return 0;
}

/* Which limit, and what stands behind its name; LIMIT_COUNT: none of ours. */
static enum check_limit find(const char *item, const char **rest_r)
{
	char name[VALUE_TEXT_MAX];

	*rest_r = item;
	if (!next_word(rest_r, name))
		return LIMIT_COUNT;
	for (enum check_limit i = 0; i < LIMIT_COUNT; i++)
		if (strcmp(name, table[i].name) == 0)
			return i;
	return LIMIT_COUNT;
}

enum check_level check_limit_level(
	const struct schema_list *items, enum check_limit limit, uint64_t value)
{
	const char *text = table[limit].preset, *rest;
	struct pair pair = { .off = true };

	for (size_t i = 0; i < items->count; i++)
		if (find(items->items[i], &rest) == limit)
			text = rest;
	if (parse_pair(limit, text, &pair, NULL) < 0 || pair.off)
		return CHECK_OK;
	if (table[limit].down)
		return value < pair.critical  ? CHECK_CRITICAL
		       : value < pair.warning ? CHECK_WARNING
					      : CHECK_OK;
	return value > pair.critical  ? CHECK_CRITICAL
	       : value > pair.warning ? CHECK_WARNING
				      : CHECK_OK;
}

const char *check_limit_name(enum check_limit limit)
{
	return table[limit].name;
}

const char *check_limit_preset(enum check_limit limit)
{
	return table[limit].preset;
}

int check_limits_check(const char *item, struct err *err)
{
	struct pair pair;
	const char *rest;
	enum check_limit limit = find(item, &rest);

	if (limit == LIMIT_COUNT)
		return err_set(err, ERR_SETTINGS,
			"\"%.80s\": expected a limit such as \"signatures-age 2d 7d\"",
			item);
	if (parse_pair(limit, rest, &pair, err) < 0)
		return err_wrap(err, "\"%.80s\"", item);
	return 0;
}
