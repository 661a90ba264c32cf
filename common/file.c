/* SPDX-License-Identifier: ISC */
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/parse.h"

enum {
	READ_CHUNK = 16 * 1024,
	PID_TEXT_MAX = 16,
	REMEDY_MAX = 96
};

enum err_kind file_err_kind(int errnum)
{
	switch (errnum) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
	case EMFILE:
	case ENFILE:
	case EIO:
	case EAGAIN:
	case EINTR:
	case EBUSY:
	case ENOLCK:
	case ENOBUFS:
	case ESTALE:
	case ETIMEDOUT:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENETDOWN:
	case ENETUNREACH:
		return ERR_AGAIN;
	case ENOMEM:
		return ERR_FATAL;
	default:
		return ERR_ACCOUNT;
	}
}

/* What a person can do about it; "" where that depends. */
static const char *remedy(int errnum, char text[static REMEDY_MAX])
{
	switch (errnum) {
	case EACCES:
	case EPERM:
		(void)snprintf(text, REMEDY_MAX,
			": run as its owner, or give it to this user (uid %u)",
			(unsigned)geteuid());
		return text;
	case EROFS:
		return ": choose a place that can be written";
	case ENOSPC:
	case EDQUOT:
		return ": make room there";
	default:
		return "";
	}
}

static int fail(const char *what, const char *path, struct err *err)
{
	const int errnum = errno;
	char text[REMEDY_MAX];

	(void)err_set(err, file_err_kind(errnum), "cannot %s %s: %s%s", what, path,
		strerror(errnum), remedy(errnum, text));
	errno = errnum;
	return -1;
}

/* path without slashes at its end: behind "link/" O_NOFOLLOW follows the link. */
static int trim(const char *path, char name[static PATH_MAX], struct err *err)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	if (len >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return fail("use", path, err);
	}
	memcpy(name, path, len);
	name[len] = '\0';
	return 0;
}

static int open_parent(const char *path, int *fd_r, struct err *err)
{
	char parent[PATH_MAX];
	char *slash;
	int fd;

	if (trim(path, parent, err) < 0)
		return -1;
	slash = strrchr(parent, '/');
	if (slash)
		slash[slash == parent ? 1 : 0] = '\0';
	fd = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail("open the folder of", path, err);
	*fd_r = fd;
	return 0;
}

static int sync_parent(const char *path, struct err *err)
{
	auto_close int fd = -1;

	if (open_parent(path, &fd, err) < 0)
		return -1;
	return file_sync_dir(fd, path, err);
}

static int read_all(
	int fd, size_t max, struct buf *buf, const char *path, struct err *err)
{
	size_t start = buf->len;

	for (;;) {
		uint8_t chunk[READ_CHUNK];
		ssize_t got = read(fd, chunk, sizeof(chunk));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail("read", path, err);
		if (got == 0)
			return 0;
		if ((size_t)got > max - (buf->len - start))
			return err_set(
				err, ERR_ACCOUNT, "%s: more than %zu bytes", path, max);
		if (buf_add(buf, chunk, (size_t)got, err) < 0)
			return err_wrap(err, "%s", path);
	}
}

int file_read(const char *path, size_t max, struct buf *buf, struct err *err)
{
	auto_close int fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	size_t start = buf->len;

	if (fd < 0)
		return fail("open", path, err);
	if (read_all(fd, max, buf, path, err) < 0) {
		buf->len = start;
		return -1;
	}
	return 0;
}

int file_write(int fd, struct span bytes, const char *path, struct err *err)
{
	while (bytes.len > 0) {
		ssize_t done = write(fd, bytes.data, bytes.len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done == 0)
			errno = ENOSPC;
		if (done <= 0)
			return fail("write", path, err);
		bytes = span_part(bytes, (size_t)done, bytes.len);
	}
	return 0;
}

int file_sync_close(int *fd, const char *path, struct err *err)
{
	int own = take_fd(fd);

	if (fsync(own) < 0) {
		(void)fail("sync", path, err);
		(void)close(own);
		return -1;
	}
	/* Interrupted, Linux has closed it all the same, and the bytes are synced. */
	if (close(own) < 0 && errno != EINTR)
		return fail("close", path, err);
	return 0;
}

int file_sync_dir(int dirfd, const char *path, struct err *err)
{
	/* EINVAL: the file system keeps no names to sync (some network and FUSE ones). */
	if (fsync(dirfd) < 0 && errno != EINVAL)
		return fail("sync the folder of", path, err);
	return 0;
}

static int replace_with(const char *tmp, const char *path, struct span bytes, mode_t mode,
	struct err *err)
{
	auto_close int fd = -1;

	/* A rest of a killed process goes; O_EXCL then refuses what was planted since. */
	if (unlink(tmp) < 0 && errno != ENOENT)
		return fail("remove", tmp, err);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		S_IRUSR | S_IWUSR);
	if (fd < 0)
		return fail("make", tmp, err);
	if (fchmod(fd, mode) < 0)
		return fail("set the mode of", tmp, err);
	if (file_write(fd, bytes, tmp, err) < 0 || file_sync_close(&fd, tmp, err) < 0)
		return -1;
	if (rename(tmp, path) < 0)
		return fail("put in place", path, err);
	return sync_parent(path, err);
}

int file_replace(const char *path, struct span bytes, mode_t mode, struct err *err)
{
	auto_free char *tmp = NULL;

	if (asprintf(&tmp, "%s.tmp", path) < 0) {
		tmp = NULL;
		return err_memory(err);
	}
	if (replace_with(tmp, path, bytes, mode, err) < 0) {
		(void)unlink(tmp);
		return -1;
	}
	return 0;
}

/* One directory whose parent is there. */
static int make_dir(const char *path, mode_t mode, struct err *err)
{
	struct stat st;

	/* Asked first: mkdir on one that is there may also say EROFS or EACCES. */
	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		return err_set(err, ERR_ACCOUNT, "%s is there and is not a folder", path);
	}
	if (mkdir(path, mode) < 0)
		return errno == EEXIST ? 0 : fail("make the folder", path, err);
	/* Else a power cut takes the folder, and with it what was synced inside. */
	return sync_parent(path, err);
}

int file_mkdirs(const char *path, mode_t mode, struct err *err)
{
	char part[PATH_MAX];

	if (trim(path, part, err) < 0)
		return -1;
	for (char *p = part; *p; p++) {
		if (*p != '/' || p == part || p[-1] == '/')
			continue;
		*p = '\0';
		if (make_dir(part, mode, err) < 0)
			return -1;
		*p = '/';
	}
	return make_dir(part, mode, err);
}

int file_open_dir(const char *path, int *fd_r, struct err *err)
{
	char name[PATH_MAX];
	struct stat st;
	int fd;

	if (trim(path, name, err) < 0)
		return -1;
	fd = open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0) {
		*fd_r = fd;
		return 0;
	}
	if ((errno == ENOTDIR || errno == ELOOP) && lstat(name, &st) == 0)
		return err_set(err, ERR_ACCOUNT, "%s is %s, a folder was expected", name,
			S_ISLNK(st.st_mode) ? "a symbolic link" : "not a folder");
	return fail("open the folder", name, err);
}

int file_open_own_dir(const char *path, int *fd_r, struct err *err)
{
	auto_close int fd = -1;
	struct stat st;

	if (file_open_dir(path, &fd, err) < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return fail("look at", path, err);
	if (st.st_mode & S_IWOTH)
		return err_set(err, ERR_ACCOUNT,
			"everybody may write to %s, which is not safe: "
			"chmod 700 %s",
			path, path);
	*fd_r = take_fd(&fd);
	return 0;
}

/* Who holds the lock, as it wrote itself; "" if it has not yet. */
static void read_pid(int fd, char text[static PID_TEXT_MAX])
{
	ssize_t got = pread(fd, text, PID_TEXT_MAX - 1, 0);
	size_t len = 0;

	while (got > 0 && len < (size_t)got && text[len] >= '0' && text[len] <= '9')
		len++;
	text[len] = '\0';
}

int file_lock(const char *path, int *fd_r, struct err *err)
{
	auto_close int fd = open(path,
		O_RDWR | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, S_IRUSR | S_IWUSR);
	char pid[PID_TEXT_MAX];

	if (fd < 0)
		return fail("open", path, err);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return fail("lock", path, err);
		read_pid(fd, pid);
		errno = EWOULDBLOCK;
		return err_set(err, ERR_AGAIN, "%s is held by %s%s", path,
			pid[0] ? "process " : "another process", pid);
	}
	(void)snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) < 0)
		return fail("write", path, err);
	if (file_write(fd, span_str(pid), path, err) < 0)
		return -1;
	*fd_r = take_fd(&fd);
	return 0;
}

bool file_lock_pid(const char *path, pid_t *pid_r)
{
	auto_close int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	char text[PID_TEXT_MAX] = "";
	uint64_t pid;

	if (fd >= 0)
		read_pid(fd, text);
	if (parse_number(text, 1, INT32_MAX, &pid, NULL) < 0)
		return false;
	*pid_r = (pid_t)pid;
	return true;
}

DIR *file_list(int dirfd)
{
	auto_close int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir)
		(void)take_fd(&fd);
	return dir;
}
