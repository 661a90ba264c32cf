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
	bool limited;

	(void)snprintf(status, sizeof(status), "/proc/%d/status", (int)pid);
	if (!memory_left("", &available, &limited) ||
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

/* A version of control groups: where they are, and how their files are called. */
struct hierarchy {
	const char *controller; /* in /proc/self/cgroup; version 2 has none there */
	const char *mount, *max, *used, *cached;
};

static const struct hierarchy hierarchies[] = {
	{ "", "/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file" },
	{ "memory", "/sys/fs/cgroup/memory", "memory.limit_in_bytes",
		"memory.usage_in_bytes", "total_inactive_file" },
};

/* What one group may still have. False: it has no limit. */
static bool group_left(
	const struct hierarchy *hierarchy, const char *folder, uint64_t *left_r)
{
	uint64_t max, used, cached = 0;
	char path[2 * MEMORY_PATH_MAX + 32];
	auto_buf struct buf file;
	const char *text;

	if (!read_number(folder, hierarchy->max, &max) ||
		!read_number(folder, hierarchy->used, &used))
		return false;
	buf_init(&file, PROC_FILE_MAX);
	(void)snprintf(path, sizeof(path), "%s/memory.stat", folder);
	if (file_read(path, PROC_FILE_MAX - 1, &file, NULL) == 0 &&
		buf_text(&file, &text, NULL) == 0)
		(void)memory_count(text, hierarchy->cached, &cached);
	used = used > cached ? used - cached : 0;
	*left_r = max > used ? max - used : 0;
	return true;
}

/* Is this one of the words, with ',' between? No word is in an empty list, but the empty one. */
static bool has_word(const char *list, size_t len, const char *word)
{
	size_t word_len = strlen(word);

	for (size_t at = 0; at <= len;) {
		const char *comma = memchr(list + at, ',', len - at);
		size_t item = comma ? (size_t)(comma - list) - at : len - at;

		if (item == word_len && memcmp(list + at, word, item) == 0)
			return true;
		at += item + 1;
	}
	return false;
}

/* The path in a line "4:cpu,memory:/path" for this controller, or NULL. */
static const char *group_path(const char *line, const char *controller)
{
	size_t number = strspn(line, "0123456789");
	const char *list = line + number + 1;
	size_t len;

	if (number == 0 || line[number] != ':')
		return NULL;
	len = strcspn(list, ":\n");
	if (list[len] != ':' || !has_word(list, len, controller))
		return NULL;
	return list[len + 1] == '/' ? list + len + 1 : NULL;
}

/* The folder of our group, without the mount's: "" for the root. False: in none. */
static bool own_group(const char *root, const struct hierarchy *hierarchy,
	char group_r[static MEMORY_PATH_MAX])
{
	char path[MEMORY_PATH_MAX];
	auto_buf struct buf file;
	const char *text, *found = NULL;
	size_t len;

	buf_init(&file, PROC_FILE_MAX);
	(void)snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
	if (file_read(path, PROC_FILE_MAX - 1, &file, NULL) < 0 ||
		buf_text(&file, &text, NULL) < 0)
		return false;
	for (const char *line = text; line && !found; line = strchr(line, '\n')) {
		line += line[0] == '\n';
		found = group_path(line, hierarchy->controller);
	}
	len = found ? strcspn(found, "\n") : 0;
	if (len == 0 || len >= MEMORY_PATH_MAX / 2)
		return false;
	(void)snprintf(group_r, MEMORY_PATH_MAX, "%.*s", len > 1 ? (int)len : 0, found);
	return true;
}

/* From our group to the root, which in a container is the group of the container, and has a limit. */
static void limit_by_groups(const char *root, const struct hierarchy *hierarchy,
	uint64_t *left, bool *limited)
{
	char group[MEMORY_PATH_MAX], path[2 * MEMORY_PATH_MAX];
	uint64_t group_has;
	char *slash;

	if (!own_group(root, hierarchy, group))
		return;
	for (int i = 0; i < GROUPS_MAX; i++) {
		(void)snprintf(
			path, sizeof(path), "%s%s%s", root, hierarchy->mount, group);
		if (group_left(hierarchy, path, &group_has) && group_has < *left) {
			*left = group_has;
			*limited = true;
		}
		slash = strrchr(group, '/');
		if (!slash)
			return;
		*slash = '\0';
	}
}

bool memory_left(const char *root, uint64_t *left_r, bool *limited_r)
{
	char path[2 * MEMORY_PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/proc/meminfo", root);
	if (!read_field(path, "MemAvailable", left_r))
		return false;
	*limited_r = false;
	for (size_t i = 0; i < sizeof(hierarchies) / sizeof(*hierarchies); i++)
		limit_by_groups(root, &hierarchies[i], left_r, limited_r);
	return true;
}
