/* SPDX-License-Identifier: ISC */
#include "scanner/quarantine_take.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/random.h"

enum {
	ASIDE_MAX = 64,
	DAY_TEXT_MAX = 16,
	LINK_MAX_BYTES = 32
};

/* A name in the file's own folder that nobody knows before. */
static void aside_of(const char *id, char name_r[static ASIDE_MAX])
{
	(void)snprintf(name_r, ASIDE_MAX, ".mailfilter-quarantine-%s", id);
}

static void new_id(char id_r[static QUARANTINE_ID_MAX])
{
	time_t now = (time_t)clock_wall_s();
	char day[DAY_TEXT_MAX] = "00000000";
	struct tm tm;

	if (gmtime_r(&now, &tm))
		(void)strftime(day, sizeof(day), "%Y%m%d", &tm);
	(void)snprintf(
		id_r, QUARANTINE_ID_MAX, "%.8s-%016jx", day, (uintmax_t)random_number());
}

/* What moving needs that scanning does not. */
static const char *advice(int errnum)
{
	switch (errnum) {
	case EACCES:
		return ": the scanner may not write there, see "
		       "mailfilter-scanner-sweep-write.conf";
	case EPERM:
		return ": it is immutable (lsattr), or the folder is sticky and the "
		       "scanner lacks CAP_FOWNER, see "
		       "mailfilter-scanner-sweep-write.conf";
	case EROFS:
		return ": if only to the service, see "
		       "mailfilter-scanner-sweep-write.conf";
	case ENOSPC:
	case EDQUOT:
		return ": make room in the quarantine, or delete what is not needed";
	default:
		return "";
	}
}

static int refuse(const char *what, struct err *err)
{
	const int errnum = errno;

	return err_set(err, file_err_kind(errnum), "%s: %s%s", what, strerror(errnum),
		advice(errnum));
}

static bool same_time(const struct timespec *left, const struct timespec *right)
{
	return left->tv_sec == right->tv_sec && left->tv_nsec == right->tv_nsec;
}

/* A new name changes the last of these alone. */
static bool is_same(const struct stat *now, const struct stat *then, bool renamed)
{
	return S_ISREG(now->st_mode) && now->st_dev == then->st_dev &&
	       now->st_ino == then->st_ino && now->st_size == then->st_size &&
	       same_time(&now->st_mtim, &then->st_mtim) &&
	       (renamed || same_time(&now->st_ctim, &then->st_ctim));
}

static bool is_there(const struct quarantine_find *find, const char *name, bool renamed)
{
	struct stat named, open;

	return fstatat(find->dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstat(find->file, &open) == 0 && is_same(&named, find->stat, renamed) &&
	       is_same(&open, find->stat, renamed);
}

static int swapped(struct err *err)
{
	return err_set(err, ERR_AGAIN,
		"it was changed or exchanged since its scan: the next pass looks again");
}

int quarantine_rename_new(int dir, const char *from, const char *to)
{
	if (renameat2(dir, from, dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	/* File systems that do not know the flag. */
	if (errno != EINVAL || linkat(dir, from, dir, to, 0) < 0)
		return -1;
	return unlinkat(dir, from, 0);
}

static int copy(const struct quarantine *quarantine, const struct quarantine_find *find,
	const char *id, struct err *err)
{
	auto_close int data = -1;
	struct hash hash;
	uint64_t size;

	if (quarantine_new_data(quarantine, id, &data, err) < 0)
		return -1;
	if (quarantine_copy(find->file, data, (uint64_t)find->stat->st_size, &hash, &size,
		    err) < 0)
		return err_wrap(err, "into %s", quarantine->path);
	if (size != (uint64_t)find->stat->st_size || !hash_equal(&hash, find->hash) ||
		!is_there(find, find->name, false))
		return swapped(err);
	return 0;
}

/* Without links: the sweep may begin behind one, and no way back goes through any. */
static void true_path(
	const struct quarantine_find *find, char path_r[static QUARANTINE_PATH_MAX])
{
	char link[LINK_MAX_BYTES], folder[QUARANTINE_PATH_MAX];
	ssize_t len;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", find->dir);
	len = readlink(link, folder, sizeof(folder));
	if (len <= 0 || folder[0] != '/' ||
		(size_t)len + strlen(find->name) + 2 > QUARANTINE_PATH_MAX)
		(void)snprintf(path_r, QUARANTINE_PATH_MAX, "%s", find->path);
	else
		(void)snprintf(path_r, QUARANTINE_PATH_MAX, "%.*s%s%s", (int)len, folder,
			len > 1 ? "/" : "", find->name);
}

static void describe(const struct quarantine_find *find, struct quarantine_item *item)
{
	const struct stat *stat = find->stat;

	true_path(find, item->path);
	(void)snprintf(item->signature, sizeof(item->signature), "%s", find->signature);
	(void)snprintf(item->where, sizeof(item->where), "%s", find->where);
	item->hash = *find->hash;
	item->signatures = *find->signatures;
	item->size = (uint64_t)stat->st_size;
	item->inode = stat->st_ino;
	item->links = stat->st_nlink;
	item->uid = stat->st_uid;
	item->gid = stat->st_gid;
	item->mode = stat->st_mode & 07777;
	item->modified_s = (uint64_t)stat->st_mtim.tv_sec;
	item->modified_ns = (uint64_t)stat->st_mtim.tv_nsec;
	item->accessed_s = (uint64_t)stat->st_atim.tv_sec;
	item->accessed_ns = (uint64_t)stat->st_atim.tv_nsec;
	item->taken_s = (uint64_t)clock_wall_s();
}

/* Whoever exchanged it meanwhile has the name back. *aside_r: it is not known to have its own: the record
 * and the copy must stay until it is. */
static int take_away(const struct quarantine_find *find, const char *id, bool *aside_r,
	struct err *err)
{
	char aside[ASIDE_MAX];

	aside_of(id, aside);
	if (renameat(find->dir, find->name, find->dir, aside) < 0)
		return refuse("it cannot be taken out of its folder", err);
	if (!is_there(find, aside, true)) {
		*aside_r = quarantine_rename_new(find->dir, aside, find->name) < 0;
		return *aside_r ? err_set(err, ERR_AGAIN,
					  "it was exchanged since its scan, and what "
					  "came instead is named %s now",
					  aside)
				: swapped(err);
	}
	if (unlinkat(find->dir, aside, 0) < 0) {
		(void)refuse("it cannot be removed", err);
		*aside_r = quarantine_rename_new(find->dir, aside, find->name) < 0;
		return *aside_r ? err_wrap(err, "it is named %s now", aside) : -1;
	}
	(void)file_sync_dir(find->dir, find->path, NULL);
	return 0;
}

static int has_place(const struct quarantine *quarantine, struct err *err)
{
	auto_quarantine_ids struct quarantine_ids ids = { 0 };

	if (quarantine_ids(quarantine, &ids, err) < 0)
		return -1;
	return ids.count < QUARANTINE_MAX
		       ? 0
		       : err_set(err, ERR_AGAIN,
				 "%s has %d files already: delete what is not needed",
				 quarantine->path, QUARANTINE_MAX);
}

static int take(const struct quarantine *quarantine, const struct quarantine_find *find,
	struct quarantine_item *item, bool *aside_r, struct err *err)
{
	/* Before much is copied for nothing. */
	if (faccessat(find->dir, ".", W_OK, AT_EACCESS) < 0)
		return refuse("its folder", err);
	if (has_place(quarantine, err) < 0)
		return -1;
	if (copy(quarantine, find, item->id, err) < 0)
		return -1;
	item->state = QUARANTINE_TAKING;
	if (quarantine_write(quarantine, item, err) < 0)
		return -1;
	return take_away(find, item->id, aside_r, err);
}

int quarantine_take(const struct quarantine *quarantine,
	const struct quarantine_find *find, char id_r[static QUARANTINE_ID_MAX],
	struct err *err)
{
	struct quarantine_item item = { 0 };
	bool aside = false;

	new_id(item.id);
	describe(find, &item);
	if (take(quarantine, find, &item, &aside, err) < 0) {
		/* Also one that a file server removed and says it did not. */
		if (!aside)
			(void)quarantine_remove(quarantine, item.id, NULL);
		return -1;
	}
	item.state = QUARANTINE_KEPT;
	/* Where that fails the next start finds out by itself. */
	(void)quarantine_write(quarantine, &item, NULL);
	memcpy(id_r, item.id, sizeof(item.id));
	return 0;
}

int quarantine_open_parent(
	const char *path, int *dir_r, const char **name_r, struct err *err)
{
	const struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
	const char *slash = strrchr(path, '/');
	char parent[QUARANTINE_PATH_MAX];
	int fd;

	if (path[0] != '/' || !slash[1] || strcmp(slash, "/..") == 0 ||
		strcmp(slash, "/.") == 0 || strlen(path) >= sizeof(parent))
		return err_set(err, ERR_MESSAGE,
			"%.200s: expected the whole path of a file", path);
	(void)snprintf(parent, sizeof(parent), "%.*s",
		slash == path ? 1 : (int)(slash - path), path);
	fd = (int)syscall(SYS_openat2, AT_FDCWD, parent, &how, sizeof(how));
	if (fd < 0 && errno == ELOOP)
		return err_set(err, ERR_ACCOUNT,
			"%.200s: a part of it is a link, which is not followed", parent);
	if (fd < 0)
		return err_set(err, errno == ENOENT ? ERR_MESSAGE : ERR_ACCOUNT,
			"%.200s: %s", parent, strerror(errno));
	*dir_r = fd;
	*name_r = slash + 1;
	return 0;
}

/* By what a new start of the system leaves as it is. */
static bool is_original(int dir, const char *name, const struct quarantine_item *item)
{
	struct stat stat;

	return fstatat(dir, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(stat.st_mode) && stat.st_ino == item->inode &&
	       (uint64_t)stat.st_size == item->size &&
	       (uint64_t)stat.st_mtim.tv_sec == item->modified_s &&
	       (uint64_t)stat.st_mtim.tv_nsec == item->modified_ns;
}

static bool has_copy(
	const struct quarantine *quarantine, const struct quarantine_item *item)
{
	auto_close int fd = -1;

	return quarantine_data(quarantine, item->id, &fd, NULL) == 0;
}

/* Does the original have its name, *there_r? What was set aside goes if it is the original, of which there
 * is a copy, and else is put back. */
static int look(const struct quarantine *quarantine, const struct quarantine_item *item,
	int dir, const char *name, bool *there_r, struct err *err)
{
	char aside[ASIDE_MAX];
	struct stat stat;

	aside_of(item->id, aside);
	*there_r = false;
	if (is_original(dir, aside, item) && has_copy(quarantine, item)) {
		if (unlinkat(dir, aside, 0) < 0)
			return refuse("what was set aside cannot be removed", err);
		return file_sync_dir(dir, item->path, err);
	}
	if (fstatat(dir, aside, &stat, AT_SYMLINK_NOFOLLOW) == 0) {
		if (quarantine_rename_new(dir, aside, name) < 0)
			return refuse("what was set aside cannot be put back", err);
		*there_r = true;
	} else if (errno != ENOENT) {
		return refuse("its folder", err);
	}
	*there_r = *there_r || is_original(dir, name, item);
	return 0;
}

int quarantine_mend(const struct quarantine *quarantine, struct quarantine_item *item,
	bool *gone_r, struct err *err)
{
	auto_close int dir = -1;
	struct err why = { 0 };
	const char *name;
	bool there = false;

	*gone_r = false;
	if (item->state != QUARANTINE_TAKING)
		return 0;
	/* Where the folder is gone, so is the original. */
	if ((quarantine_open_parent(item->path, &dir, &name, &why) < 0 &&
		    why.kind != ERR_MESSAGE) ||
		(dir >= 0 && look(quarantine, item, dir, name, &there, &why) < 0))
		return err_set(err, ERR_AGAIN,
			"its move was cut off, and whether it is still there cannot be "
			"seen: %s",
			why.text);
	if (there) {
		*gone_r = true;
		return quarantine_remove(quarantine, item->id, err);
	}
	item->state = QUARANTINE_KEPT;
	return quarantine_write(quarantine, item, err);
}

int quarantine_mend_all(
	const struct quarantine *quarantine, size_t *left_r, struct err *err)
{
	auto_quarantine_ids struct quarantine_ids ids = { 0 };
	struct quarantine_item item;
	bool gone;

	*left_r = 0;
	if (quarantine_ids(quarantine, &ids, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.count; i++)
		if (quarantine_read(quarantine, ids.ids[i], &item, err) < 0 ||
			quarantine_mend(quarantine, &item, &gone, err) < 0)
			(*left_r)++;
	return quarantine_tidy(quarantine, err);
}
