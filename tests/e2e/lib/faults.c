/* SPDX-License-Identifier: ISC
 *
 * A disk that fails, and a message that kills: a library put before libc (LD_PRELOAD) of a program
 * under test, which knows nothing of it. Counts the calls below one folder that change a disk, and
 * those that send to or receive from the network, keeps a list of them, and lets one of them fail,
 * or kills there. Its orders and its counts stand in a file that all processes of a run share, so
 * that the n-th call is the n-th whichever process makes it:
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
	CALL_SEND,
	CALL_RECEIVE,
	CALLS /* in orders: any of them */
};

enum deed {
	DEED_NONE,
	DEED_FAIL,  /* with errnum; of a write only that one, or all from there on */
	DEED_SHORT, /* half of it is written, the next write fails */
	DEED_KILL,  /* the whole process group, before the call */
	DEED_TORN   /* the same, of a write after half of it */
};

enum {
	TRACE_MAX = 2000,
	TRACE_TEXT = 60
};

struct orders {
	uint32_t call, which, deed, errnum, stays;
	uint32_t done; /* how often the order was carried out */
	uint32_t counts[CALLS];
	uint32_t total; /* of all kinds, and which they were: */
	struct {
		uint32_t call;
		char tail[TRACE_TEXT]; /* of the path */
	} trace[TRACE_MAX];
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

/* The path of a descriptor, or of a name in the folder of one, if it is below ours. */
static const char *below_of(int fd, const char *name, char path[static 8192])
{
	char link[64];
	ssize_t len = 0;

	if (name && name[0] == '/') {
		(void)snprintf(path, 8192, "%s", name);
	} else {
		(void)snprintf(link, sizeof(link),
			fd == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", fd);
		len = readlink(link, path, 4096);
		if (len < 0)
			return NULL;
		(void)snprintf(path + len, 4096, "/%s", name ? name : "");
	}
	return strncmp(path, below, strlen(below)) == 0 ? path : NULL;
}

static void kill_all(void)
{
	(void)kill(0, SIGKILL);
	(void)pause();
}

/* One more of them: its number among its kind, or among all where the order is for any. */
static uint32_t count(enum call call, const char *path)
{
	uint32_t now = __atomic_add_fetch(&orders->counts[call], 1, __ATOMIC_SEQ_CST);
	uint32_t total = __atomic_add_fetch(&orders->total, 1, __ATOMIC_SEQ_CST);
	size_t len = strlen(path);

	if (total <= TRACE_MAX) {
		orders->trace[total - 1].call = call;
		(void)snprintf(orders->trace[total - 1].tail, TRACE_TEXT, "%s",
			len < TRACE_TEXT ? path : path + len - TRACE_TEXT + 1);
	}
	return orders->call == CALLS ? total : now;
}

/* Is this call to fail? errno is then set. half: a part of it may be done before. */
static int fails(enum call call, const char *path, int *half)
{
	uint32_t now;

	if (!orders || !path)
		return 0;
	now = count(call, path);
	if (orders->deed == DEED_NONE ||
		(call != orders->call && orders->call != CALLS) || now < orders->which ||
		(now > orders->which && !orders->stays))
		return 0;
	__atomic_add_fetch(&orders->done, 1, __ATOMIC_SEQ_CST);
	if (orders->deed == DEED_KILL || (orders->deed == DEED_TORN && !half))
		kill_all();
	if (half && (orders->deed == DEED_TORN ||
			    (orders->deed == DEED_SHORT && now == orders->which))) {
		*half = 1;
		return 0;
	}
	errno = (int)orders->errnum;
	return 1;
}

/* Only the network: the programs talk to each other by other sockets. */
static const char *network(int fd)
{
	socklen_t len = sizeof(int);
	int domain = 0;

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
			       domain == AF_INET
		       ? "network"
		       : NULL;
}

#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

static ssize_t torn(ssize_t written, int half)
{
	if (half && orders->deed == DEED_TORN)
		kill_all();
	return written;
}

ssize_t write(int fd, const void *data, size_t size)
{
	char path[8192];
	int half = 0;

	if (fails(CALL_WRITE, below_of(fd, NULL, path), &half))
		return -1;
	return torn(NEXT(write)(fd, data, half ? size / 2 : size), half);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
	char path[8192];
	int half = 0;

	if (fails(CALL_WRITE, below_of(fd, NULL, path), &half))
		return -1;
	return torn(NEXT(pwrite64)(fd, data, half ? size / 2 : size, offset), half);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	char path[8192];
	int half = 0;

	if (fails(CALL_WRITE, below_of(fd, NULL, path), &half))
		return -1;
	return torn(NEXT(pwrite)(fd, data, half ? size / 2 : size, offset), half);
}

int fsync(int fd)
{
	char path[8192];

	return fails(CALL_SYNC, below_of(fd, NULL, path), NULL) ? -1 : NEXT(fsync)(fd);
}

int fdatasync(int fd)
{
	char path[8192];

	return fails(CALL_SYNC, below_of(fd, NULL, path), NULL) ? -1
								: NEXT(fdatasync)(fd);
}

int syncfs(int fd)
{
	char path[8192];

	return fails(CALL_SYNC, below_of(fd, NULL, path), NULL) ? -1 : NEXT(syncfs)(fd);
}

int renameat(int from, const char *old, int to, const char *new)
{
	char path[8192];

	return fails(CALL_RENAME, below_of(to, new, path), NULL)
		       ? -1
		       : NEXT(renameat)(from, old, to, new);
}

int renameat2(int from, const char *old, int to, const char *new, unsigned flags)
{
	char path[8192];

	return fails(CALL_RENAME, below_of(to, new, path), NULL)
		       ? -1
		       : NEXT(renameat2)(from, old, to, new, flags);
}

int rename(const char *old, const char *new)
{
	char path[8192];

	return fails(CALL_RENAME, below_of(AT_FDCWD, new, path), NULL)
		       ? -1
		       : NEXT(rename)(old, new);
}

int linkat(int from, const char *old, int to, const char *new, int flags)
{
	char path[8192];

	return fails(CALL_LINK, below_of(to, new, path), NULL)
		       ? -1
		       : NEXT(linkat)(from, old, to, new, flags);
}

int unlinkat(int fd, const char *name, int flags)
{
	char path[8192];

	return fails(CALL_UNLINK, below_of(fd, name, path), NULL)
		       ? -1
		       : NEXT(unlinkat)(fd, name, flags);
}

int unlink(const char *name)
{
	char path[8192];

	return fails(CALL_UNLINK, below_of(AT_FDCWD, name, path), NULL)
		       ? -1
		       : NEXT(unlink)(name);
}

int ftruncate(int fd, off_t size)
{
	char path[8192];

	return fails(CALL_TRUNCATE, below_of(fd, NULL, path), NULL)
		       ? -1
		       : NEXT(ftruncate)(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
	char path[8192];

	return fails(CALL_TRUNCATE, below_of(fd, NULL, path), NULL)
		       ? -1
		       : NEXT(ftruncate64)(fd, size);
}

int mkdir(const char *name, mode_t mode)
{
	char path[8192];

	return fails(CALL_CREATE, below_of(AT_FDCWD, name, path), NULL)
		       ? -1
		       : NEXT(mkdir)(name, mode);
}

int mkdirat(int fd, const char *name, mode_t mode)
{
	char path[8192];

	return fails(CALL_CREATE, below_of(fd, name, path), NULL)
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
		char path[8192];                                                         \
		va_list args;                                                            \
		mode_t mode;                                                             \
                                                                                         \
		va_start(args, flags);                                                   \
		mode = mode_of(flags, args);                                             \
		va_end(args);                                                            \
		if ((flags & (O_CREAT | __O_TMPFILE)) &&                                 \
			fails(CALL_CREATE, below_of(AT_FDCWD, name, path), NULL))        \
			return -1;                                                       \
		return NEXT(call_name)(name, flags, mode);                               \
	}
OPEN(open)
OPEN(open64)

#define OPENAT(call_name)                                                                \
	int call_name(int fd, const char *name, int flags, ...)                          \
	{                                                                                \
		char path[8192];                                                         \
		va_list args;                                                            \
		mode_t mode;                                                             \
                                                                                         \
		va_start(args, flags);                                                   \
		mode = mode_of(flags, args);                                             \
		va_end(args);                                                            \
		if ((flags & (O_CREAT | __O_TMPFILE)) &&                                 \
			fails(CALL_CREATE, below_of(fd, name, path), NULL))              \
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

ssize_t send(int fd, const void *data, size_t size, int flags)
{
	return fails(CALL_SEND, network(fd), NULL) ? -1
						   : NEXT(send)(fd, data, size, flags);
}

ssize_t recv(int fd, void *data, size_t size, int flags)
{
	ssize_t got;

	if (fails(CALL_RECEIVE, network(fd), NULL))
		return -1;
	got = NEXT(recv)(fd, data, size, flags);
	if (crash_on[0] && got > 0 &&
		memmem(data, (size_t)got, crash_on, strlen(crash_on)))
		abort();
	return got;
}
