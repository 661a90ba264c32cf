/* SPDX-License-Identifier: ISC */
#include "mailfilter/ask.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/stop.h"
#include "common/utf8.h"

void ask_init(struct ask *ask, int in, int stop_fd)
{
	*ask = (struct ask){ .in = in, .stop_fd = stop_fd, .terminal = isatty(in) == 1 };
}

void ask_done(struct ask *ask)
{
	explicit_bzero(ask->ahead, sizeof(ask->ahead));
	ask->ahead_len = 0;
}

bool ask_told_to_stop(const struct ask *ask)
{
	for (int signal; (signal = stop_next(ask->stop_fd)) != 0;)
		if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP)
			return true;
	return false;
}

/* More of the input behind what is there. */
static enum ask_result read_more(struct ask *ask)
{
	struct pollfd fds[] = { { .fd = ask->in, .events = POLLIN },
		{ .fd = ask->stop_fd, .events = POLLIN } };
	ssize_t got;

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return ASK_END;
		if (fds[1].revents && ask_told_to_stop(ask))
			return ASK_STOP;
		if (fds[0].revents)
			break;
	}
	got = read(ask->in, ask->ahead + ask->ahead_len,
		sizeof(ask->ahead) - ask->ahead_len);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return ASK_OK;
	if (got <= 0)
		return ASK_END;
	ask->ahead_len += (size_t)got;
	return ASK_OK;
}

/* Take a line out of what was read; its end is left behind. */
static void take(struct ask *ask, size_t len, char *line, size_t size)
{
	const size_t used = len < ask->ahead_len ? len + 1 : len;
	size_t kept = len < size ? len : size - 1;

	memcpy(line, ask->ahead, kept);
	if (kept > 0 && line[kept - 1] == '\r')
		kept--;
	line[kept] = '\0';
	memmove(ask->ahead, ask->ahead + used, ask->ahead_len - used);
	ask->ahead_len -= used;
	explicit_bzero(ask->ahead + ask->ahead_len, sizeof(ask->ahead) - ask->ahead_len);
}

/* The next line; too_long_r: its beginning is all that is there. A last one without an end counts. */
static enum ask_result read_line(
	struct ask *ask, char line[static ASK_ANSWER_MAX], bool *too_long_r)
{
	*too_long_r = false;
	for (;;) {
		const char *end = memchr(ask->ahead, '\n', ask->ahead_len);
		enum ask_result result;

		if (end) {
			const size_t len = (size_t)(end - ask->ahead);

			*too_long_r |=
				len >= ASK_ANSWER_MAX || memchr(ask->ahead, 0, len);
			take(ask, len, line, ASK_ANSWER_MAX);
			return ASK_OK;
		}
		if (ask->ahead_len == sizeof(ask->ahead)) {
			*too_long_r = true;
			ask->ahead_len = 0;
		}
		result = read_more(ask);
		if (result == ASK_END && ask->ahead_len > 0) {
			*too_long_r |= ask->ahead_len >= ASK_ANSWER_MAX;
			take(ask, ask->ahead_len, line, ASK_ANSWER_MAX);
			return ASK_OK;
		}
		if (result != ASK_OK)
			return result;
	}
}

static bool is_text(const char *line)
{
	for (const char *at = line; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return false;
	return utf8_valid(span_str(line));
}

static enum ask_result ask_text(
	struct ask *ask, const char *prompt, char answer[static ASK_ANSWER_MAX])
{
	for (;;) {
		enum ask_result result;
		bool too_long;

		(void)fputs(prompt, stdout);
		(void)fflush(stdout);
		result = read_line(ask, answer, &too_long);
		if (result != ASK_OK) {
			(void)putchar('\n');
			return result;
		}
		/* Nobody sees what a script answers; a line a question all the same. */
		if (!ask->terminal)
			(void)putchar('\n');
		if (!too_long && is_text(answer))
			return ASK_OK;
		(void)puts(
			too_long
				? "That is too long; once more."
				: "There is a character in it that is no text; once more.");
	}
}

enum ask_result ask_line(struct ask *ask, const char *question, const char *preset,
	char answer[static ASK_ANSWER_MAX])
{
	char prompt[2 * ASK_ANSWER_MAX];
	enum ask_result result;

	(void)snprintf(prompt, sizeof(prompt), "%s%s%s%s: ", question,
		preset[0] ? " [" : "", preset, preset[0] ? "]" : "");
	result = ask_text(ask, prompt, answer);
	if (result == ASK_OK && !answer[0])
		(void)snprintf(answer, ASK_ANSWER_MAX, "%s", preset);
	return result;
}

/* What would end us with the echo off ends us no more, but for what stop.h reads. */
static bool hide(const struct ask *ask, struct termios *saved)
{
	struct termios silent;

	if (!ask->terminal || tcgetattr(ask->in, saved) < 0)
		return false;
	silent = *saved;
	silent.c_lflag &= (tcflag_t) ~(ECHO | ECHOE | ECHOK);
	silent.c_lflag |= ECHONL;
	silent.c_cc[VQUIT] = silent.c_cc[VSUSP] = _POSIX_VDISABLE;
	return tcsetattr(ask->in, TCSAFLUSH, &silent) == 0;
}

enum ask_result ask_secret(
	struct ask *ask, const char *question, char answer[static ASK_ANSWER_MAX])
{
	char prompt[ASK_ANSWER_MAX];
	enum ask_result result;
	struct termios saved;
	bool hidden = hide(ask, &saved);

	(void)snprintf(prompt, sizeof(prompt), "%s: ", question);
	result = ask_text(ask, prompt, answer);
	if (hidden)
		(void)tcsetattr(ask->in, TCSAFLUSH, &saved);
	return result;
}
