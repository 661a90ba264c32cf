/* SPDX-License-Identifier: ISC
 *
 * A check, its made-up facts, and a folder for what it looks at. */
#ifndef TESTS_SCANNER_CHECKED_H
#define TESTS_SCANNER_CHECKED_H

#include "tests/test.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"

#include "scanner/check.h"

#define NOW INT64_C(1800000000)

#define HOUR_S INT64_C(3600)
#define DAY_S  (24 * HOUR_S)

enum {
	CHECKED_PATH = 160,
};

struct checked {
	char folder[64], limit[64], test[8];
	char *limits[4], *signatures[4], *listen[4], *alert[4];
	struct settings settings;
	struct check_facts facts;
	struct check_result result;
};

static inline void checked_start(struct checked *at)
{
	*at = (struct checked){ .folder = "/tmp/test-check-XXXXXX", .test = "test" };
	assert_non_null(mkdtemp(at->folder));
	at->settings.temp_dir = at->folder;
	at->settings.check_limits.items = at->limits;
	at->settings.signatures = (struct schema_list){ at->signatures, 1 };
	at->settings.listen.items = at->listen;
	at->settings.on_alert.items = at->alert;
	at->settings.freshclam_log = at->folder;
	at->settings.check_interval_ms = 600000;
	at->signatures[0] = at->folder;
	at->facts = (struct check_facts){ .settings = &at->settings,
		.wall_s = NOW,
		.newer_for_ms = -1,
		.jumped_ago_ms = -1,
		.probed_ago_ms = -1,
		.test_passed_ago_ms = -1,
		.test_failed_ago_ms = -1,
		.test_wrong_ago_ms = -1,
		.inspector_died_ago_ms = -1 };
}

static inline void checked_stop(struct checked *at)
{
	assert_int_equal(file_remove_tree(at->folder, true, NULL), 0);
}

static inline void limit_is(struct checked *at, const char *item)
{
	(void)snprintf(at->limit, sizeof(at->limit), "%s", item);
	at->limits[0] = at->limit;
	at->settings.check_limits.count = 1;
}

static inline char *in_folder(
	const struct checked *at, const char *name, char path_r[static CHECKED_PATH])
{
	(void)snprintf(path_r, CHECKED_PATH, "%s/%s", at->folder, name);
	return path_r;
}

static inline void put(
	const struct checked *at, const char *name, const char *text, int64_t written_s)
{
	const struct timespec times[2] = { { .tv_sec = written_s },
		{ .tv_sec = written_s } };
	char path[CHECKED_PATH];

	(void)in_folder(at, name, path);
	assert_int_equal(file_replace(path, span_str(text), 0600, NULL), 0);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* What it says now, and that it says so in words like these. */
static inline void says(struct checked *at,
	void (*run)(const struct check_facts *, struct check_result *),
	enum check_level level, const char *words)
{
	at->result = (struct check_result){ 0 };
	run(&at->facts, &at->result);
	if (at->result.level != level || !strstr(at->result.text, words))
		fail_msg("expected %s: ...%s..., got %s: %s", check_level_name(level),
			words, check_level_name(at->result.level), at->result.text);
}

#endif
