/* SPDX-License-Identifier: ISC
 *
 * Is there room to unpack into? */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>

#include "scanner/check.h"

void check_space(const struct check_facts *facts, struct check_result *result)
{
	const struct schema_list *limits = &facts->settings->check_limits;
	const char *dir = facts->settings->temp_dir;
	struct statvfs room;
	uint64_t left;

	if (statvfs(dir, &room) < 0) {
		check_say(result, CHECK_CRITICAL, "temp-dir %.80s: %s: mail waits", dir,
			strerror(errno));
		return;
	}
	left = (uint64_t)room.f_bavail * room.f_frsize;
	/* File systems that make inodes as they go report none at all. */
	if (room.f_files > 0)
		check_say(result,
			check_limit_level(limits, LIMIT_TEMP_FILES, room.f_favail),
			"temp-dir %.80s: room for %ju files is left: remove what is not "
			"the scanner's",
			dir, (uintmax_t)room.f_favail);
	if (result->level == CHECK_OK)
		result->text[0] = '\0';
	check_say(result, check_limit_level(limits, LIMIT_TEMP_LEFT, left),
		"temp-dir %.80s: %" PRIu64 " of %" PRIu64 " MB are left", dir, left >> 20,
		((uint64_t)room.f_blocks * room.f_frsize) >> 20);
}
