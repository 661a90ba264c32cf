/* SPDX-License-Identifier: ISC */
#include "scanner/quarantine_release.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/file.h"

#include "scanner/quarantine_take.h"

enum {
	NEW_MAX = 64,
	CHUNK = 16 * 1024,
	MODE_KEPT = 0777
};

/* As it is once what was cut off is ended. */
static int find(const struct quarantine *quarantine, const char *id,
	struct quarantine_item *item, struct err *err)
{
	bool gone;

	if (quarantine_read(quarantine, id, item, err) < 0 ||
		quarantine_mend(quarantine, item, &gone, err) < 0)
		return -1;
	return gone ? err_set(err, ERR_MESSAGE,
			      "%s was never moved: it is where it was, %.300s", id,
			      item->path)
		    : 0;
}

/* Is there a file with its very bytes? */
static bool has_bytes(int dir, const char *name, const struct quarantine_item *item)
{
	auto_close int fd =
		openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	auto_hasher struct hasher hasher = { 0 };
	uint8_t chunk[CHUNK];
	struct stat stat;
	struct hash is;
	uint64_t left = item->size;
	ssize_t got = 0;

	if (fd < 0 || fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode) ||
		(uint64_t)stat.st_size != item->size || hasher_init(&hasher, NULL) < 0)
		return false;
	/* It may grow faster than it is read. */
	while (left > 0 &&
		(got = read(fd, chunk, left < CHUNK ? (size_t)left : CHUNK)) > 0) {
		if (hasher_add(&hasher, (struct span){ chunk, (size_t)got }, NULL) < 0)
			return false;
		left -= (uint64_t)got;
	}
	hasher_result(&hasher, &is);
	return left == 0 && hash_equal(&is, &item->hash);
}

static int fail(const char *what, const char *path, struct err *err)
{
	const int errnum = errno;

	return err_set(err, file_err_kind(errnum), "cannot %s %.300s: %s%s", what, path,
		strerror(errnum),
		errnum == EPERM || errnum == EACCES ? ": run this as root" : "");
}

/* The owner last: what is another's only its owner may change. */
static int dress(
	int fd, const struct quarantine_item *item, const char *path, struct err *err)
{
	const struct timespec times[] = {
		{ (time_t)item->accessed_s, (long)item->accessed_ns },
		{ (time_t)item->modified_s, (long)item->modified_ns },
	};
	struct stat stat;

	if (fchmod(fd, (mode_t)item->mode & MODE_KEPT) < 0 || futimens(fd, times) < 0 ||
		fstat(fd, &stat) < 0)
		return fail("set mode and times of", path, err);
	if ((stat.st_uid != item->uid || stat.st_gid != item->gid) &&
		fchown(fd, (uid_t)item->uid, (gid_t)item->gid) < 0)
		return fail("give to its owner", path, err);
	return fsync(fd) < 0 ? fail("sync", path, err) : 0;
}

static int fill(int fd, int data, const struct quarantine_item *item, const char *path,
	struct err *err)
{
	struct hash hash;
	uint64_t size;

	if (quarantine_copy(data, fd, item->size, &hash, &size, err) < 0)
		return -1;
	if (!hash_equal(&hash, &item->hash))
		return err_set(err, ERR_ACCOUNT,
			"its bytes are not those that were moved: it stays in quarantine");
	return dress(fd, item, path, err);
}

static int put(int dir, const char *name, int data, const struct quarantine_item *item,
	const char *path, struct err *err)
{
	auto_close int fd = -1;
	char fresh[NEW_MAX];
	int done;

	(void)snprintf(fresh, sizeof(fresh), ".mailfilter-release-%s", item->id);
	/* Left by one that was cut off. */
	(void)unlinkat(dir, fresh, 0);
	fd = openat(dir, fresh, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail("make a file beside", path, err);
	done = fill(fd, data, item, path, err);
	if (done == 0 && quarantine_rename_new(dir, fresh, name) < 0)
		done = errno == EEXIST
			       ? err_set(err, ERR_ACCOUNT,
					 "%.300s is there already, and stays as it is: "
					 "say --to another path",
					 path)
			       : fail("name it", path, err);
	if (done < 0)
		(void)unlinkat(dir, fresh, 0);
	return done < 0 ? -1 : file_sync_dir(dir, path, err);
}

static int place(const struct quarantine *quarantine, const struct quarantine_item *item,
	const char *path, bool again, struct err *err)
{
	auto_close int dir = -1, data = -1;
	const char *name;

	if (quarantine_open_parent(path, &dir, &name, err) < 0) {
		/* It is in the quarantine all the same. */
		err->kind = ERR_ACCOUNT;
		return err_wrap(err, "it cannot be put back; say --to another path");
	}
	/* Cut off behind the very last step. */
	if (again && has_bytes(dir, name, item))
		return 0;
	if (quarantine_data(quarantine, item->id, &data, err) < 0)
		return -1;
	return put(dir, name, data, item, path, err);
}

int quarantine_release(const struct quarantine *quarantine, const char *id,
	const char *to, struct quarantine_item *item_r, struct err *err)
{
	struct quarantine_item item;
	bool again;

	if (find(quarantine, id, &item, err) < 0)
		return -1;
	*item_r = item;
	if (item.state == QUARANTINE_RELEASED)
		return quarantine_remove_data(quarantine, id, err) < 0 ? -1 : 1;
	/* Before it is there, or the sweep might take it again. */
	again = item.state == QUARANTINE_RELEASING;
	item.state = QUARANTINE_RELEASING;
	if (!again && quarantine_write(quarantine, &item, err) < 0)
		return -1;
	if (place(quarantine, &item, to ? to : item.path, again, err) < 0) {
		item.state = QUARANTINE_KEPT;
		if (!again)
			(void)quarantine_write(quarantine, &item, NULL);
		return -1;
	}
	item.state = QUARANTINE_RELEASED;
	item.released_s = (uint64_t)clock_wall_s();
	*item_r = item;
	if (quarantine_write(quarantine, &item, err) < 0)
		return -1;
	return quarantine_remove_data(quarantine, id, err);
}

int quarantine_delete(const struct quarantine *quarantine, const char *id,
	struct quarantine_item *item_r, struct err *err)
{
	if (find(quarantine, id, item_r, err) < 0)
		return -1;
	return quarantine_remove(quarantine, id, err);
}
