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

bool memory_field(const char *text, const char *name, uint64_t *bytes_r)
{
	size_t len = strlen(name), digits;
	char number[NUMBER_MAX];
	uint64_t kb;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += line[0] == '\n';
		if (strncmp(line, name, len) != 0 || line[len] != ':')
			continue;
		line += len + 1;
		line += strspn(line, " \t");
		digits = strspn(line, "0123456789");
		if (digits >= NUMBER_MAX || strncmp(line + digits, " kB\n", 4) != 0)
			return false;
		memcpy(number, line, digits);
		number[digits] = '\0';
		if (parse_number(number, 0, UINT64_MAX / 1024, &kb, NULL) < 0)
			return false;
		*bytes_r = kb * 1024;
		return true;
	}
	return false;
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
