/* SPDX-License-Identifier: ISC */
#include "mailfilter/command.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "common/clock.h"

#include "mailfilter/program.h"
#include "mailfilter/stream.h"

enum {
	ENVIRONMENT_MAX = 16,
	LAST_BYTES = 4096,     /* of the output, in which the last line is looked for */
	LEFT_MAX = 1024 * 1024 /* of the output read after its end: no pipe holds more */
};

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

static int start(struct program *child, const struct command_task *task, bool apart,
	struct err *err)
{
	const struct schema_list *argv = task->argv;
	DEFER(environment_done) struct environment environment = { 0 };
	char *words[COMMAND_WORDS_MAX + 1] = { NULL };

	if (argv->count == 0 || argv->count > COMMAND_WORDS_MAX)
		return err_set(err, ERR_ACCOUNT,
			"a command of %zu words: expected 1 to %d", argv->count,
			COMMAND_WORDS_MAX);
	if (environment_copy(&environment, task->passed, task->extra, err) < 0)
		return -1;
	for (size_t i = 0; i < argv->count; i++)
		words[i] = argv->items[i];
	return program_start(child, words, environment.entries, task->input, apart, err);
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

/* Closing it takes it out of what is waited for, too. */
static void close_end(int *fd)
{
	defer_close(fd);
	*fd = -1;
}

/* Once: one that prints without end must not keep us from looking at the clock. */
static size_t take_some(int *fd, struct last *last)
{
	char bytes[LAST_BYTES];
	ssize_t got = *fd < 0 ? -1 : read(*fd, bytes, sizeof(bytes));

	if (got > 0)
		keep_last(last, bytes, (size_t)got);
	if (got == 0)
		close_end(fd);
	return got > 0 ? (size_t)got : 0;
}

/* What is there by now, a pipe full at most. What it left running may go on. */
static void take_rest(int *fd, struct last *last)
{
	for (size_t taken = 0; *fd >= 0 && taken < LEFT_MAX;) {
		size_t some = take_some(fd, last);

		if (some == 0)
			break;
		taken += some;
	}
}

/* What a command prints that is run for that. */
struct taking {
	size_t max;
	struct buf *output;
};

static int take_output(
	struct program *child, const struct taking *taking, struct err *err)
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
			close_end(&child->out);
			return 0;
		}
		if ((size_t)got > taking->max - taking->output->len) {
			explicit_bzero(bytes, sizeof(bytes));
			return err_set(err, ERR_ACCOUNT,
				"command \"%.80s\" printed more than %zu bytes",
				child->name, taking->max);
		}
		added = buf_add(taking->output, bytes, (size_t)got, err);
		explicit_bzero(bytes, sizeof(bytes));
		if (added < 0)
			return -1;
	}
	return 0;
}

static int watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return fd < 0 ? 0 : epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static int late(
	const struct program *child, const struct command_task *task, struct err *err)
{
	return err_set(err, ERR_ACCOUNT,
		"command \"%.80s\" was not done within %" PRId64 " ms and was killed; it "
		"must not ask for anything",
		child->name, task->timeout_ms);
}

/* Until it has ended, not until nothing is open: what it started may keep the pipe for ever. */
static int wait_end(const struct command_task *task, struct program *child,
	const struct taking *taking, struct last *last, struct err *err)
{
	const int64_t deadline_ms = clock_ms() + task->timeout_ms;
	auto_close int all = epoll_create1(EPOLL_CLOEXEC);

	if (all < 0 || watch(all, child->pidfd) < 0 || watch(all, child->out) < 0 ||
		watch(all, child->errors) < 0)
		return err_errno(err, ERR_AGAIN, "command \"%.80s\"", child->name);
	for (bool ended = false; !ended;) {
		int ready;

		if (clock_left(deadline_ms) == 0)
			return late(child, task, err);
		ready = task->wait->wait(task->wait->arg, all, POLLIN, deadline_ms, err);
		if (ready < 0)
			return -1;
		if (ready == 0)
			return late(child, task, err);
		/* Looked at first: then what it has printed by its end is there. */
		ended = program_has_ended(child);
		if (taking && take_output(child, taking, err) < 0)
			return -1;
		if (!taking)
			(void)take_some(&child->out, last);
		(void)take_some(&child->errors, last);
	}
	if (!taking)
		take_rest(&child->out, last);
	take_rest(&child->errors, last);
	return 0;
}

static int say_end(
	const struct program *child, int status, const char *line, struct err *err)
{
	const char *more = line[0] ? line : "run it by hand as the same user to see why";

	if (WIFSIGNALED(status))
		return err_set(err, ERR_ACCOUNT,
			"command \"%.80s\" was ended by signal %d%s%s", child->name,
			WTERMSIG(status), line[0] ? ": " : "", line);
	return err_set(err, ERR_ACCOUNT, "command \"%.80s\" ended with status %d: %s",
		child->name, WEXITSTATUS(status), more);
}

int command_read(
	const struct command_task *task, size_t max, struct buf *output, struct err *err)
{
	DEFER(program_done) struct program child = PROGRAM_NONE;
	const struct taking taking = { .max = max, .output = output };
	struct last last = { .len = 0 };
	char line[COMMAND_LINE_MAX];
	int status;

	if (start(&child, task, true, err) < 0 ||
		wait_end(task, &child, &taking, &last, err) < 0 ||
		program_reap(&child, &status, err) < 0)
		return -1;
	if (status == 0)
		return 0;
	last_line(&last, line);
	return say_end(&child, status, line, err);
}

int command_give(const struct command_task *task, int *status_r,
	char line[static COMMAND_LINE_MAX], struct err *err)
{
	DEFER(program_done) struct program child = PROGRAM_NONE;
	struct last last = { .len = 0 };
	int result;

	line[0] = '\0';
	if (start(&child, task, false, err) < 0)
		return -1;
	result = wait_end(task, &child, NULL, &last, NULL);
	last_line(&last, line);
	if (result < 0)
		return 1;
	return program_reap(&child, status_r, NULL) < 0 ? 1 : 0;
}
