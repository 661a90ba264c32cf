/* SPDX-License-Identifier: ISC */
#include "mailfilter/standing.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/stop.h"

#include "mailfilter/login.h"

/* One wait in IDLE. */
struct watch {
	const struct standing_ears *ears;
	bool stopped, called;
};

/* The stream keeps this function; whose turn it is changes. */
static int wait_now(void *arg, int fd, short events, int64_t deadline_ms, struct err *err)
{
	const struct standing *standing = arg;

	return standing->wait.wait(standing->wait.arg, fd, events, deadline_ms, err);
}

int standing_open(struct standing *standing, struct err *err)
{
	const struct stream_wait wait = { .wait = wait_now, .arg = standing };

	return login_open(&standing->account, &wait, &standing->source, err);
}

void standing_close(struct standing *standing)
{
	if (standing->source)
		standing->source->ops->close(standing->source);
	standing->source = NULL;
}

bool standing_can_idle(const struct standing *standing)
{
	const struct source *source = standing->source;

	return standing->account.idle && source && source->ops->can_idle &&
	       source->ops->can_idle(source);
}

void standing_listed(struct standing *standing, const char *folder, uint32_t uidvalidity,
	uint32_t listed_to)
{
	(void)snprintf(standing->folder, sizeof(standing->folder), "%s", folder);
	standing->idle = (struct source_idle){ .folder = standing->folder,
		.uidvalidity = uidvalidity,
		.listed_to = listed_to,
		.refresh_ms = standing->account.idle_refresh_ms };
}

static int stopped(struct watch *watch, struct err *err)
{
	watch->stopped = true;
	return err_set(err, ERR_AGAIN, "stopped by a signal");
}

static bool stop_came(const struct watch *watch)
{
	for (int signal; (signal = stop_next(watch->ears->stop_fd)) != 0;)
		if (signal == SIGTERM || signal == SIGINT)
			return true;
	return false;
}

/* 1: fd is ready, 0: the deadline or (where it counts) a call, -1: the end. */
static int wait_for(struct watch *watch, struct pollfd *fds, nfds_t count,
	int64_t deadline_ms, struct err *err)
{
	for (;;) {
		int left_ms = clock_left(deadline_ms);
		char byte;

		if (poll(fds, count, left_ms) < 0 && errno != EINTR)
			return err_errno(err, ERR_FATAL, "poll");
		if (fds[1].revents && stop_came(watch))
			return stopped(watch, err);
		if (count > 2 && fds[2].revents) {
			if (read(watch->ears->call_fd, &byte, 1) == 0)
				return stopped(watch, err);
			watch->called = true;
			return 0;
		}
		if (fds[0].revents)
			return 1;
		if (left_ms == 0)
			return 0;
	}
}

/* For the answer to a command: a call can wait. */
static int wait_answer(
	void *arg, int fd, short events, int64_t deadline_ms, struct err *err)
{
	struct watch *watch = arg;
	struct pollfd fds[2] = { { .fd = fd, .events = events },
		{ .fd = watch->ears->stop_fd, .events = POLLIN } };

	return wait_for(watch, fds, 2, deadline_ms, err);
}

static int wait_news(
	void *arg, int fd, short events, int64_t deadline_ms, struct err *err)
{
	struct watch *watch = arg;
	struct pollfd fds[3] = { { .fd = fd, .events = events },
		{ .fd = watch->ears->stop_fd, .events = POLLIN },
		{ .fd = watch->ears->call_fd, .events = POLLIN } };

	return wait_for(watch, fds, 3, deadline_ms, err);
}

enum standing_end standing_watch(
	struct standing *standing, const struct standing_ears *ears, struct err *err)
{
	struct watch watch = { .ears = ears };
	struct source *source = standing->source;
	bool told = false;

	standing->wait = (struct stream_wait){ .wait = wait_answer, .arg = &watch };
	standing->idle.wait = (struct stream_wait){ .wait = wait_news, .arg = &watch };
	standing->idle.looked = false;
	while (!watch.called) {
		int result = source->ops->idle(source, &standing->idle, err);

		if (watch.stopped)
			return STANDING_STOPPED;
		if (result < 0)
			return err->kind == ERR_ACCOUNT ? STANDING_REFUSED
							: STANDING_LOST;
		if (result > 0 && !told) {
			told = true;
			ears->news(ears->arg);
		} else if (result == 0 && !watch.called) {
			ears->still(ears->arg);
		}
	}
	return STANDING_CALLED;
}
