/* SPDX-License-Identifier: ISC */
#include "mailfilter/mbox_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/file.h"
#include "common/parse.h"

#include "mailfilter/stream.h"

enum {
	PID_TEXT_MAX = 32
};

static int fail(const char *what, const char *path, struct err *err)
{
	return err_errno(err, file_err_kind(errno), "cannot %s %s", what, path);
}

static int check_kind(const char *path, const struct stat *st, struct err *err)
{
	if (S_ISDIR(st->st_mode))
		return err_set(err, ERR_ACCOUNT,
			"%s is a folder: expected a file, or maildir:%s", path, path);
	if (!S_ISREG(st->st_mode))
		return err_set(err, ERR_ACCOUNT,
			"%s is no file: mail can be delivered into an mbox file only",
			path);
	if (st->st_nlink > 1)
		return err_set(err, ERR_ACCOUNT,
			"%s has another name (a hard link), whose readers would lock that: "
			"remove one of the two",
			path);
	if (st->st_mode & S_IWOTH)
		return err_set(err, ERR_ACCOUNT,
			"everybody may write to %s: chmod o-w %s", path, path);
	return 0;
}

/* 1: there is none and none is to be made. */
static int open_mailbox(const char *path, bool make, int *fd_r, struct err *err)
{
	const int flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
			  O_CLOEXEC | (make ? O_CREAT : 0);
	struct stat st;
	int fd = open(path, flags, S_IRUSR | S_IWUSR);

	if (fd < 0 && errno == ENOENT && !make)
		return 1;
	if (fd < 0 && errno == ELOOP)
		return err_set(err, ERR_ACCOUNT,
			"%s is a symbolic link: name the file that it points to", path);
	if (fd < 0 && errno == EISDIR && stat(path, &st) == 0)
		return check_kind(path, &st, err);
	if (fd < 0 && errno == EROFS)
		return err_errno(err, ERR_ACCOUNT,
			"cannot open %s (in a service: name its folder in ReadWritePaths)",
			path);
	if (fd < 0)
		return fail("open", path, err);
	*fd_r = fd;
	if (fstat(fd, &st) < 0)
		return fail("look at", path, err);
	return check_kind(path, &st, err);
}

/* Nothing tells that a lock is gone: it is tried again. -1: stop or the time is up. */
static int pause_until(int64_t deadline_ms, const struct stream_wait *wait,
	const char *who, struct err *err)
{
	int64_t next_ms = clock_ms() + MBOX_LOCK_POLL_MS;

	if (clock_ms() >= deadline_ms)
		return err_set(err, ERR_AGAIN, "%s", who);
	return wait->wait(
		wait->arg, -1, 0, next_ms < deadline_ms ? next_ms : deadline_ms, err);
}

static int lock_fcntl(int fd, const char *path, int64_t deadline_ms,
	const struct stream_wait *wait, struct err *err)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char who[ERR_TEXT_MAX];

	while (fcntl(fd, F_SETLK, &whole) < 0) {
		struct flock held = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

		if (errno == EINTR)
			continue;
		if (errno != EAGAIN && errno != EACCES)
			return fail("lock", path, err);
		if (fcntl(fd, F_GETLK, &held) < 0 || held.l_type == F_UNLCK)
			held.l_pid = 0;
		(void)snprintf(who, sizeof(who), "%.300s is locked by process %ld", path,
			(long)held.l_pid);
		if (pause_until(deadline_ms, wait, who, err) < 0)
			return -1;
	}
	return 0;
}

/* The pid in a lock file, 0 if it names none. */
static pid_t owner_of(const char *dotlock)
{
	auto_close int fd = open(dotlock, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char text[PID_TEXT_MAX];
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	uint64_t pid = 0;
	size_t digits = 0;

	if (len <= 0)
		return 0;
	while (digits < (size_t)len && text[digits] >= '0' && text[digits] <= '9')
		digits++;
	text[digits] = '\0';
	if (parse_number(text, 1, INT32_MAX, &pid, NULL) < 0)
		return 0;
	return (pid_t)pid;
}

/* Remove it if it is stale. 1: gone; 0: somebody holds it. */
static int remove_stale(const char *dotlock, pid_t *pid_r, struct err *err)
{
	struct stat st, now;

	if (lstat(dotlock, &st) < 0)
		return errno == ENOENT ? 1 : fail("look at", dotlock, err);
	*pid_r = owner_of(dotlock);
	/* Ours, while we hold the other lock: one that could not be removed. */
	if (*pid_r != getpid() &&
		!(*pid_r > 0 && kill(*pid_r, 0) < 0 && errno == ESRCH) &&
		clock_wall_s() - st.st_mtime < MBOX_STALE_S)
		return 0;
	/* Still the one that was looked at? Those who lock by the policy hold the other lock
	 * meanwhile, so only a program that does not could be in between. */
	if (lstat(dotlock, &now) < 0 || now.st_ino != st.st_ino)
		return 1;
	if (unlink(dotlock) < 0 && errno != ENOENT)
		return fail("remove the stale", dotlock, err);
	return 1;
}

/* The file that becomes the lock, with our pid in it; under the mailbox's other lock nobody else
 * of our kind is at it, so that one which is there is a rest. */
static int write_pid(const char *path, int *fd_r, struct err *err)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
	const mode_t mode = S_IRUSR | S_IRGRP | S_IROTH;
	char text[PID_TEXT_MAX];
	int fd = open(path, flags, mode);
	int len;

	if (fd < 0 && errno == EEXIST && unlink(path) == 0)
		fd = open(path, flags, mode);
	if (fd < 0 && (errno == EACCES || errno == EPERM))
		return err_errno(err, ERR_ACCOUNT,
			"cannot make %s, which locks the mailbox: its folder must be "
			"writable for this user (for /var/mail: be in the group mail)",
			path);
	if (fd < 0)
		return fail("make", path, err);
	*fd_r = fd;
	len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	return file_write(fd, (struct span){ (uint8_t *)text, (size_t)len }, path, err);
}

/* Give the file its name as a lock, unless there is one. 1: it is ours; 0: it is another's. */
static int name_lock(int fd, const char *path, struct mbox_lock *lock, struct err *err)
{
	struct stat st;

	if (linkat(AT_FDCWD, path, AT_FDCWD, lock->dotlock, 0) < 0 && errno != EEXIST) {
		if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
			return fail("make", lock->dotlock, err);
		/* No hard links here: then this. */
		if (renameat2(AT_FDCWD, path, AT_FDCWD, lock->dotlock, RENAME_NOREPLACE) <
			0)
			return errno == EEXIST ? 0 : fail("make", lock->dotlock, err);
		if (fstat(fd, &st) < 0)
			return fail("look at", lock->dotlock, err);
		lock->dotlock_ino = st.st_ino;
		return 1;
	}
	/* The count tells, not the answer: over NFS that of a link made may be lost, and where the
	 * mailbox was replaced another of our kind may be at it after all. */
	if (fstat(fd, &st) < 0)
		return fail("look at", lock->dotlock, err);
	lock->dotlock_ino = st.st_ino;
	return st.st_nlink == 2;
}

/* Content first, name then: a kill between leaves no lock that names nobody, which others would have
 * to take for held. 1: made; 0: it is there. */
static int make_dotlock(struct mbox_lock *lock, struct err *err)
{
	auto_free char *path = NULL;
	auto_close int fd = -1;
	int result = -1;

	if (asprintf(&path, "%s.new", lock->dotlock) < 0) {
		path = NULL;
		return err_memory(err);
	}
	if (write_pid(path, &fd, err) == 0)
		result = name_lock(fd, path, lock, err);
	if (fd >= 0)
		(void)unlink(path);
	return result;
}

static int lock_dot(struct mbox_lock *lock, const char *path, int64_t deadline_ms,
	const struct stream_wait *wait, struct err *err)
{
	char who[ERR_TEXT_MAX];

	if (asprintf(&lock->dotlock, "%s.lock", path) < 0) {
		lock->dotlock = NULL;
		return err_memory(err);
	}
	for (;;) {
		pid_t pid = 0;
		int result = make_dotlock(lock, err);

		if (result > 0)
			return 0;
		if (result == 0)
			result = remove_stale(lock->dotlock, &pid, err);
		(void)snprintf(who, sizeof(who),
			"%.400s is locked by its .lock (process %ld)", path, (long)pid);
		if (result == 0)
			result = pause_until(deadline_ms, wait, who, err);
		if (result < 0) {
			/* It is another's: closing must not remove it. */
			free(take_ptr(&lock->dotlock));
			return -1;
		}
	}
}

/* 1: as told by open_mailbox; 2: replaced meanwhile. */
static int try_open(const char *path, bool make, int64_t deadline_ms,
	const struct stream_wait *wait, struct mbox_lock *lock, struct err *err)
{
	struct stat st, named;
	int result = open_mailbox(path, make, &lock->fd, err);

	if (result != 0)
		return result;
	if (lock_fcntl(lock->fd, path, deadline_ms, wait, err) < 0 ||
		lock_dot(lock, path, deadline_ms, wait, err) < 0)
		return -1;
	if (fstat(lock->fd, &st) < 0)
		return fail("look at", path, err);
	lock->dev = st.st_dev;
	lock->ino = st.st_ino;
	/* A reader may have replaced it before we had the lock. */
	if (lstat(path, &named) < 0 || named.st_dev != st.st_dev ||
		named.st_ino != st.st_ino)
		return 2;
	return 0;
}

int mbox_lock_open(const char *path, bool make, int64_t max_ms,
	const struct stream_wait *wait, struct mbox_lock *lock_r, struct err *err)
{
	const int64_t deadline_ms = clock_ms() + max_ms;
	struct mbox_lock lock = { .fd = -1 };
	int result = 2;

	for (int i = 0; i < MBOX_REPLACED_MAX && result == 2; i++) {
		result = try_open(path, make, deadline_ms, wait, &lock, err);
		if (result != 0)
			mbox_lock_close(&lock);
	}
	if (result == 2)
		return err_set(err, ERR_AGAIN,
			"%s is replaced again and again by another program", path);
	if (result == 0)
		*lock_r = lock;
	return result;
}

int mbox_lock_check(const struct mbox_lock *lock, const char *path, struct err *err)
{
	struct stat named;

	if (lstat(path, &named) == 0 && named.st_dev == lock->dev &&
		named.st_ino == lock->ino)
		return 0;
	return err_set(err, ERR_AGAIN,
		"%s was removed or replaced while it was locked, by a program that ignores "
		"the locks: what was appended is delivered again",
		path);
}

void mbox_lock_close(struct mbox_lock *lock)
{
	struct stat st;

	/* Not one that another took for stale and made anew. */
	if (lock->dotlock && lstat(lock->dotlock, &st) == 0 &&
		st.st_ino == lock->dotlock_ino)
		(void)unlink(lock->dotlock);
	free(lock->dotlock);
	if (lock->fd >= 0)
		(void)close(lock->fd);
	*lock = (struct mbox_lock){ .fd = -1 };
}
