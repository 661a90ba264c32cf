/* SPDX-License-Identifier: ISC */
#include "mailfilter/room.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/defer.h"
#include "common/file.h"

static int look(
	const struct statvfs *space, const char *path, uint64_t *room_r, struct err *err)
{
	const uint64_t free_bytes = (uint64_t)space->f_bavail * space->f_frsize;

	if (space->f_flag & ST_RDONLY)
		return err_set(err, ERR_AGAIN,
			"the file system of %.300s is read-only: mount it for writing",
			path);
	if (free_bytes < ROOM_LEAST)
		return err_set(err, ERR_AGAIN,
			"the file system of %.300s is full (%" PRIu64
			" bytes are free): make room there",
			path, free_bytes);
	/* File systems without a fixed number of them say 0 of both. */
	if (space->f_files > 0 && space->f_favail == 0)
		return err_set(err, ERR_AGAIN,
			"the file system of %.300s has no inode left: remove files there",
			path);
	*room_r = free_bytes - ROOM_LEAST;
	return 0;
}

static int write_probe(int fd)
{
	static const char zeros[ROOM_PROBE];
	const ssize_t written = write(fd, zeros, sizeof(zeros));

	if (written >= 0 && written < (ssize_t)sizeof(zeros))
		errno = ENOSPC;
	return written == (ssize_t)sizeof(zeros) ? fsync(fd) : -1;
}

int room_ask(
	int dir, const char *path, const char *name, uint64_t *room_r, struct err *err)
{
	auto_close int fd = -1;
	struct statvfs space;
	uint64_t room;
	int failed;

	if (fstatvfs(dir, &space) < 0)
		return err_errno(
			err, file_err_kind(errno), "cannot look at %.300s", path);
	if (look(&space, path, &room, err) < 0)
		return -1;
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		S_IRUSR | S_IWUSR);
	if (fd < 0)
		return err_errno(
			err, file_err_kind(errno), "cannot make a file in %.300s", path);
	failed = write_probe(fd) < 0 ? errno : 0;
	(void)unlinkat(dir, name, 0);
	errno = failed;
	if (failed)
		return err_errno(
			err, file_err_kind(errno), "cannot write into %.300s", path);
	*room_r = room;
	return 0;
}

int room_of_file(const char *path, uint64_t *room_r, struct err *err)
{
	auto_free char *place = strdup(path);
	struct statvfs space;
	char *slash;

	if (!place)
		return err_memory(err);
	slash = strrchr(place, '/');
	if (access(place, F_OK) == 0) {
		if (access(place, W_OK) < 0)
			return err_errno(err, file_err_kind(errno),
				"cannot write into %.300s", path);
	} else if (slash && slash != place) {
		*slash = '\0';
	}
	if (statvfs(place, &space) < 0)
		return err_errno(
			err, file_err_kind(errno), "cannot look at %.300s", path);
	return look(&space, path, room_r, err);
}
