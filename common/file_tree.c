/* SPDX-License-Identifier: ISC
 *
 * Removing a tree that another process may have left in any shape. No descent: a folder inside
 * a folder is moved up beside it and removed in its turn, so depth costs neither stack nor
 * descriptors, and no path is ever walked twice. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"

struct removal {
	int top;        /* the directory being emptied */
	unsigned moved; /* folders moved up so far: the next one's name */
	unsigned gone;  /* names removed or emptied in this pass */
	unsigned left;  /* names that stayed in this pass */
	int errnum;     /* why the last of them stayed */
};

enum {
	PASSES_MAX = 100000 /* one a level of depth; ends it where another process adds */
};

static bool dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* A folder's modes may be in the way, and are ours to change. What stays barred shows when it
 * is opened or moved. */
static bool make_usable(int dirfd, const char *name)
{
	return fchmodat(dirfd, name, S_IRWXU, AT_SYMLINK_NOFOLLOW) == 0;
}

static DIR *open_at(int dirfd, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	auto_close int fd = -1;
	DIR *dir;

	(void)make_usable(dirfd, name);
	fd = openat(dirfd, name, flags);
	if (fd < 0)
		return NULL;
	dir = fdopendir(fd);
	if (dir)
		(void)take_fd(&fd);
	return dir;
}

static int move_up(struct removal *removal, int dirfd, const char *name)
{
	char up[48];

	/* To move a folder it must be writable itself: its ".." changes. */
	(void)make_usable(dirfd, name);
	do
		(void)snprintf(up, sizeof(up), ".removed-%ld-%u", (long)getpid(),
			removal->moved++);
	while (faccessat(removal->top, up, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
	return renameat2(dirfd, name, removal->top, up, RENAME_NOREPLACE);
}

/* Removes a file or an empty folder. */
static int remove_name(int dirfd, const char *name)
{
	if (unlinkat(dirfd, name, 0) == 0)
		return 0;
	/* Linux says EISDIR, POSIX and some file systems EPERM. */
	if (errno != EISDIR && errno != EPERM)
		return -1;
	return unlinkat(dirfd, name, AT_REMOVEDIR);
}

/* Empties one folder of the top and removes it. */
static int remove_dir(struct removal *removal, const char *name)
{
	auto_closedir DIR *dir = open_at(removal->top, name);
	struct dirent *entry;

	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		if (dots(entry->d_name) || remove_name(dirfd(dir), entry->d_name) == 0)
			continue;
		if ((errno == ENOTEMPTY || errno == EEXIST) &&
			move_up(removal, dirfd(dir), entry->d_name) == 0)
			removal->gone++;
		else
			removal->errnum = errno;
	}
	return unlinkat(removal->top, name, AT_REMOVEDIR);
}

static void remove_pass(struct removal *removal, DIR *dir)
{
	struct dirent *entry;

	removal->gone = removal->left = 0;
	rewinddir(dir);
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (dots(name))
			continue;
		if (remove_name(removal->top, name) == 0 || errno == ENOENT ||
			((errno == ENOTEMPTY || errno == EEXIST) &&
				remove_dir(removal, name) == 0)) {
			removal->gone++;
			continue;
		}
		if (errno != ENOTEMPTY)
			removal->errnum = errno;
		removal->left++;
	}
}

int file_remove_tree(const char *path, bool itself, struct err *err)
{
	auto_closedir DIR *dir = NULL;
	auto_close int fd = -1;
	struct removal removal = { 0 };

	if (file_open_dir(path, &fd, err) < 0)
		return -1;
	dir = fdopendir(fd);
	if (!dir)
		return err_errno(err, file_err_kind(errno), "cannot read %s", path);
	removal.top = take_fd(&fd);
	removal.errnum = ENOTEMPTY;
	for (unsigned i = 0; i < PASSES_MAX && (i == 0 || removal.gone > 0); i++)
		remove_pass(&removal, dir);
	errno = removal.errnum;
	if (removal.left > 0)
		return err_errno(err, file_err_kind(errno), "cannot empty %s", path);
	if (itself && rmdir(path) < 0)
		return err_errno(err, file_err_kind(errno), "cannot remove %s", path);
	return 0;
}
