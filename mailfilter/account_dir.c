/* SPDX-License-Identifier: ISC */
#include "mailfilter/account_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/file.h"
#include "common/hash.h"

#include "mailfilter/owner.h"

static const char crash_name[] = "crashed";

int account_dir_path(
	const char *state_dir, const char *account, char **path_r, struct err *err)
{
	if (!account[0] || account[0] == '.' || strchr(account, '/'))
		return err_set(err, ERR_SETTINGS, "\"%.40s\" cannot be an account's name",
			account);
	if (asprintf(path_r, "%s/%s", state_dir, account) >= 0)
		return 0;
	*path_r = NULL;
	return err_memory(err);
}

static int take_lock(struct account_dir *dir, struct err *err)
{
	auto_free char *path = NULL;

	if (asprintf(&path, "%s/lock", dir->path) < 0) {
		path = NULL;
		return err_memory(err);
	}
	if (file_lock(path, &dir->lock, err) < 0)
		return errno == EWOULDBLOCK ? err_wrap(err, "already at work") : -1;
	return 0;
}

/* Only after the lock: what is in there may be another's work. */
static int empty_tmp(struct account_dir *dir, struct err *err)
{
	if (asprintf(&dir->tmp, "%s/tmp", dir->path) < 0) {
		dir->tmp = NULL;
		return err_memory(err);
	}
	if (file_mkdirs(dir->tmp, S_IRWXU, err) < 0)
		return -1;
	return file_remove_tree(dir->tmp, false, err);
}

int account_dir_sign(
	const char *path, char sign_r[static ACCOUNT_SIGN_MAX], struct err *err)
{
	auto_free char *real = realpath(path, NULL);
	char text[HASH_TEXT_MAX];
	struct hash hash;

	if (!real)
		return err_errno(err, ERR_ACCOUNT, "cannot find %s", path);
	if (hash_span(span_str(real), &hash, err) < 0)
		return -1;
	(void)snprintf(sign_r, ACCOUNT_SIGN_MAX, "%.*s", ACCOUNT_SIGN_MAX - 1,
		hash_text(&hash, text));
	return 0;
}

int account_dir_open(const char *state_dir, const char *account,
	struct account_dir *dir_r, struct err *err)
{
	struct account_dir dir = { .lock = -1 };
	auto_close int fd = -1;
	struct err why = { 0 };

	if (owner_check(state_dir, &why) < 0 ||
		account_dir_path(state_dir, account, &dir.path, &why) < 0 ||
		file_mkdirs(dir.path, S_IRWXU, &why) < 0 ||
		file_open_own_dir(dir.path, &fd, &why) < 0 || take_lock(&dir, &why) < 0 ||
		empty_tmp(&dir, &why) < 0 ||
		account_dir_sign(dir.path, dir.sign, &why) < 0) {
		account_dir_close(&dir);
		return err_set(err, why.kind, "%s", why.text);
	}
	dir.crashed = unlinkat(fd, crash_name, 0) == 0;
	*dir_r = dir;
	return 0;
}

bool account_dir_is_busy(const char *path)
{
	auto_free char *lock = NULL;
	pid_t pid;

	if (asprintf(&lock, "%s/lock", path) < 0) {
		lock = NULL;
		return false;
	}
	return file_lock_pid(lock, &pid) && (kill(pid, 0) == 0 || errno == EPERM);
}

void account_dir_note_crash(const char *state_dir, const char *account)
{
	auto_free char *path = NULL;
	auto_close int dir = -1;
	int fd;

	if (account_dir_path(state_dir, account, &path, NULL) < 0 ||
		file_open_own_dir(path, &dir, NULL) < 0)
		return;
	fd = openat(dir, crash_name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		S_IRUSR | S_IWUSR);
	if (fd >= 0)
		(void)close(fd);
}

void account_dir_close(struct account_dir *dir)
{
	free(dir->path);
	free(dir->tmp);
	if (dir->lock >= 0)
		(void)close(dir->lock);
	*dir = (struct account_dir){ .lock = -1 };
}

bool account_dir_is_volatile(const struct account_dir *dir, char *text, size_t size)
{
	struct statfs fs;

	text[0] = '\0';
	if (statfs(dir->path, &fs) < 0 ||
		(fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC))
		return false;
	(void)snprintf(text, size,
		"%s is kept in memory only: after a reboot all mail still on the server is "
		"delivered again; set state-dir to a folder on a disk",
		dir->path);
	return true;
}
