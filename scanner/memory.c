/* SPDX-License-Identifier: ISC */
#include "scanner/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/parse.h"

enum {
	PROC_FILE_MAX = 64 * 1024,
	NUMBER_MAX = 24
};

/* What stands behind the name, at the start of a line, and is a number of at most this. Returns what
 * follows it, or NULL. */
static const char *find(const char *text, const char *name, char separator, uint64_t max,
	uint64_t *value_r)
{
	size_t len = strlen(name), digits;
	char number[NUMBER_MAX];

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += line[0] == '\n';
		if (strncmp(line, name, len) != 0 || line[len] != separator)
			continue;
		line += len + 1;
		line += strspn(line, " \t");
		digits = strspn(line, "0123456789");
		if (digits >= NUMBER_MAX)
			return NULL;
		memcpy(number, line, digits);
		number[digits] = '\0';
		return parse_number(number, 0, max, value_r, NULL) < 0 ? NULL
								       : line + digits;
	}
	return NULL;
}

bool memory_field(const char *text, const char *name, uint64_t *bytes_r)
{
	uint64_t kb;
	const char *end = find(text, name, ':', UINT64_MAX / 1024, &kb);

	if (!end || strncmp(end, " kB\n", 4) != 0)
		return false;
	*bytes_r = kb * 1024;
	return true;
}

bool memory_count(const char *text, const char *name, uint64_t *count_r)
{
	uint64_t count;
	const char *end = find(text, name, ' ', UINT64_MAX, &count);

	if (!end || end[0] != '\n')
		return false;
	*count_r = count;
	return true;
}

bool memory_ran_out(uint64_t *seen)
{
	auto_buf struct buf file;
	uint64_t before = *seen, count;
	const char *text;

	buf_init(&file, PROC_FILE_MAX);
	if (file_read("/proc/vmstat", PROC_FILE_MAX - 1, &file, NULL) < 0 ||
		buf_text(&file, &text, NULL) < 0 ||
		!memory_count(text, "oom_kill", &count))
		return true;
	/* One more, so that none at all is not as if it had never been asked. */
	*seen = count + 1;
	return before != 0 && before != *seen;
}

static bool read_field(const char *path, const char *name, uint64_t *bytes_r)
{
	auto_buf struct buf file;
	const char *text;

	buf_init(&file, PROC_FILE_MAX);
	return file_read(path, PROC_FILE_MAX - 1, &file, NULL) == 0 &&
	       buf_text(&file, &text, NULL) == 0 && memory_field(text, name, bytes_r);
}

bool memory_has_room_beside(pid_t pid)
{
	uint64_t available, resident, swapped = 0;
	char status[64];

	(void)snprintf(status, sizeof(status), "/proc/%d/status", (int)pid);
	if (!read_field("/proc/meminfo", "MemAvailable", &available) ||
		!read_field(status, "VmRSS", &resident))
		return true;
	(void)read_field(status, "VmSwap", &swapped);
	return available >= resident + swapped + ((uint64_t)MEMORY_RESERVE_MB << 20);
}
