/* SPDX-License-Identifier: ISC
 *
 * Delivery to a command. It gets the message as a file, not through a pipe: there is no half of it
 * when we are killed, and nothing to wait for when it does not read on. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "common/file.h"

#include "mailfilter/deliver_handover.h"
#include "mailfilter/runner.h"

/* A descriptor for reading the message from its start, that shares nothing with ours. */
static int open_message(struct body *body, int *fd_r, struct err *err)
{
	auto_close int fd = -1;
	char path[40];

	if (body->fd >= 0) {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", body->fd);
	} else {
		fd = memfd_create("message", MFD_CLOEXEC);
		if (fd < 0)
			return err_errno(err, ERR_AGAIN, "cannot make a file in memory");
		if (body_save(body, fd, "a file in memory", err) < 0)
			return -1;
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	*fd_r = open(path, O_RDONLY | O_CLOEXEC);
	if (*fd_r < 0)
		return err_errno(
			err, file_err_kind(errno), "cannot open the message once more");
	return 0;
}

/* Of sysexits.h those that blame the machine and not the message, as 75 (later) does; and those of a
 * shell that could not run it. */
static bool is_down(int status)
{
	static const int codes[] = { EX_UNAVAILABLE, EX_OSERR, EX_OSFILE, EX_CANTCREAT,
		EX_IOERR, EX_TEMPFAIL, EX_CONFIG, 126, 127 };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (WIFEXITED(status) && WEXITSTATUS(status) == codes[i])
			return true;
	return false;
}

static enum handover_result say_why(
	const char *name, int status, const char *line, struct err *err)
{
	const char *colon = line[0] ? ": " : "";

	if (WIFSIGNALED(status))
		(void)err_set(err, ERR_AGAIN, "deliver-command %.80s: signal %d%s%s",
			name, WTERMSIG(status), colon, line);
	else
		(void)err_set(err, ERR_AGAIN, "deliver-command %.80s: status %d%s%s",
			name, WEXITSTATUS(status), colon, line);
	return is_down(status) ? HANDOVER_DOWN : HANDOVER_REFUSED;
}

static enum handover_result give(
	struct handover *handover, struct body *body, const char *sender, struct err *err)
{
	const struct account_settings *account = handover->account;
	struct runner_end end;
	auto_close int input = -1;
	int result;

	if (open_message(body, &input, err) < 0)
		return HANDOVER_REFUSED;
	result = runner_give(account, input, sender, &handover->wait, &end, err);
	if (result < 0) {
		(void)err_wrap(err, "deliver-command");
		return HANDOVER_DOWN;
	}
	if (result > 0) {
		(void)err_set(err, ERR_AGAIN,
			"deliver-command %.80s was not done in time and was killed; it may "
			"have delivered%s%s",
			account->deliver_command.items[0], end.line[0] ? ": " : "",
			end.line);
		return HANDOVER_DOUBT;
	}
	if (end.status == 0)
		return HANDOVER_TAKEN;
	return say_why(account->deliver_command.items[0], end.status, end.line, err);
}

static void close_nothing(struct handover *handover)
{
	(void)handover;
}

static const struct handover_ops ops = { .give = give, .close = close_nothing };

int deliver_pipe_open(
	const struct deliver_tools *tools, struct deliver **deliver_r, struct err *err)
{
	struct handover *own = calloc(1, sizeof(*own));

	if (!own)
		return err_memory(err);
	if (handover_open(own, &ops, tools, err) < 0) {
		free(own);
		return -1;
	}
	*deliver_r = &own->deliver;
	return 0;
}
