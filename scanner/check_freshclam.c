/* SPDX-License-Identifier: ISC
 *
 * Does somebody still look for new signatures? freshclam leaves traces of each look: its log, its own
 * file beside the signatures, and the sets it brings. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "scanner/check.h"
#include "scanner/signatures.h"

static void note(const char *path, int64_t *newest_s)
{
	struct stat file;

	if (stat(path, &file) == 0 && file.st_mtim.tv_sec > *newest_s)
		*newest_s = file.st_mtim.tv_sec;
}

/* Are ClamAV's own sets in this folder? */
static bool look(const char *folder, int64_t *newest_s)
{
	static const char *const names[] = { "daily.cvd", "daily.cld", "main.cvd",
		"main.cld" };
	char path[SIGNATURES_PATH_MAX];
	int64_t sets_s = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		note(path, &sets_s);
	}
	if (sets_s == 0)
		return false;
	(void)snprintf(path, sizeof(path), "%s/freshclam.dat", folder);
	note(path, &sets_s);
	if (sets_s > *newest_s)
		*newest_s = sets_s;
	return true;
}

void check_freshclam(const struct check_facts *facts, struct check_result *result)
{
	const struct schema_list *folders = &facts->settings->signatures;
	int64_t newest_s = 0, ago_ms;
	char ago[CHECK_SPAN_MAX];
	bool any = false;

	for (size_t i = 0; i < folders->count; i++)
		if (!signatures_is_test(folders->items[i]))
			any |= look(folders->items[i], &newest_s);
	if (!any) {
		check_say(result, CHECK_OK,
			"ClamAV's own sets are not here: nothing is expected of it");
		return;
	}
	note(facts->settings->freshclam_log, &newest_s);
	ago_ms = facts->wall_s > newest_s ? (facts->wall_s - newest_s) * 1000 : 0;
	check_say(result,
		check_limit_level(&facts->settings->check_limits, LIMIT_FRESHCLAM_AGE,
			(uint64_t)ago_ms),
		"freshclam was last seen %s ago (systemctl status clamav-freshclam)",
		check_span(ago_ms, ago));
}
