/* SPDX-License-Identifier: ISC */
#include "mailfilter/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/random.h"

#include "mailfilter/hostname.h"

enum {
	HOST_MAX = 47 /* of its name in that of a file */
};

static int fail(const char *what, const char *path, struct err *err)
{
	return err_errno(err, file_err_kind(errno), "cannot %s %s", what, path);
}

static bool dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* A folder with something in it but none of a Maildir's is somebody's home, not a mistake of
 * ours to fill with three folders. */
static int check_kind(int root, const char *path, struct err *err)
{
	auto_closedir DIR *dir = file_list(root);
	bool empty = true;
	struct dirent *entry;

	if (!dir)
		return fail("read", path, err);
	while ((errno = 0, entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (strcmp(name, "tmp") == 0 || strcmp(name, "new") == 0 ||
			strcmp(name, "cur") == 0)
			return 0;
		if (!dots(name))
			empty = false;
	}
	if (errno)
		return fail("read", path, err);
	if (!empty)
		return err_set(err, ERR_ACCOUNT,
			"%s has files in it but no cur, new and tmp: not a Maildir; name "
			"another folder, or make these three",
			path);
	return 0;
}

static int open_folder(
	int root, const char *path, const char *name, int *fd_r, struct err *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	struct stat st;

	if (mkdirat(root, name, S_IRWXU) < 0 && errno != EEXIST)
		return fail("make folders in", path, err);
	*fd_r = openat(root, name, flags);
	if (*fd_r < 0 && (errno == ENOTDIR || errno == ELOOP))
		return err_set(err, ERR_ACCOUNT,
			"%s/%s is a link or a file, a folder was expected", path, name);
	if (*fd_r < 0 || fstat(*fd_r, &st) < 0)
		return fail("open the folders of", path, err);
	if (st.st_mode & S_IWOTH)
		return err_set(err, ERR_ACCOUNT,
			"everybody may write to %s/%s: chmod o-w %s/%s", path, name, path,
			name);
	return 0;
}

static int open_folders(struct maildir *maildir, struct err *err)
{
	const char *const path = maildir->path;
	auto_close int root = -1;

	if (file_mkdirs(path, S_IRWXU, err) < 0)
		return -1;
	/* The path is its owner's word, so it may be a link; what is inside may not. */
	root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return fail("open", path, err);
	if (check_kind(root, path, err) < 0 ||
		open_folder(root, path, "tmp", &maildir->tmp, err) < 0 ||
		open_folder(root, path, "new", &maildir->new, err) < 0 ||
		open_folder(root, path, "cur", &maildir->cur, err) < 0)
		return -1;
	return file_sync_dir(root, path, err);
}

int64_t maildir_boot_s(void)
{
	struct timespec since = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &since);
	return clock_wall_s() - since.tv_sec;
}

int maildir_open(
	const char *path, const char *owner, struct maildir *maildir_r, struct err *err)
{
	struct maildir maildir = { .tmp = -1, .new = -1, .cur = -1 };

	maildir.boot_s = maildir_boot_s();
	(void)snprintf(maildir.owner, sizeof(maildir.owner), "%s", owner);
	maildir.path = strdup(path);
	if (asprintf(&maildir.tmp_path, "%s/tmp", path) < 0)
		maildir.tmp_path = NULL;
	if (asprintf(&maildir.new_path, "%s/new", path) < 0)
		maildir.new_path = NULL;
	if (!maildir.path || !maildir.tmp_path || !maildir.new_path) {
		maildir_close(&maildir);
		return err_memory(err);
	}
	if (open_folders(&maildir, err) < 0) {
		maildir_close(&maildir);
		return -1;
	}
	*maildir_r = maildir;
	return 0;
}

void maildir_close(struct maildir *maildir)
{
	defer_close(&maildir->tmp);
	defer_close(&maildir->new);
	defer_close(&maildir->cur);
	free(maildir->path);
	free(maildir->tmp_path);
	free(maildir->new_path);
	*maildir = (struct maildir){ .tmp = -1, .new = -1, .cur = -1 };
}

void maildir_new_name(const char *owner, char name[static MESSAGE_NAME_MAX])
{
	const int64_t now_us = clock_wall_us();
	char host[HOSTNAME_SIZE];

	hostname_get(host);
	(void)snprintf(name, MESSAGE_NAME_MAX,
		"%" PRId64 ".M%06" PRId64 "P%ldR%016" PRIx64 "T%s.%.*s", now_us / 1000000,
		now_us % 1000000, (long)getpid(), random_number(), owner, HOST_MAX, host);
}

bool maildir_is_name(const char *name)
{
	const size_t len = strnlen(name, MESSAGE_NAME_MAX);

	if (len == 0 || len == MESSAGE_NAME_MAX || name[0] == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] >= 0x7f || name[i] == '/' || name[i] == ':')
			return false;
	return true;
}

/* Is entry NAME itself, or NAME with the flags that readers put behind it? */
static bool same_name(const char *entry, const char *name)
{
	const size_t len = strlen(name);

	return strncmp(entry, name, len) == 0 && (!entry[len] || entry[len] == ':');
}

static int folder_holds(int dirfd, const char *name)
{
	auto_closedir DIR *dir = file_list(dirfd);
	struct dirent *entry;

	if (!dir)
		return -1;
	while ((errno = 0, entry = readdir(dir)))
		if (same_name(entry->d_name, name))
			return 1;
	return errno ? -1 : 0;
}

int maildir_holds(const struct maildir *maildir, const char *name, struct err *err)
{
	/* In this order: readers move from new to cur, never back. */
	int held = folder_holds(maildir->new, name);

	if (held == 0)
		held = folder_holds(maildir->cur, name);
	return held < 0 ? fail("read the folders of", maildir->path, err) : held;
}
