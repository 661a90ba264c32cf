/* SPDX-License-Identifier: ISC */
#include "mailfilter/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "common/clock.h"

#include "mailfilter/stream.h"

/* What password stores need to find their files and agents; nothing else of ours gets out. */
static const char *const for_passwords[] = { "PATH", "HOME", "USER", "LANG", "GNUPGHOME",
	"XDG_RUNTIME_DIR", "PASSWORD_STORE_DIR", "DBUS_SESSION_BUS_ADDRESS", NULL };

enum {
	ENVIRONMENT_MAX = 16,
	LAST_BYTES = 4096,     /* of the output, in which the last line is looked for */
	LEFT_MAX = 1024 * 1024 /* of the output read after its end: no pipe holds more */
};

struct child {
	const char *name;
	pid_t pid; /* -1: none, or reaped */
	int pidfd;
	int out; /* -1 at its end */
};

/* Whatever happened: nothing of it is left. */
static void child_done(struct child *child)
{
	if (child->pid > 0) {
		(void)kill(-child->pid, SIGKILL);
		while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	defer_close(&child->pidfd);
	defer_close(&child->out);
}

struct environment {
	char *entries[ENVIRONMENT_MAX + 1];
};

static void environment_done(struct environment *environment)
{
	for (char **entry = environment->entries; *entry; entry++)
		free(*entry);
}

static int environment_copy(struct environment *environment, const char *const *passed,
	const char *const *extra, struct err *err)
{
	size_t used = 0;

	for (; *passed && used < ENVIRONMENT_MAX; passed++) {
		const char *value = getenv(*passed);
		char *entry = NULL;

		if (value && asprintf(&entry, "%s=%s", *passed, value) < 0)
			return err_memory(err);
		if (value)
			environment->entries[used++] = entry;
	}
	for (; extra && *extra && used < ENVIRONMENT_MAX; extra++) {
		environment->entries[used] = strdup(*extra);
		if (!environment->entries[used++])
			return err_memory(err);
	}
	return 0;
}

/* The command is ended by its own signals again, and by SIGPIPE; descriptors stay here. */
static int add_descriptors(
	posix_spawn_file_actions_t *actions, int in, int out, int error)
{
	int failed = posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO);

	if (!failed && error >= 0)
		failed = posix_spawn_file_actions_adddup2(actions, error, STDERR_FILENO);
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

/* in -1: nothing; error -1: ours. */
static int spawn_prepared(pid_t *pid_r, char *const *argv, char *const *environment,
	int in, int out, int error)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, pipe_only;
	int failed;

	(void)sigemptyset(&none);
	(void)sigemptyset(&pipe_only);
	(void)sigaddset(&pipe_only, SIGPIPE);
	failed = posix_spawn_file_actions_init(&actions);
	if (failed)
		return failed;
	failed = posix_spawnattr_init(&attributes);
	if (!failed) {
		(void)posix_spawnattr_setflags(
			&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
					     POSIX_SPAWN_SETSIGDEF);
		(void)posix_spawnattr_setsigmask(&attributes, &none);
		(void)posix_spawnattr_setsigdefault(&attributes, &pipe_only);
		failed = add_descriptors(&actions, in, out, error);
		if (!failed)
			failed = posix_spawnp(
				pid_r, argv[0], &actions, &attributes, argv, environment);
		(void)posix_spawnattr_destroy(&attributes);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return failed;
}

static int failed_start(const char *name, int errnum, struct err *err)
{
	bool short_of = errnum == EAGAIN || errnum == ENOMEM || errnum == EMFILE ||
			errnum == ENFILE;

	errno = errnum;
	return err_errno(err, short_of ? ERR_AGAIN : ERR_ACCOUNT,
		"command \"%.80s\" cannot be started", name);
}

/* What it says goes through a pipe, and with an input what it complains of, too. */
static int start(struct child *child, const struct command_task *task, struct err *err)
{
	const struct schema_list *argv = task->argv;
	DEFER(environment_done) struct environment environment = { 0 };
	char *words[COMMAND_WORDS_MAX + 1] = { NULL };
	auto_close int writing = -1;
	int pipe_fds[2], failed;

	if (argv->count == 0 || argv->count > COMMAND_WORDS_MAX)
		return err_set(err, ERR_ACCOUNT,
			"a command of %zu words: expected 1 to %d", argv->count,
			COMMAND_WORDS_MAX);
	child->name = argv->items[0];
	if (environment_copy(&environment, task->passed, task->extra, err) < 0)
		return -1;
	for (size_t i = 0; i < argv->count; i++)
		words[i] = argv->items[i];
	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return failed_start(child->name, errno, err);
	child->out = pipe_fds[0];
	writing = pipe_fds[1];
	/* Only our end must not block: a command that gets EAGAIN would lose output. */
	if (fcntl(writing, F_SETFL, 0) < 0)
		return failed_start(child->name, errno, err);
	failed = spawn_prepared(&child->pid, words, environment.entries, task->input,
		writing, task->input >= 0 ? writing : -1);
	if (failed) {
		child->pid = -1;
		return failed_start(child->name, failed, err);
	}
	child->pidfd = pidfd_open(child->pid, 0);
	if (child->pidfd < 0)
		return failed_start(child->name, errno, err);
	return 0;
}

/* Take what is there. Closes its end of the pipe at the end of the output. */
static int take_output(
	struct child *child, size_t max, struct buf *output, struct err *err)
{
	while (child->out >= 0) {
		uint8_t bytes[512];
		ssize_t got = read(child->out, bytes, sizeof(bytes));
		int added;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return 0;
		if (got <= 0) {
			defer_close(&child->out);
			child->out = -1;
			return 0;
		}
		if ((size_t)got > max - output->len) {
			explicit_bzero(bytes, sizeof(bytes));
			return err_set(err, ERR_ACCOUNT,
				"command \"%.80s\" printed more than %zu bytes",
				child->name, max);
		}
		added = buf_add(output, bytes, (size_t)got, err);
		explicit_bzero(bytes, sizeof(bytes));
		if (added < 0)
			return -1;
	}
	return 0;
}

/* Until it has ended: what it started may keep the pipe open for ever. */
static int read_output(struct child *child, size_t max, int timeout_ms,
	struct buf *output, struct err *err)
{
	int64_t deadline_ms = clock_ms() + timeout_ms;
	struct pollfd fds[] = { { .fd = child->pidfd, .events = POLLIN },
		{ .fd = child->out, .events = POLLIN } };

	while (!fds[0].revents) {
		int ready = poll(fds, 2, clock_left(deadline_ms));

		if (ready < 0 && errno != EINTR)
			return err_errno(err, ERR_FATAL, "poll");
		if (ready == 0)
			return err_set(err, ERR_ACCOUNT,
				"command \"%.80s\" was not done within %d ms and was killed; "
				"it must not ask for anything",
				child->name, timeout_ms);
		if (ready < 0)
			fds[0].revents = 0;
		if (ready > 0 && take_output(child, max, output, err) < 0)
			return -1;
		fds[1].fd = child->out;
	}
	return 0;
}

static int reap(struct child *child, struct err *err)
{
	int status = 0;

	while (waitpid(child->pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_errno(err, ERR_ACCOUNT,
				"command \"%.80s\": no exit status", child->name);
	child->pid = -1;
	if (WIFSIGNALED(status))
		return err_set(err, ERR_ACCOUNT,
			"command \"%.80s\" was ended by signal %d", child->name,
			WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return err_set(err, ERR_ACCOUNT,
			"command \"%.80s\" ended with status %d: run it by hand as the same "
			"user to see why",
			child->name, WEXITSTATUS(status));
	return 0;
}

int command_read(const struct schema_list *argv, size_t max, int timeout_ms,
	struct buf *output, struct err *err)
{
	DEFER(child_done)
	struct child child = { .name = "", .pid = -1, .pidfd = -1, .out = -1 };
	const struct command_task task = {
		.argv = argv, .input = -1, .passed = for_passwords
	};

	if (start(&child, &task, err) < 0 ||
		read_output(&child, max, timeout_ms, output, err) < 0)
		return -1;
	return reap(&child, err);
}

/* The end of what is printed. */
struct last {
	char bytes[LAST_BYTES];
	size_t len;
};

static void keep_last(struct last *last, const char *bytes, size_t len)
{
	if (len >= LAST_BYTES) {
		bytes += len - LAST_BYTES;
		len = LAST_BYTES;
	}
	if (last->len + len > LAST_BYTES) {
		const size_t drop = last->len + len - LAST_BYTES;

		memmove(last->bytes, last->bytes + drop, last->len - drop);
		last->len -= drop;
	}
	memcpy(last->bytes + last->len, bytes, len);
	last->len += len;
}

static void last_line(const struct last *last, char line[static COMMAND_LINE_MAX])
{
	size_t end = last->len, start, len;

	while (end > 0 && (unsigned char)last->bytes[end - 1] <= ' ')
		end--;
	start = end;
	while (start > 0 && last->bytes[start - 1] != '\n')
		start--;
	len = end - start < COMMAND_LINE_MAX ? end - start : COMMAND_LINE_MAX - 1;
	for (size_t i = 0; i < len; i++) {
		line[i] = last->bytes[start + i];
		if (line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	}
	line[len] = '\0';
}

/* Once: one that prints without end must not keep us from looking at the clock. */
static size_t take_some(struct child *child, struct last *last)
{
	char bytes[LAST_BYTES];
	ssize_t got = child->out < 0 ? -1 : read(child->out, bytes, sizeof(bytes));

	if (got > 0)
		keep_last(last, bytes, (size_t)got);
	/* Closing it takes it out of what is waited for, too. */
	if (got == 0) {
		defer_close(&child->out);
		child->out = -1;
	}
	return got > 0 ? (size_t)got : 0;
}

static bool has_ended(const struct child *child)
{
	struct pollfd end = { .fd = child->pidfd, .events = POLLIN };

	return poll(&end, 1, 0) == 1;
}

static int watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

/* 0: it has ended, 1: not in time. */
static int wait_end(
	const struct command_task *task, struct child *child, struct last *last)
{
	const int64_t deadline_ms = clock_ms() + task->timeout_ms;
	auto_close int both = epoll_create1(EPOLL_CLOEXEC);

	if (both < 0 || watch(both, child->pidfd) < 0 || watch(both, child->out) < 0)
		return 1;
	while (!has_ended(child)) {
		if (clock_left(deadline_ms) == 0 ||
			task->wait->wait(
				task->wait->arg, both, POLLIN, deadline_ms, NULL) <= 0)
			return 1;
		(void)take_some(child, last);
	}
	/* What it printed is there by now, a pipe full at most. What it left running may go on. */
	for (size_t taken = 0; child->out >= 0 && taken < LEFT_MAX;) {
		size_t some = take_some(child, last);

		if (some == 0)
			break;
		taken += some;
	}
	return 0;
}

int command_give(const struct command_task *task, int *status_r,
	char line[static COMMAND_LINE_MAX], struct err *err)
{
	DEFER(child_done)
	struct child child = { .name = "", .pid = -1, .pidfd = -1, .out = -1 };
	struct last last = { .len = 0 };
	int result;

	line[0] = '\0';
	if (start(&child, task, err) < 0)
		return -1;
	result = wait_end(task, &child, &last);
	last_line(&last, line);
	if (result > 0)
		return 1;
	while (waitpid(child.pid, status_r, 0) < 0)
		if (errno != EINTR)
			return 1;
	child.pid = -1;
	return 0;
}
