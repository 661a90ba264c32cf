/* SPDX-License-Identifier: ISC
 *
 * Is there room where others write for the scanner, and it for others: new signatures, the book and the
 * quarantine of the sweep, the metrics? */
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/statvfs.h>

#include "scanner/check.h"
#include "scanner/signatures.h"

/* Folders whose room was looked at, and the least of it. */
struct looked {
	unsigned folders;
	uint64_t least;
};

/* One that is not there is told of by whom it serves. */
static void look(const struct check_facts *facts, const char *path, const char *what,
	struct looked *looked, struct check_result *result)
{
	enum check_level level;
	struct statvfs room;
	uint64_t left;

	if (statvfs(path, &room) < 0 || (room.f_flag & ST_RDONLY) != 0)
		return;
	left = (uint64_t)room.f_bavail * room.f_frsize;
	if (looked->folders++ == 0 || left < looked->least)
		looked->least = left;
	level = check_limit_level(&facts->settings->check_limits, LIMIT_DISK_LEFT, left);
	if (level != CHECK_OK)
		check_say(result, level, "%.90s: %" PRIu64 " MB are left for %s", path,
			left >> 20, what);
}

void check_disk(const struct check_facts *facts, struct check_result *result)
{
	const struct settings *settings = facts->settings;
	struct looked looked = { 0 };
	char path[SIGNATURES_PATH_MAX];

	for (size_t i = 0; i < settings->signatures.count; i++)
		if (!signatures_is_test(settings->signatures.items[i]))
			look(facts, settings->signatures.items[i], "new signatures",
				&looked, result);
	if (settings->sweep.count > 0)
		look(facts, settings->sweep_state, "what the sweep remembers", &looked,
			result);
	if (settings->sweep.count > 0 && settings->sweep_quarantine)
		look(facts, settings->sweep_quarantine, "what the sweep moves", &looked,
			result);
	if (settings->metrics_file) {
		(void)snprintf(path, sizeof(path), "%s", settings->metrics_file);
		look(facts, dirname(path), "the metrics", &looked, result);
	}
	if (looked.folders == 0)
		check_say(result, CHECK_OK, "nothing is written outside of temp-dir");
	check_say(result, CHECK_OK, "%" PRIu64 " MB are left where least is",
		looked.least >> 20);
}
