/* SPDX-License-Identifier: ISC */
#include "mailfilter/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/defer.h"

#include "mailfilter/stream.h"

enum {
	ADDRESSES_MAX = 16,
	KEEPALIVE_IDLE_S = 60,
	KEEPALIVE_INTERVAL_S = 15,
	KEEPALIVE_COUNT = 4,
};

static void addresses_free(struct addrinfo **list)
{
	if (*list)
		freeaddrinfo(*list);
}

static int look_up(
	const char *host, unsigned port, struct addrinfo **list_r, struct err *err)
{
	const struct addrinfo hints = {
		.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	char service[16];
	int result;

	(void)snprintf(service, sizeof(service), "%u", port);
	result = getaddrinfo(host, service, &hints, list_r);
	if (result == 0)
		return 0;
	*list_r = NULL;
	if (result == EAI_SYSTEM)
		return err_errno(err, ERR_SESSION, "cannot look up %s", host);
	return err_set(
		err, ERR_SESSION, "cannot look up %s: %s", host, gai_strerror(result));
}

/* Commands are short and wait for an answer; a peer that vanished without a word must show while
 * nothing is being sent. A kernel that refuses one of these still has a working connection. */
static void tune(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S },
		{ IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S },
		{ IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		(void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			sizeof(options[i].value));
}

/* 1: connected, 0: this address does not answer (err says why), -1: stop. */
static int try_address(const struct addrinfo *address, int64_t deadline_ms,
	const struct stream_wait *wait, int *fd_r, struct err *err)
{
	auto_close int fd = socket(address->ai_family,
		SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, address->ai_protocol);
	socklen_t size = sizeof(errno);
	int result;

	if (fd < 0) {
		(void)err_errno(err, ERR_SESSION, "socket");
		return 0;
	}
	tune(fd);
	if (connect(fd, address->ai_addr, address->ai_addrlen) < 0) {
		if (errno != EINPROGRESS) {
			(void)err_errno(err, ERR_SESSION, "connect");
			return 0;
		}
		result = wait->wait(wait->arg, fd, POLLOUT, deadline_ms, err);
		if (result < 0)
			return -1;
		errno = ETIMEDOUT;
		if (result == 0 ||
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &errno, &size) < 0 ||
			errno != 0) {
			(void)err_errno(err, ERR_SESSION, "connect");
			return 0;
		}
	}
	*fd_r = take_fd(&fd);
	return 1;
}

int dial(const char *host, unsigned port, int max_ms, const struct stream_wait *wait,
	int *fd_r, struct err *err)
{
	DEFER(addresses_free) struct addrinfo *list = NULL;
	struct err why;
	int64_t deadline_ms;
	int left = 0;

	if (look_up(host, port, &list, err) < 0)
		return -1;
	for (const struct addrinfo *at = list; at && left < ADDRESSES_MAX;
		at = at->ai_next)
		left++;
	deadline_ms = clock_ms() + max_ms;
	(void)err_set(&why, ERR_SESSION, "no address");
	for (const struct addrinfo *at = list; left > 0; at = at->ai_next, left--) {
		/* An address that swallows packets leaves the others their share. */
		int64_t now_ms = clock_ms();
		int64_t share_ms = (deadline_ms - now_ms) / left;
		int result = try_address(
			at, now_ms + (share_ms > 0 ? share_ms : 0), wait, fd_r, &why);
		if (result > 0)
			return 0;
		if (result < 0)
			break;
	}
	(void)err_wrap(&why, "%s port %u", host, port);
	if (err)
		*err = why;
	return -1;
}
