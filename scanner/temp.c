/* SPDX-License-Identifier: ISC */
#include "scanner/temp.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/file.h"
#include "common/parse.h"

enum {
	INODES_SPARE = 1000,
	OTHERS_SHARE = 8 /* the part of all that may be others' where it is free */
};

/* Others could plant links in a folder they may write to, or read mail in one they may enter. */
static int check_owner(const char *dir, bool anybody, struct err *err)
{
	struct stat info;

	if (lstat(dir, &info) < 0)
		return err_errno(err, ERR_SETTINGS, "temp-dir %s", dir);
	if (!S_ISDIR(info.st_mode))
		return err_set(err, ERR_SETTINGS,
			"temp-dir %s: not a folder; give the scanner one of its own",
			dir);
	if ((info.st_uid != geteuid() && !anybody) ||
		(info.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return err_set(err, ERR_SETTINGS,
			"temp-dir %s: must belong to the scanner's user (uid %u) alone; "
			"remove it, or chown it to that user and chmod 0700",
			dir, (unsigned)geteuid());
	return 0;
}

int temp_check(const char *dir, struct err *err)
{
	if (strlen(dir) > TEMP_PATH_MAX - 64)
		return err_set(err, ERR_SETTINGS, "temp-dir: the path is too long");
	if (access(dir, F_OK) < 0 && (errno == ENOENT || errno == EACCES))
		return 0;
	return check_owner(dir, geteuid() == 0, err);
}

int temp_open(const char *dir, int *lock_r, struct err *err)
{
	char path[TEMP_PATH_MAX];

	if (temp_check(dir, err) < 0)
		return -1;
	if (file_mkdirs(dir, 0700, err) < 0)
		return err_wrap(err, "temp-dir");
	if (check_owner(dir, false, err) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/lock", dir);
	if (file_lock(path, lock_r, err) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_wrap(err,
			"temp-dir is in use: stop the other scanner, or give each a temp-dir "
			"of its own");
	return err_wrap(err, "temp-dir");
}

const char *temp_host_path(const char *dir, pid_t host, char path_r[static TEMP_PATH_MAX])
{
	(void)snprintf(path_r, TEMP_PATH_MAX, "%s/e.%d", dir, (int)host);
	return path_r;
}

const char *temp_worker_path(
	const char *dir, pid_t host, pid_t worker, char path_r[static TEMP_PATH_MAX])
{
	(void)snprintf(
		path_r, TEMP_PATH_MAX, "%s/e.%d/w.%d", dir, (int)host, (int)worker);
	return path_r;
}

/* A folder with all that is in it; of a link only the link itself. */
static int remove_any(const char *path, struct err *err)
{
	if (unlink(path) == 0 || errno == ENOENT)
		return 0;
	return file_remove_tree(path, true, err);
}

int temp_make(const char *path, struct err *err)
{
	if (remove_any(path, err) < 0)
		return -1;
	if (mkdir(path, 0700) < 0)
		return err_errno(err, ERR_AGAIN, "mkdir %s", path);
	return 0;
}

static bool kept(const char *name, const pid_t *keep, size_t keep_count)
{
	uint64_t pid;

	if (parse_number(name + 2, 1, INT32_MAX, &pid, NULL) < 0)
		return false;
	for (size_t i = 0; i < keep_count; i++)
		if ((pid_t)pid == keep[i])
			return true;
	return false;
}

int temp_sweep(const char *dir, const pid_t *keep, size_t keep_count, struct err *err)
{
	char path[TEMP_PATH_MAX];
	auto_closedir DIR *folder = opendir(dir);
	int result = 0;

	if (!folder)
		return err_errno(err, ERR_AGAIN, "%s", dir);
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		if (strncmp(entry->d_name, "e.", 2) != 0 ||
			kept(entry->d_name, keep, keep_count))
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) <
				(int)sizeof(path) &&
			remove_any(path, err) < 0)
			result = -1;
	}
	return result;
}

int temp_has_room(const char *dir, uint64_t bytes, struct err *err)
{
	struct statvfs room;
	uint64_t left;

	if (statvfs(dir, &room) < 0)
		return err_errno(err, ERR_AGAIN, "temp-dir %s", dir);
	left = (uint64_t)room.f_bavail * room.f_frsize;
	if (left < bytes)
		return err_set(err, ERR_AGAIN,
			"temp-dir %s: %" PRIu64 " MB left, %" PRIu64 " MB needed", dir,
			left >> 20, bytes >> 20);
	/* File systems that make inodes as they go report none at all. */
	if (room.f_files > 0 && room.f_favail < INODES_SPARE)
		return err_set(err, ERR_AGAIN, "temp-dir %s: room for %ju files only",
			dir, (uintmax_t)room.f_favail);
	return 0;
}

uint64_t temp_size(const char *dir)
{
	struct statvfs room;

	if (statvfs(dir, &room) < 0 || room.f_blocks == 0)
		return UINT64_MAX;
	return (uint64_t)room.f_blocks * room.f_frsize;
}

int temp_check_size(
	const char *dir, uint64_t message_max, uint64_t scan_size_max, struct err *err)
{
	uint64_t needed = temp_needed(message_max), size = temp_size(dir);

	if (needed < scan_size_max)
		needed = scan_size_max;
	if (size >= needed)
		return 0;
	return err_set(err, ERR_SETTINGS,
		"temp-dir %s: %" PRIu64 " MB in all, and one message may take %" PRIu64
		" MB there (message-max, scan-size-max): what does not fit is unscannable "
		"(limit)",
		dir, size >> 20, needed >> 20);
}

bool temp_is_free(const char *dir, uint64_t own)
{
	struct statvfs room;
	uint64_t used;

	if (statvfs(dir, &room) < 0)
		return false;
	used = (uint64_t)(room.f_blocks - room.f_bfree) * room.f_frsize;
	used = used > own ? used - own : 0;
	return used <= (uint64_t)room.f_blocks * room.f_frsize / OTHERS_SHARE &&
	       room.f_files - room.f_ffree <= room.f_files / OTHERS_SHARE;
}
