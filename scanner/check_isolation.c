/* SPDX-License-Identifier: ISC
 *
 * Are the workers shut in? Not what was meant, but what the kernel says of those that serve: to us, or
 * where /proc hides them (ProtectProc=invisible in the unit) to themselves, in their self-test. */
#include <stdio.h>

#include "common/file.h"

#include "scanner/check.h"
#include "scanner/memory.h"

enum {
	STATUS_MAX = 16 * 1024
};

/* "Seccomp:\t2" in /proc/PID/status. */
static bool is_filtered(const char *status)
{
	return memory_line_is(status, "Seccomp", "2") &&
	       memory_line_is(status, "NoNewPrivs", "1");
}

void check_isolation(const struct check_facts *facts, struct check_result *result)
{
	unsigned looked = 0;

	for (size_t i = 0; i < facts->pid_count; i++) {
		auto_buf struct buf file;
		char path[64];
		const char *text;

		buf_init(&file, STATUS_MAX);
		(void)snprintf(
			path, sizeof(path), "/proc/%d/status", (int)facts->pids[i]);
		/* One that has ended meanwhile says nothing. */
		if (file_read(path, STATUS_MAX - 1, &file, NULL) < 0 ||
			buf_text(&file, &text, NULL) < 0)
			continue;
		looked++;
		if (!is_filtered(text) && facts->isolation[0] == '\0')
			check_say(result, CHECK_CRITICAL,
				"worker %d is not shut in (seccomp, no_new_privs): it could be "
				"taken over by a mail: restart the scanner",
				(int)facts->pids[i]);
	}
	if (facts->isolation[0] != '\0')
		check_say(result, CHECK_WARNING, "%s", facts->isolation);
	if (looked == 0 && facts->pid_count > 0)
		check_say(result, CHECK_OK,
			"the workers are shut in, as each of them found in its self-test; "
			"/proc does not show them");
	check_say(result, CHECK_OK, "the workers are shut in; %u of them were looked at",
		looked);
}
