/* SPDX-License-Identifier: ISC */
#include "common/parse.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

/* Reads digits up to the first other character; 0 if there is none or it overflows. */
static size_t digits(const char *text, uint64_t *number_r)
{
	uint64_t number = 0;
	size_t i;

	for (i = 0; text[i] >= '0' && text[i] <= '9'; i++) {
		uint64_t digit = (uint64_t)(text[i] - '0');
		if (number > (UINT64_MAX - digit) / 10)
			return 0;
		number = number * 10 + digit;
	}
	*number_r = number;
	return i;
}

int parse_number(
	const char *text, uint64_t min, uint64_t max, uint64_t *number_r, struct err *err)
{
	uint64_t number;
	size_t used = digits(text, &number);

	if (used == 0 || text[used] != '\0' || number < min || number > max)
		return err_set(err, ERR_SETTINGS,
			"\"%.40s\": expected a number from %" PRIu64 " to %" PRIu64, text,
			min, max);
	*number_r = number;
	return 0;
}

struct unit {
	const char *name;
	uint64_t factor;
};

/* The number times its unit; false if the form is wrong or the product passes max. */
static bool with_unit(
	const char *text, const struct unit *units, uint64_t max, uint64_t *value_r)
{
	uint64_t number;
	size_t used = digits(text, &number);

	if (used == 0)
		return false;
	for (; units->name; units++) {
		if (strcmp(text + used, units->name) != 0)
			continue;
		if (number > max / units->factor)
			return false;
		*value_r = number * units->factor;
		return true;
	}
	return false;
}

int parse_size(const char *text, uint64_t max, uint64_t *bytes_r, struct err *err)
{
	static const struct unit units[] = { { "", 1 }, { "K", 1U << 10 },
		{ "M", 1U << 20 }, { "G", 1U << 30 }, { NULL, 0 } };

	if (with_unit(text, units, max, bytes_r))
		return 0;
	return err_set(err, ERR_SETTINGS,
		"\"%.40s\": expected a size such as 500K, 50M or 2G, at most %" PRIu64
		" bytes",
		text, max);
}

int parse_duration(const char *text, int64_t max_ms, int64_t *ms_r, struct err *err)
{
	static const struct unit units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 },
		{ "h", 3600000 }, { "d", 86400000 }, { NULL, 0 } };
	uint64_t ms;

	if (with_unit(text, units, (uint64_t)max_ms, &ms)) {
		*ms_r = (int64_t)ms;
		return 0;
	}
	return err_set(err, ERR_SETTINGS,
		"\"%.40s\": expected a time such as 30s, 5m or 7d, at most %" PRId64 " s",
		text, max_ms / 1000);
}
