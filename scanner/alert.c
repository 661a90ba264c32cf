/* SPDX-License-Identifier: ISC */
#include "scanner/alert.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

#include "scanner/capabilities.h"

enum {
	VARIABLES = 3,
	VARIABLE_MAX = CHECK_TEXT_MAX + 32,
};

/* What the service manager gave to the scanner is not the command's to use. */
static bool is_passed_on(const char *variable)
{
	return strncmp(variable, "NOTIFY_SOCKET=", strlen("NOTIFY_SOCKET=")) != 0 &&
	       strncmp(variable, "WATCHDOG_", strlen("WATCHDOG_")) != 0 &&
	       strncmp(variable, "CHECK_", strlen("CHECK_")) != 0;
}

/* Our environment and our own; the array alone is the caller's to free. */
static int make_environment(
	char own[VARIABLES][VARIABLE_MAX], char ***environment_r, struct err *err)
{
	size_t count = 0, used = 0;

	while (environ[count])
		count++;
	*environment_r = calloc(count + VARIABLES + 1, sizeof(**environment_r));
	if (!*environment_r)
		return err_memory(err);
	for (size_t i = 0; i < count; i++)
		if (is_passed_on(environ[i]))
			(*environment_r)[used++] = environ[i];
	for (size_t i = 0; i < VARIABLES; i++)
		(*environment_r)[used++] = own[i];
	return 0;
}

/* Its descriptors: the sentence, and nothing. */
static int set_files(posix_spawn_file_actions_t *files, int input)
{
	int result = posix_spawn_file_actions_adddup2(files, input, STDIN_FILENO);

	if (result == 0)
		result = posix_spawn_file_actions_addopen(
			files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (result == 0)
		result = posix_spawn_file_actions_adddup2(
			files, STDOUT_FILENO, STDERR_FILENO);
	if (result == 0)
		result = posix_spawn_file_actions_addclosefrom_np(
			files, STDERR_FILENO + 1);
	return result;
}

/* Signals as a program expects them, and a group of its own, to be killed as a whole. */
static int set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t all, none;
	int result;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	result = posix_spawnattr_setsigmask(attributes, &none);
	if (result == 0)
		result = posix_spawnattr_setsigdefault(attributes, &all);
	if (result == 0)
		result = posix_spawnattr_setpgroup(attributes, 0);
	if (result == 0)
		result = posix_spawnattr_setflags(
			attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
					    POSIX_SPAWN_SETPGROUP);
	return result;
}

static int start(char *const argv[], char *const environment[], int input, pid_t *pid_r,
	struct err *err)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int result;

	if (posix_spawn_file_actions_init(&files) != 0)
		return err_memory(err);
	if (posix_spawnattr_init(&attributes) != 0) {
		(void)posix_spawn_file_actions_destroy(&files);
		return err_memory(err);
	}
	result = set_files(&files, input);
	if (result == 0)
		result = set_attributes(&attributes);
	if (result == 0)
		result = posix_spawn(
			pid_r, argv[0], &files, &attributes, argv, environment);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&files);
	if (result != 0)
		return err_set(err, ERR_AGAIN, "%s: %s", argv[0], strerror(result));
	return 0;
}

/* True: it ended by itself. *seconds becomes what it was given in the end. */
static bool ends(int fd, int stop_fd, int *seconds)
{
	int64_t deadline = clock_ms() + *seconds * INT64_C(1000);
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = stop_fd } };
	int got;

	while ((got = poll(fds, 2, clock_left(deadline))) != 0) {
		if (got < 0 && errno != EINTR)
			return false;
		if (got > 0 && fds[0].revents != 0)
			return true;
		if (got < 0 || fds[1].revents == 0)
			continue;
		fds[1].fd = -1;
		*seconds = ALERT_END_S;
		if (deadline > clock_ms() + ALERT_END_S * INT64_C(1000))
			deadline = clock_ms() + ALERT_END_S * INT64_C(1000);
	}
	return false;
}

/* What it left behind in its group goes with it. */
static int wait_for(
	pid_t pid, const char *name, int seconds, int stop_fd, struct err *err)
{
	auto_close int fd = pidfd_open(pid, 0);
	bool late = fd < 0 || !ends(fd, stop_fd, &seconds);
	int status = 0;

	(void)kill(-pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		return err_errno(err, ERR_AGAIN, "%s", name);
	if (late)
		return err_set(err, ERR_AGAIN, "%s: not done in %d seconds: killed", name,
			seconds);
	if (WIFSIGNALED(status))
		return err_set(err, ERR_AGAIN, "%s: signal %d", name, WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return err_set(
			err, ERR_AGAIN, "%s: exit code %d", name, WEXITSTATUS(status));
	return 0;
}

int alert_run(const struct schema_list *command, const struct checks_entry *about,
	int seconds, int stop_fd, struct err *err)
{
	const char *level = check_level_name(about->result.level);
	char own[VARIABLES][VARIABLE_MAX];
	auto_free char **environment = NULL;
	auto_free char **argv = calloc(command->count + 1, sizeof(*argv));
	auto_close int read_end = -1, write_end = -1;
	int ends[2];
	pid_t pid;

	if (!argv)
		return err_memory(err);
	if (capabilities_pass_none_on(err) < 0)
		return -1;
	memcpy(argv, command->items, command->count * sizeof(*argv));
	(void)snprintf(own[0], VARIABLE_MAX, "CHECK_NAME=%s", about->name);
	(void)snprintf(own[1], VARIABLE_MAX, "CHECK_LEVEL=%s", level);
	(void)snprintf(own[2], VARIABLE_MAX, "CHECK_TEXT=%s", about->result.text);
	if (make_environment(own, &environment, err) < 0)
		return -1;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(err, ERR_AGAIN, "pipe");
	read_end = ends[0];
	write_end = ends[1];
	/* A pipe has room for it, whether it is read or not. */
	if (dprintf(write_end, "%s: %s: %s\n", about->name, level, about->result.text) <
		0)
		return err_errno(err, ERR_AGAIN, "pipe");
	(void)close(take_fd(&write_end));
	if (start(argv, environment, read_end, &pid, err) < 0)
		return -1;
	return wait_for(pid, argv[0], seconds, stop_fd, err);
}
