/* SPDX-License-Identifier: ISC */
#include "scanner/role.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/defer.h"
#include "common/log.h"

enum {
	END_MS = 1000 /* for one that was killed to be gone */
};

/* In the child: fd becomes ROLE_FD, every other descriptor is closed. */
static int spawn(char *const argv[], int fd, pid_t *pid_r, struct err *err)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, pipe;
	int result;

	(void)sigemptyset(&none);
	(void)sigemptyset(&pipe);
	(void)sigaddset(&pipe, SIGPIPE);
	if (posix_spawn_file_actions_init(&files) != 0)
		return err_memory(err);
	if (posix_spawnattr_init(&attributes) != 0) {
		(void)posix_spawn_file_actions_destroy(&files);
		return err_memory(err);
	}
	result = posix_spawnattr_setsigmask(&attributes, &none);
	if (result == 0)
		result = posix_spawnattr_setsigdefault(&attributes, &pipe);
	if (result == 0)
		result = posix_spawnattr_setflags(
			&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (result == 0)
		result = posix_spawn_file_actions_adddup2(&files, fd, ROLE_FD);
	if (result == 0)
		result = posix_spawn_file_actions_addclosefrom_np(&files, ROLE_FD + 1);
	if (result == 0)
		result = posix_spawn(
			pid_r, "/proc/self/exe", &files, &attributes, argv, environ);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&files);
	if (result != 0)
		return err_set(err, ERR_AGAIN, "cannot start %s: %s", argv[1] + 2,
			strerror(result));
	return 0;
}

int role_start(const char *role, const char *path, int fd, pid_t *pid_r, struct err *err)
{
	static char name[] = "scanner", file[] = "-c", quiet[] = "-q", verbose[] = "-v";
	auto_free char *own_role = strdup(role);
	auto_free char *own_path = path ? strdup(path) : NULL;
	char *argv[6] = { name, own_role };
	size_t count = 2;

	if (!own_role || (path && !own_path))
		return err_memory(err);
	if (log_level() > LOG_LEVEL_INFO)
		argv[count++] = verbose;
	if (log_level() < LOG_LEVEL_INFO)
		argv[count++] = quiet;
	if (path) {
		argv[count++] = file;
		argv[count++] = own_path;
	}
	return spawn(argv, fd, pid_r, err);
}

bool role_is_orphan(void)
{
	struct pollfd fd = { .fd = ROLE_FD, .events = POLLIN };

	return poll(&fd, 1, 0) != 0 && (fd.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

void role_end(pid_t pid, int grace_ms)
{
	auto_close int fd = pidfd_open(pid, 0);
	struct pollfd ended = { .fd = fd, .events = POLLIN };

	if (fd < 0 || poll(&ended, 1, grace_ms) <= 0) {
		(void)kill(pid, SIGKILL);
		if (fd >= 0)
			(void)poll(&ended, 1, END_MS);
	}
	(void)waitpid(pid, NULL, WNOHANG);
}
