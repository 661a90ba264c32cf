/* SPDX-License-Identifier: ISC
 *
 * The quarantine's folder for who did not fill it: its files by their ids. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"

#include "mailfilter/quarantine.h"

enum {
	FILE_NAME_MAX = QUARANTINE_ID_MAX + 8
};

static const char suffix[] = ".eml";

static int fail(const char *what, const char *path, const char *name, struct err *err)
{
	return err_errno(err, file_err_kind(errno), "cannot %s %s/%s", what, path, name);
}

int quarantine_path(const char *account_dir, char **path_r, struct err *err)
{
	if (asprintf(path_r, "%s/quarantine", account_dir) >= 0)
		return 0;
	*path_r = NULL;
	return err_memory(err);
}

bool quarantine_is_id(const char *id)
{
	const size_t len = strnlen(id, QUARANTINE_ID_MAX);

	if (len == 0 || len == QUARANTINE_ID_MAX || id[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!((id[i] >= '0' && id[i] <= '9') || (id[i] >= 'a' && id[i] <= 'z') ||
			    (id[i] >= 'A' && id[i] <= 'Z') || id[i] == '-'))
			return false;
	return true;
}

int quarantine_check_id(const char *id, struct err *err)
{
	if (quarantine_is_id(id))
		return 0;
	return err_set(err, ERR_MESSAGE, "\"%.40s\" is no quarantine id", id);
}

int quarantine_original(
	const char *account_dir, const char *id, int *fd_r, struct err *err)
{
	auto_free char *path = NULL;
	auto_close int dirfd = -1;
	auto_close int fd = -1;
	char name[FILE_NAME_MAX];
	struct stat st;

	if (quarantine_check_id(id, err) < 0 ||
		quarantine_path(account_dir, &path, err) < 0)
		return -1;
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return err_set(err, ERR_MESSAGE, "no original %s in %s", id, path);
	if (file_open_own_dir(path, &dirfd, err) < 0)
		return -1;
	(void)snprintf(name, sizeof(name), "%s%s", id, suffix);
	/* O_NONBLOCK: a planted FIFO is opened, seen and refused; a file does not care. */
	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_MESSAGE, "no original %s in %s", id, path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail("open", path, name, err);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_ACCOUNT, "%s/%s is not a file", path, name);
	*fd_r = take_fd(&fd);
	return 0;
}

int quarantine_keep(const char *account_dir, const char *id, const char *tmp,
	struct span bytes, struct err *err)
{
	auto_free char *path = NULL;
	auto_free char *from = NULL;
	auto_close int dirfd = -1;
	char name[FILE_NAME_MAX];

	if (quarantine_check_id(id, err) < 0 ||
		quarantine_path(account_dir, &path, err) < 0 ||
		file_mkdirs(path, S_IRWXU, err) < 0 ||
		file_open_own_dir(path, &dirfd, err) < 0)
		return -1;
	(void)snprintf(name, sizeof(name), "%s%s", id, suffix);
	if (asprintf(&from, "%s/%s", tmp, name) < 0) {
		from = NULL;
		return err_memory(err);
	}
	if (file_replace(from, bytes, S_IRUSR | S_IWUSR, err) < 0)
		return -1;
	if (renameat(AT_FDCWD, from, dirfd, name) < 0)
		return fail("make", path, name, err);
	return file_sync_dir(dirfd, path, err);
}

/* The id that a file's name stands for. */
static bool id_of(const char *name, char id[static QUARANTINE_ID_MAX])
{
	const size_t len = strlen(name);
	const size_t cut = sizeof(suffix) - 1;

	if (len <= cut || len - cut >= QUARANTINE_ID_MAX ||
		strcmp(name + len - cut, suffix) != 0)
		return false;
	(void)snprintf(id, QUARANTINE_ID_MAX, "%.*s", (int)(len - cut), name);
	return quarantine_is_id(id);
}

int quarantine_each_file(const char *account_dir,
	int (*each)(void *arg, const char *id, int64_t mtime_s, struct err *err),
	void *arg, struct err *err)
{
	auto_free char *path = NULL;
	auto_closedir DIR *dir = NULL;
	char id[QUARANTINE_ID_MAX];
	struct dirent *entry;
	struct stat st;

	if (quarantine_path(account_dir, &path, err) < 0)
		return -1;
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT ? 0 : fail("read", path, "", err);
	while ((errno = 0, entry = readdir(dir))) {
		if (!id_of(entry->d_name, id) ||
			fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISREG(st.st_mode) && each(arg, id, st.st_mtime, err) < 0)
			return -1;
	}
	return errno ? fail("read", path, "", err) : 0;
}

int quarantine_remove(const char *account_dir, const char *id, struct err *err)
{
	auto_free char *path = NULL;
	auto_close int dirfd = -1;
	char name[FILE_NAME_MAX];

	if (quarantine_check_id(id, err) < 0 ||
		quarantine_path(account_dir, &path, err) < 0)
		return -1;
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	if (file_open_own_dir(path, &dirfd, err) < 0)
		return -1;
	(void)snprintf(name, sizeof(name), "%s%s", id, suffix);
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return fail("remove", path, name, err);
	return 0;
}

int quarantine_sync_removed(const char *account_dir, struct err *err)
{
	auto_free char *path = NULL;
	auto_close int dirfd = -1;

	if (quarantine_path(account_dir, &path, err) < 0)
		return -1;
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	if (file_open_own_dir(path, &dirfd, err) < 0)
		return -1;
	return file_sync_dir(dirfd, path, err);
}
