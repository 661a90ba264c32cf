/* SPDX-License-Identifier: ISC */
#include "scanner/space.h"

#include <sys/statvfs.h>
#include <unistd.h>

enum {
	INODES_SPARE = 256,
	BYTES_FULL = 256 * 1024,
	INODES_FULL = 8,
};

static bool has(const char *dir, uint64_t bytes, uint64_t inodes)
{
	struct statvfs space;

	if (statvfs(dir, &space) < 0 || access(dir, W_OK | X_OK) < 0)
		return false;
	/* Filesystems without a fixed number of inodes report 0 of 0. */
	return (uint64_t)space.f_bavail * space.f_frsize >= bytes &&
	       (space.f_files == 0 || space.f_favail >= inodes);
}

bool space_for(const char *dir, uint64_t message_size)
{
	return has(dir, message_size + SPACE_SPARE, INODES_SPARE);
}

bool space_is_out(const char *dir)
{
	return !has(dir, BYTES_FULL, INODES_FULL);
}
