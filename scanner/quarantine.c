/* SPDX-License-Identifier: ISC */
#include "scanner/quarantine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "common/file.h"

enum {
	DIR_MODE = 0700,
	FILE_MODE = 0600,
	CHUNK = 256 * 1024
};

static const char info_end[] = ".info", data_end[] = ".file", new_end[] = ".new";
static const char lock_name[] = "lock";

static int refuse_folder(const char *path, const struct stat *stat, struct err *err)
{
	if (stat->st_uid != geteuid() && geteuid() != 0)
		return err_set(err, ERR_ACCOUNT,
			"the quarantine %s is of uid %u: expected one of this user's own "
			"(uid %u)",
			path, (unsigned)stat->st_uid, (unsigned)geteuid());
	if ((stat->st_mode & 077) != 0)
		return err_set(err, ERR_ACCOUNT,
			"others may enter the quarantine: chmod 700 %s", path);
	return 0;
}

int quarantine_open(
	const char *path, bool make, struct quarantine *quarantine_r, struct err *err)
{
	auto_close int dir = -1;
	struct stat stat;

	if (strlen(path) >= sizeof(quarantine_r->path))
		return err_set(
			err, ERR_SETTINGS, "sweep-quarantine: the path is too long");
	if (!make && access(path, F_OK) < 0 && errno == ENOENT)
		return err_set(err, ERR_MESSAGE, "there is no %s", path);
	if ((make && file_mkdirs(path, DIR_MODE, err) < 0) ||
		file_open_dir(path, &dir, err) < 0)
		return -1;
	if (fstat(dir, &stat) < 0)
		return err_errno(err, ERR_ACCOUNT, "%s", path);
	if (refuse_folder(path, &stat, err) < 0)
		return -1;
	quarantine_r->dir = take_fd(&dir);
	quarantine_r->lock = -1;
	quarantine_r->uid = stat.st_uid;
	quarantine_r->gid = stat.st_gid;
	memcpy(quarantine_r->path, path, strlen(path) + 1);
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(take_fd(fd));
}

void quarantine_close(struct quarantine *quarantine)
{
	close_fd(&quarantine->lock);
	close_fd(&quarantine->dir);
}

static int fail(const struct quarantine *quarantine, const char *what, const char *name,
	struct err *err)
{
	const int errnum = errno;

	return err_set(err, errnum == ENOENT ? ERR_MESSAGE : file_err_kind(errnum),
		"cannot %s %s/%s: %s", what, quarantine->path, name, strerror(errnum));
}

/* What root makes here is the folder's owner's as all else: only if it is new, for else it might be
 * another name of a file elsewhere. */
static int open_new(
	const struct quarantine *quarantine, const char *name, int *fd_r, struct err *err)
{
	auto_close int fd = openat(quarantine->dir, name,
		O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);

	if (fd < 0)
		return fail(quarantine, "make", name, err);
	if (geteuid() != quarantine->uid &&
		fchown(fd, quarantine->uid, quarantine->gid) < 0)
		return fail(quarantine, "give to its owner", name, err);
	*fd_r = take_fd(&fd);
	return 0;
}

static int open_lock(const struct quarantine *quarantine, int *fd_r, struct err *err)
{
	auto_close int fd = -1;

	if (open_new(quarantine, lock_name, fd_r, err) == 0)
		return 0;
	fd = openat(quarantine->dir, lock_name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -1 : fail(quarantine, "open", lock_name, err);
	*fd_r = take_fd(&fd);
	return 0;
}

int quarantine_lock(struct quarantine *quarantine, bool wait, struct err *err)
{
	auto_close int fd = -1;
	int got;

	if (open_lock(quarantine, &fd, err) < 0)
		return -1;
	do
		got = flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
	while (got < 0 && errno == EINTR);
	if (got < 0 && errno == EWOULDBLOCK)
		return err_set(err, ERR_AGAIN, "another is at work in the quarantine");
	if (got < 0)
		return fail(quarantine, "lock", lock_name, err);
	quarantine->lock = take_fd(&fd);
	return 0;
}

static int compare(const void *left, const void *right)
{
	return strcmp(left, right);
}

/* The id in a name that ends so, if it is one. */
static bool id_of(const char *name, const char *end, char id_r[static QUARANTINE_ID_MAX])
{
	size_t len = strlen(name), more = strlen(end);

	if (len != QUARANTINE_ID_MAX - 1 + more ||
		strcmp(name + QUARANTINE_ID_MAX - 1, end) != 0)
		return false;
	(void)snprintf(id_r, QUARANTINE_ID_MAX, "%s", name);
	return quarantine_is_id(id_r);
}

int quarantine_ids(const struct quarantine *quarantine, struct quarantine_ids *ids_r,
	struct err *err)
{
	auto_closedir DIR *list = file_list(quarantine->dir);
	DEFER(quarantine_ids_done) struct quarantine_ids ids = { 0 };
	char id[QUARANTINE_ID_MAX];
	const struct dirent *found;

	if (!list)
		return fail(quarantine, "list", "", err);
	ids.ids = calloc(QUARANTINE_MAX, sizeof(*ids.ids));
	if (!ids.ids)
		return err_memory(err);
	while (errno = 0, (found = readdir(list)) != NULL) {
		if (!id_of(found->d_name, info_end, id))
			continue;
		if (ids.count == QUARANTINE_MAX)
			return err_set(err, ERR_AGAIN,
				"%s has more than %d files: delete what is not needed",
				quarantine->path, QUARANTINE_MAX);
		memcpy(ids.ids[ids.count++], id, sizeof(id));
	}
	if (errno != 0)
		return fail(quarantine, "list", "", err);
	qsort(ids.ids, ids.count, sizeof(*ids.ids), compare);
	ids_r->count = ids.count;
	ids_r->ids = take_ptr(&ids.ids);
	return 0;
}

void quarantine_ids_done(struct quarantine_ids *ids)
{
	free(ids->ids);
	*ids = (struct quarantine_ids){ 0 };
}

static void name_of(const char *id, const char *end, char name_r[QUARANTINE_FILE_MAX])
{
	(void)snprintf(name_r, QUARANTINE_FILE_MAX, "%s%s", id, end);
}

static int open_there(const struct quarantine *quarantine, const char *id,
	const char *end, int *fd_r, struct err *err)
{
	char name[QUARANTINE_FILE_MAX];
	auto_close int fd = -1;
	struct stat stat;

	name_of(id, end, name);
	fd = openat(quarantine->dir, name,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return fail(quarantine, "open", name, err);
	if (fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode))
		return err_set(
			err, ERR_ACCOUNT, "%s/%s is no file", quarantine->path, name);
	*fd_r = take_fd(&fd);
	return 0;
}

int quarantine_data(
	const struct quarantine *quarantine, const char *id, int *fd_r, struct err *err)
{
	return open_there(quarantine, id, data_end, fd_r, err);
}

int quarantine_new_data(
	const struct quarantine *quarantine, const char *id, int *fd_r, struct err *err)
{
	char name[QUARANTINE_FILE_MAX];

	name_of(id, data_end, name);
	return open_new(quarantine, name, fd_r, err);
}

static int read_info(int fd, struct buf *text, struct err *err)
{
	uint8_t *room;
	ssize_t got;

	if (buf_reserve(text, QUARANTINE_INFO_MAX, &room, err) < 0)
		return -1;
	do {
		got = pread(fd, room + text->len, QUARANTINE_INFO_MAX - text->len,
			(off_t)text->len);
		if (got > 0)
			text->len += (size_t)got;
	} while (got > 0 || (got < 0 && errno == EINTR));
	return got < 0 ? err_errno(err, ERR_AGAIN, "it cannot be read") : 0;
}

int quarantine_read(const struct quarantine *quarantine, const char *id,
	struct quarantine_item *item_r, struct err *err)
{
	struct quarantine_item item = { 0 };
	auto_close int fd = -1;
	auto_buf struct buf text;

	buf_init(&text, QUARANTINE_INFO_MAX);
	if (!quarantine_is_id(id))
		return err_set(
			err, ERR_MESSAGE, "it is no id: see --sweep-quarantine list");
	memcpy(item.id, id, sizeof(item.id));
	if (open_there(quarantine, id, info_end, &fd, err) < 0) {
		if (err->kind == ERR_MESSAGE)
			return err_set(err, ERR_MESSAGE, "it is not in the quarantine");
		return -1;
	}
	if (read_info(fd, &text, err) < 0 ||
		quarantine_item_decode(buf_span(&text), &item, err) < 0)
		return err_wrap(err, "%s/%s%s", quarantine->path, id, info_end);
	*item_r = item;
	return 0;
}

int quarantine_write(const struct quarantine *quarantine,
	const struct quarantine_item *item, struct err *err)
{
	char name[QUARANTINE_FILE_MAX], fresh[QUARANTINE_FILE_MAX];
	auto_close int fd = -1;
	auto_buf struct buf text;

	buf_init(&text, QUARANTINE_INFO_MAX);
	name_of(item->id, info_end, name);
	name_of(item->id, new_end, fresh);
	if (quarantine_item_encode(item, &text, err) < 0)
		return -1;
	/* Left by one that was killed. */
	(void)unlinkat(quarantine->dir, fresh, 0);
	if (open_new(quarantine, fresh, &fd, err) < 0)
		return -1;
	if (file_write(fd, buf_span(&text), quarantine->path, err) < 0 ||
		file_sync_close(&fd, quarantine->path, err) < 0) {
		(void)unlinkat(quarantine->dir, fresh, 0);
		return -1;
	}
	if (renameat(quarantine->dir, fresh, quarantine->dir, name) < 0)
		return fail(quarantine, "rename", fresh, err);
	return file_sync_dir(quarantine->dir, quarantine->path, err);
}

static int remove_one(const struct quarantine *quarantine, const char *id,
	const char *end, struct err *err)
{
	char name[QUARANTINE_FILE_MAX];

	name_of(id, end, name);
	if (unlinkat(quarantine->dir, name, 0) < 0 && errno != ENOENT)
		return fail(quarantine, "remove", name, err);
	return file_sync_dir(quarantine->dir, quarantine->path, err);
}

int quarantine_remove_data(
	const struct quarantine *quarantine, const char *id, struct err *err)
{
	return remove_one(quarantine, id, data_end, err);
}

/* The bytes first: what is listed without them is told, and can be removed again. */
int quarantine_remove(
	const struct quarantine *quarantine, const char *id, struct err *err)
{
	if (remove_one(quarantine, id, data_end, err) < 0)
		return -1;
	return remove_one(quarantine, id, info_end, err);
}

bool quarantine_released(const struct quarantine *quarantine, const struct hash *hash,
	char id_r[static QUARANTINE_ID_MAX])
{
	auto_quarantine_ids struct quarantine_ids ids = { 0 };
	struct quarantine_item item;
	struct err err = { 0 };

	if (quarantine_ids(quarantine, &ids, &err) < 0)
		return false;
	for (size_t i = 0; i < ids.count; i++) {
		if (quarantine_read(quarantine, ids.ids[i], &item, &err) < 0 ||
			item.state < QUARANTINE_RELEASING ||
			!hash_equal(&item.hash, hash))
			continue;
		memcpy(id_r, item.id, sizeof(item.id));
		return true;
	}
	return false;
}

int quarantine_tidy(const struct quarantine *quarantine, struct err *err)
{
	auto_closedir DIR *list = file_list(quarantine->dir);
	char id[QUARANTINE_ID_MAX], name[QUARANTINE_FILE_MAX];
	const struct dirent *found;

	if (!list)
		return fail(quarantine, "list", "", err);
	while (errno = 0, (found = readdir(list)) != NULL) {
		const char *end = id_of(found->d_name, new_end, id)    ? new_end
				  : id_of(found->d_name, data_end, id) ? data_end
								       : NULL;

		name_of(id, info_end, name);
		if (!end || (end == data_end && (faccessat(quarantine->dir, name, F_OK,
							 AT_SYMLINK_NOFOLLOW) == 0 ||
							errno != ENOENT)))
			continue;
		if (remove_one(quarantine, id, end, err) < 0)
			return -1;
	}
	return errno == 0 ? 0 : fail(quarantine, "list", "", err);
}

int quarantine_copy(int from, int to, uint64_t max, struct hash *hash_r, uint64_t *size_r,
	struct err *err)
{
	auto_free uint8_t *chunk = malloc(CHUNK);
	auto_hasher struct hasher hasher = { 0 };
	uint64_t size = 0;
	ssize_t got;

	if (!chunk)
		return err_memory(err);
	if (hasher_init(&hasher, err) < 0)
		return -1;
	while ((got = pread(from, chunk, CHUNK, (off_t)size)) != 0) {
		const struct span part = { chunk, got > 0 ? (size_t)got : 0 };

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, file_err_kind(errno), "cannot read");
		size += part.len;
		if (size > max)
			return err_set(err, ERR_AGAIN, "it grew");
		if (hasher_add(&hasher, part, err) < 0 ||
			file_write(to, part, "the copy", err) < 0)
			return -1;
	}
	if (fsync(to) < 0)
		return err_errno(err, file_err_kind(errno), "cannot sync");
	hasher_result(&hasher, hash_r);
	*size_r = size;
	return 0;
}
