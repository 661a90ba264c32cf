/* SPDX-License-Identifier: ISC */
#include "mailfilter/setup_guess.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/defer.h"
#include "common/stop.h"

bool setup_guess_is_known(const char *host)
{
	struct addrinfo *list = NULL;
	const bool known = getaddrinfo(host, NULL, NULL, &list) == 0;

	if (list)
		freeaddrinfo(list);
	return known;
}

static bool guess(
	const struct setup *setup, size_t i, char host[static PROVIDER_HOST_MAX])
{
	return provider_host(
		setup->domain, strncmp(setup->protocol, "pop3", 4) == 0, i, host);
}

/* Writes the number of the first that is known; nothing: none is. */
static _Noreturn void look_up(
	const struct setup *setup, bool (*is_known)(const char *host), int fd)
{
	char host[PROVIDER_HOST_MAX];

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	stop_reset();
	for (uint8_t i = 0; guess(setup, i, host); i++)
		if (is_known(host))
			_exit(write(fd, &i, 1) == 1 ? EX_OK : EX_OSERR);
	_exit(EX_NOHOST);
}

/* What is written to fd, or 0 where that ends or takes too long. */
static enum ask_result await(const struct ask *ask, int fd, uint8_t *number_r)
{
	const int64_t until_ms = clock_ms() + SETUP_GUESS_MS;

	*number_r = 0;
	for (;;) {
		struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
			{ .fd = ask->stop_fd, .events = POLLIN } };
		const int count = poll(fds, 2, clock_left(until_ms));

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return ASK_OK;
		/* That it was told to stop, too, is no reason to go on. */
		if (fds[1].revents && ask_told_to_stop(ask))
			return ASK_STOP;
		if (fds[0].revents) {
			if (read(fd, number_r, 1) != 1)
				*number_r = 0;
			return ASK_OK;
		}
	}
}

static enum ask_result first_known(
	const struct setup *setup, bool (*is_known)(const char *host), uint8_t *number_r)
{
	auto_close int from = -1;
	enum ask_result result;
	int fds[2];
	pid_t pid;

	*number_r = 0;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return ASK_OK;
	from = fds[0];
	pid = fork();
	if (pid == 0)
		look_up(setup, is_known, fds[1]);
	(void)close(fds[1]);
	if (pid < 0)
		return ASK_OK;
	result = await(&setup->ask, from, number_r);
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return result;
}

enum ask_result setup_guess_server(
	struct setup *setup, bool (*is_known)(const char *host))
{
	char host[PROVIDER_HOST_MAX];
	enum ask_result result = ASK_OK;
	uint8_t number = 0;

	if (!guess(setup, 0, host))
		return ASK_OK;
	if (!provider_known(setup->domain))
		result = first_known(setup, is_known, &number);
	if (result == ASK_OK && guess(setup, number, host))
		(void)snprintf(setup->server, sizeof(setup->server), "%s", host);
	return result;
}
