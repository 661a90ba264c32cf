/* SPDX-License-Identifier: ISC */
#include "mailfilter/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "common/defer.h"

void program_done(struct program *program)
{
	if (program->pid > 0) {
		(void)kill(-program->pid, SIGKILL);
		while (waitpid(program->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	defer_close(&program->pidfd);
	defer_close(&program->out);
	defer_close(&program->errors);
}

/* The command is ended by its own signals again, and by SIGPIPE; descriptors stay here. */
static int add_descriptors(
	posix_spawn_file_actions_t *actions, int in, int out, int errors)
{
	int failed = posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO);

	if (!failed)
		failed = posix_spawn_file_actions_adddup2(actions, errors, STDERR_FILENO);
	if (!failed && in >= 0)
		failed = posix_spawn_file_actions_adddup2(actions, in, STDIN_FILENO);
	if (!failed && in < 0)
		failed = posix_spawn_file_actions_addopen(
			actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!failed)
		failed = posix_spawn_file_actions_addclosefrom_np(
			actions, STDERR_FILENO + 1);
	return failed;
}

static int set_signals(posix_spawnattr_t *attributes)
{
	sigset_t none, pipe_only;
	int failed;

	(void)sigemptyset(&none);
	(void)sigemptyset(&pipe_only);
	(void)sigaddset(&pipe_only, SIGPIPE);
	failed = posix_spawnattr_setflags(attributes,
		POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (!failed)
		failed = posix_spawnattr_setsigmask(attributes, &none);
	if (!failed)
		failed = posix_spawnattr_setsigdefault(attributes, &pipe_only);
	return failed;
}

static int spawn_prepared(pid_t *pid_r, char *const *argv, char *const *environment,
	int in, int out, int errors)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int failed = posix_spawn_file_actions_init(&actions);

	if (failed)
		return failed;
	failed = posix_spawnattr_init(&attributes);
	if (!failed) {
		failed = set_signals(&attributes);
		if (!failed)
			failed = add_descriptors(&actions, in, out, errors);
		if (!failed)
			failed = posix_spawnp(
				pid_r, argv[0], &actions, &attributes, argv, environment);
		(void)posix_spawnattr_destroy(&attributes);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return failed;
}

/* What is short may be there later; what is not there or may not be run needs a person. */
static int failed_start(const char *name, int errnum, struct err *err)
{
	bool short_of = errnum == EAGAIN || errnum == ENOMEM || errnum == EMFILE ||
			errnum == ENFILE || errnum == EINTR || errnum == ETXTBSY ||
			errnum == EIO || errnum == ESTALE;

	errno = errnum;
	return err_errno(err, short_of ? ERR_AGAIN : ERR_SETTINGS,
		"command \"%.80s\" cannot be started", name);
}

/* Only our end must not block: a command that gets EAGAIN would lose output. */
static int open_pipe(int *ours_r, int *its_r)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	*ours_r = fds[0];
	*its_r = fds[1];
	return fcntl(fds[1], F_SETFL, 0);
}

int program_start(struct program *program, char *const *argv, char *const *environment,
	int input, bool apart, struct err *err)
{
	auto_close int out = -1, errors = -1;
	int failed;

	program->name = argv[0];
	if (open_pipe(&program->out, &out) < 0 ||
		(apart && open_pipe(&program->errors, &errors) < 0))
		return failed_start(program->name, errno, err);
	failed = spawn_prepared(
		&program->pid, argv, environment, input, out, apart ? errors : out);
	if (failed) {
		program->pid = -1;
		return failed_start(program->name, failed, err);
	}
	program->pidfd = pidfd_open(program->pid, 0);
	if (program->pidfd < 0)
		return failed_start(program->name, errno, err);
	return 0;
}

bool program_has_ended(const struct program *program)
{
	struct pollfd end = { .fd = program->pidfd, .events = POLLIN };

	return poll(&end, 1, 0) == 1;
}

int program_reap(struct program *program, int *status_r, struct err *err)
{
	int status = 0;

	while (waitpid(program->pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno(err, ERR_ACCOUNT,
				"command \"%.80s\": no exit status", program->name);
	program->pid = -1;
	*status_r = status;
	return 0;
}
