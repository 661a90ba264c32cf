/* SPDX-License-Identifier: ISC
 *
 * A disk that fails, and a message that kills: a library put before libc (LD_PRELOAD) of a program
 * under test, which knows nothing of it. Counts the calls below one folder that change a disk,
 * and lets one of them fail. Its orders and its counts stand in a file that all processes of a
 * run share, so that the n-th call is the n-th whichever process makes it:
 *
 *     FAULTS_FILE   struct orders, made by the test with pack() (Faults.pm)
 *     FAULTS_BELOW  the folder: real path, with a slash at its end
 *     FAULTS_CRASH  abort when these bytes are received from a server
 *     FAULTS_CLOCK  so many seconds the wall clock is ahead, or behind */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

/* In the order of Faults.pm. */
enum call {
	CALL_WRITE,
	CALL_SYNC,
	CALL_RENAME,
	CALL_LINK,
	CALL_UNLINK,
	CALL_CREATE,
	CALL_TRUNCATE,
	CALLS
};

enum deed {
	DEED_NONE,
	DEED_FAIL,  /* with errnum; of a write only that one, or all from there on */
	DEED_SHORT, /* half of it is written, the next write fails */
	DEED_KILL   /* the whole process group, before the call */
};

struct orders {
	uint32_t call, which, deed, errnum, stays;
	uint32_t done; /* how often the order was carried out */
	uint32_t counts[CALLS];
};

static struct orders *orders;
static char below[4096], crash_on[256];
static time_t clock_shift_s;

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("FAULTS_FILE"), *folder = getenv("FAULTS_BELOW");
	const char *crash = getenv("FAULTS_CRASH"), *clock = getenv("FAULTS_CLOCK");
	int fd;

	if (clock)
		clock_shift_s = (time_t)strtoll(clock, NULL, 10);

	if (crash)
		(void)snprintf(crash_on, sizeof(crash_on), "%s", crash);
	if (!path || !folder)
		return;
	(void)snprintf(below, sizeof(below), "%s", folder);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		void *map = mmap(
			NULL, sizeof(*orders), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		orders = map == MAP_FAILED ? NULL : map;
		(void)close(fd);
	}
}

static int is_below(const char *path)
{
	return strncmp(path, below, strlen(below)) == 0;
}

/* The path of a descriptor, or of a name in the folder of one. */
static int fd_is_below(int fd, const char *name)
{
	char link[64], path[4096];
	ssize_t len;

	if (name && name[0] == '/')
		return is_below(name);
	(void)snprintf(link, sizeof(link),
		fd == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 2);
	if (len < 0)
		return 0;
	path[len] = '/';
	path[len + 1] = '\0';
	return is_below(path);
}

/* Is this call to fail? errno is then set. half: a part of it may be done before. */
static int fails(enum call call, int counts, int *half)
{
	uint32_t now;

	if (!orders || !counts)
		return 0;
	now = __atomic_add_fetch(&orders->counts[call], 1, __ATOMIC_SEQ_CST);
	if (orders->deed == DEED_NONE || call != orders->call || now < orders->which ||
		(now > orders->which && !orders->stays))
		return 0;
	__atomic_add_fetch(&orders->done, 1, __ATOMIC_SEQ_CST);
	if (orders->deed == DEED_KILL) {
		(void)kill(0, SIGKILL);
		(void)pause();
	}
	if (orders->deed == DEED_SHORT && now == orders->which && half) {
		*half = 1;
		return 0;
	}
	errno = (int)orders->errnum;
	return 1;
}

#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t size)
{
	int half = 0;

	if (fails(CALL_WRITE, fd_is_below(fd, NULL), &half))
		return -1;
	return NEXT(write)(fd, data, half ? size / 2 : size);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
	int half = 0;

	if (fails(CALL_WRITE, fd_is_below(fd, NULL), &half))
		return -1;
	return NEXT(pwrite64)(fd, data, half ? size / 2 : size, offset);
}

int fsync(int fd)
{
	return fails(CALL_SYNC, fd_is_below(fd, NULL), NULL) ? -1 : NEXT(fsync)(fd);
}

int fdatasync(int fd)
{
	return fails(CALL_SYNC, fd_is_below(fd, NULL), NULL) ? -1 : NEXT(fdatasync)(fd);
}

int syncfs(int fd)
{
	return fails(CALL_SYNC, fd_is_below(fd, NULL), NULL) ? -1 : NEXT(syncfs)(fd);
}

int renameat(int from, const char *old, int to, const char *new)
{
	return fails(CALL_RENAME, fd_is_below(to, new), NULL)
		       ? -1
		       : NEXT(renameat)(from, old, to, new);
}

int renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
	return fails(CALL_RENAME, fd_is_below(to, new), NULL)
		       ? -1
		       : NEXT(renameat2)(from, old, to, new, flags);
}

int rename(const char *old, const char *new)
{
	return fails(CALL_RENAME, fd_is_below(AT_FDCWD, new), NULL)
		       ? -1
		       : NEXT(rename)(old, new);
}

int linkat(int from, const char *old, int to, const char *new, int flags)
{
	return fails(CALL_LINK, fd_is_below(to, new), NULL)
		       ? -1
		       : NEXT(linkat)(from, old, to, new, flags);
}

int unlinkat(int fd, const char *name, int flags)
{
	return fails(CALL_UNLINK, fd_is_below(fd, name), NULL)
		       ? -1
		       : NEXT(unlinkat)(fd, name, flags);
}

int unlink(const char *name)
{
	return fails(CALL_UNLINK, fd_is_below(AT_FDCWD, name), NULL) ? -1
								     : NEXT(unlink)(name);
}

int ftruncate(int fd, off_t size)
{
	return fails(CALL_TRUNCATE, fd_is_below(fd, NULL), NULL)
		       ? -1
		       : NEXT(ftruncate)(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
	return fails(CALL_TRUNCATE, fd_is_below(fd, NULL), NULL)
		       ? -1
		       : NEXT(ftruncate64)(fd, size);
}

int mkdir(const char *name, mode_t mode)
{
	return fails(CALL_CREATE, fd_is_below(AT_FDCWD, name), NULL)
		       ? -1
		       : NEXT(mkdir)(name, mode);
}

int mkdirat(int fd, const char *name, mode_t mode)
{
	return fails(CALL_CREATE, fd_is_below(fd, name), NULL)
		       ? -1
		       : NEXT(mkdirat)(fd, name, mode);
}

/* Of opening only what makes a file. */
static mode_t mode_of(int flags, va_list args)
{
	return flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

#define OPEN(call_name)                                                                  \
	int call_name(const char *name, int flags, ...)                                  \
	{                                                                                \
		va_list args;                                                            \
		mode_t mode;                                                             \
                                                                                         \
		va_start(args, flags);                                                   \
		mode = mode_of(flags, args);                                             \
		va_end(args);                                                            \
		if ((flags & (O_CREAT | __O_TMPFILE)) &&                                 \
			fails(CALL_CREATE, fd_is_below(AT_FDCWD, name), NULL))           \
			return -1;                                                       \
		return NEXT(call_name)(name, flags, mode);                               \
	}
OPEN(open)
OPEN(open64)

#define OPENAT(call_name)                                                                \
	int call_name(int fd, const char *name, int flags, ...)                          \
	{                                                                                \
		va_list args;                                                            \
		mode_t mode;                                                             \
                                                                                         \
		va_start(args, flags);                                                   \
		mode = mode_of(flags, args);                                             \
		va_end(args);                                                            \
		if ((flags & (O_CREAT | __O_TMPFILE)) &&                                 \
			fails(CALL_CREATE, fd_is_below(fd, name), NULL))                 \
			return -1;                                                       \
		return NEXT(call_name)(fd, name, flags, mode);                           \
	}
OPENAT(openat)
OPENAT(openat64)

int clock_gettime(clockid_t id, struct timespec *now)
{
	int result = NEXT(clock_gettime)(id, now);

	if (result == 0 && id == CLOCK_REALTIME)
		now->tv_sec += clock_shift_s;
	return result;
}

time_t time(time_t *now_r)
{
	time_t now = NEXT(time)(NULL) + clock_shift_s;

	if (now_r)
		*now_r = now;
	return now;
}

ssize_t recv(int fd, void *data, size_t size, int flags)
{
	ssize_t got = NEXT(recv)(fd, data, size, flags);

	if (crash_on[0] && got > 0 &&
		memmem(data, (size_t)got, crash_on, strlen(crash_on)))
		abort();
	return got;
}
