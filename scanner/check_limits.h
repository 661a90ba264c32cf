/* SPDX-License-Identifier: ISC
 *
 * From where on a check warns, and from where on it is critical: presets in one table, and the setting
 * check-limits, whose items are "NAME WARNING CRITICAL" or "NAME off". */
#ifndef SCANNER_CHECK_LIMITS_H
#define SCANNER_CHECK_LIMITS_H

#include "common/checks.h"
#include "common/schema.h"

enum check_limit {
	LIMIT_SIGNATURES_AGE,  /* ms, of the newest set */
	LIMIT_SIGNATURES_LATE, /* ms, that others are on disk than serve */
	LIMIT_SIGNATURES_DROP, /* percent, that fewer are loaded than before */
	LIMIT_FRESHCLAM_AGE,   /* ms, since it looked for new ones */
	LIMIT_WORKER_DEATHS,   /* in the last hour */
	LIMIT_QUEUE_AGE,       /* ms, of the oldest that waits */
	LIMIT_SCAN_TIME,       /* ms, p95 from the last byte to the verdict */
	LIMIT_UNSCANNABLE,     /* percent of the last hour's verdicts */
	LIMIT_TEMP_LEFT,       /* bytes; from here on down, as the next two */
	LIMIT_TEMP_FILES,
	LIMIT_MEMORY_LEFT,      /* bytes */
	LIMIT_CLOCK_JUMP,       /* ms */
	LIMIT_SWEEP_LATE,       /* ms, that no pass ended when it should have */
	LIMIT_SWEEP_FOUND,      /* infected files */
	LIMIT_SWEEP_UNREADABLE, /* files and directories */
	LIMIT_SWEEP_DEATHS,     /* of its processes in the last hour */
	LIMIT_COUNT
};

/* Of the setting's list, or the preset. How bad is this value? */
enum check_level check_limit_level(
	const struct schema_list *items, enum check_limit limit, uint64_t value);

/* The table, for manual page and sample: name, and "WARNING CRITICAL" as it would be written. */
const char *check_limit_name(enum check_limit limit);
const char *check_limit_preset(enum check_limit limit);

/* An item of the setting: ERR_SETTINGS says what was expected. */
int check_limits_check(const char *item, struct err *err);

#endif
