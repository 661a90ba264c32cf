/* SPDX-License-Identifier: ISC */
#include "scanner/child.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"

#include "scanner/job.h"

/* In the child: our end of the socket becomes CHILD_FD, every other descriptor is closed, and
 * signals are as a program expects them. */
static int spawn(pid_t *pid_r, int fd, char *const argv[], struct err *err)
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
		result = posix_spawn_file_actions_adddup2(&files, fd, CHILD_FD);
	if (result == 0)
		result = posix_spawn_file_actions_addclosefrom_np(&files, CHILD_FD + 1);
	if (result == 0)
		result = posix_spawn(
			pid_r, "/proc/self/exe", &files, &attributes, argv, environ);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&files);
	if (result != 0)
		return err_set(err, ERR_AGAIN, "cannot start another process: %s",
			strerror(result));
	return 0;
}

int child_start(const char *role, const struct settings *settings, pid_t *pid_r,
	int *fd_r, struct err *err)
{
	static char name[] = "scanner", file[] = "-c", quiet[] = "-q", verbose[] = "-v";
	auto_free char *as = strdup(role);
	char *argv[6] = { name, as };
	size_t count = 2;
	auto_close int near = -1, far = -1;
	int fds[2];

	if (!as)
		return err_memory(err);
	if (log_level() > LOG_LEVEL_INFO)
		argv[count++] = verbose;
	if (log_level() < LOG_LEVEL_INFO)
		argv[count++] = quiet;
	if (settings->path) {
		argv[count++] = file;
		argv[count++] = settings->path;
	}
	if (job_socketpair(fds, err) < 0)
		return -1;
	near = fds[0];
	far = fds[1];
	if (spawn(pid_r, far, argv, err) < 0)
		return -1;
	*fd_r = take_fd(&near);
	return 0;
}

bool child_is_orphan(void)
{
	struct pollfd fd = { .fd = CHILD_FD, .events = POLLIN };

	return poll(&fd, 1, 0) != 0 && (fd.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}
