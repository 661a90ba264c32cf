/* SPDX-License-Identifier: ISC */
#include "scanner/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/parse.h"

enum {
	PROC_FILE_MAX = 64 * 1024,
	NUMBER_MAX = 24,
	MEMORY_PATH_MAX = 4096,
	GROUPS_MAX = 64, /* one in the other */
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

bool memory_line_is(const char *text, const char *name, const char *value)
{
	size_t name_len = strlen(name), value_len = strlen(value);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += line[0] == '\n';
		if (strncmp(line, name, name_len) != 0 || line[name_len] != ':')
			continue;
		line += name_len + 1;
		line += strspn(line, " \t");
		return strncmp(line, value, value_len) == 0 && line[value_len] == '\n';
	}
	return false;
}

/* A file that holds one number, or "max", which is false as one that is not there. */
static bool read_number(const char *folder, const char *name, uint64_t *value_r)
{
	char path[2 * MEMORY_PATH_MAX + 32];
	auto_buf struct buf file;
	const char *text;

	buf_init(&file, PROC_FILE_MAX);
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (file_read(path, NUMBER_MAX, &file, NULL) < 0)
		return false;
	while (file.len > 0 && file.data[file.len - 1] == '\n')
		file.len--;
	return buf_text(&file, &text, NULL) == 0 &&
	       parse_number(text, 0, UINT64_MAX, value_r, NULL) == 0;
}

/* What one group may still have. False: it has no limit. */
static bool group_left(const char *folder, uint64_t *left_r)
{
	uint64_t max, used, cached = 0;
	char path[2 * MEMORY_PATH_MAX + 32];
	auto_buf struct buf file;
	const char *text;

	if (!read_number(folder, "memory.max", &max) ||
		!read_number(folder, "memory.current", &used))
		return false;
	buf_init(&file, PROC_FILE_MAX);
	(void)snprintf(path, sizeof(path), "%s/memory.stat", folder);
	if (file_read(path, PROC_FILE_MAX - 1, &file, NULL) == 0 &&
		buf_text(&file, &text, NULL) == 0)
		(void)memory_count(text, "inactive_file", &cached);
	used = used > cached ? used - cached : 0;
	*left_r = max > used ? max - used : 0;
	return true;
}

/* The folder of our group, without the mount's; "" for the root or none. */
static void own_group(const char *root, char group_r[static MEMORY_PATH_MAX])
{
	char path[MEMORY_PATH_MAX];
	auto_buf struct buf file;
	const char *text, *line;
	size_t len;

	group_r[0] = '\0';
	buf_init(&file, PROC_FILE_MAX);
	(void)snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
	if (file_read(path, PROC_FILE_MAX - 1, &file, NULL) < 0 ||
		buf_text(&file, &text, NULL) < 0)
		return;
	for (line = text; line && strncmp(line, "0::/", 4) != 0;) {
		line = strchr(line, '\n');
		line += line ? 1 : 0;
	}
	len = line ? strcspn(line + 3, "\n") : 0;
	if (len > 1 && len < MEMORY_PATH_MAX / 2)
		(void)snprintf(group_r, MEMORY_PATH_MAX, "%.*s", (int)len, line + 3);
}

bool memory_left(const char *root, uint64_t *left_r, bool *limited_r)
{
	char group[MEMORY_PATH_MAX], path[2 * MEMORY_PATH_MAX];
	uint64_t left;
	char *slash;

	(void)snprintf(path, sizeof(path), "%s/proc/meminfo", root);
	if (!read_field(path, "MemAvailable", left_r))
		return false;
	*limited_r = false;
	own_group(root, group);
	for (int i = 0; i < GROUPS_MAX && group[0] != '\0'; i++) {
		(void)snprintf(path, sizeof(path), "%s/sys/fs/cgroup%s", root, group);
		if (group_left(path, &left) && left < *left_r) {
			*left_r = left;
			*limited_r = true;
		}
		slash = strrchr(group, '/');
		*slash = '\0';
	}
	return true;
}
