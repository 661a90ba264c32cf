/* SPDX-License-Identifier: ISC
 *
 * A mail server that follows a script and nothing else, in a process of its own, for one
 * connection on loopback. The steps of a script:
 *
 *     < TEXT   wait for a line that holds TEXT; its first word is the tag
 *     > TEXT   send TEXT and CR LF; a leading $ stands for the tag, \z for NUL
 *     = TEXT   send TEXT alone
 *     ~ TEXT   send TEXT, a byte every 20 ms
 *     * N TEXT send TEXT N times
 *     ! stall  wait until the client leaves
 *     ! flood TEXT   send TEXT until the client leaves
 *     ! reset  end the connection with RST; the script's end is a FIN
 *
 * A client that leaves while the server talks does not fail the script; one that says something
 * else than expected does. */
#ifndef TESTS_FAKE_SERVER_H
#define TESTS_FAKE_SERVER_H

#include "tests/test.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct fake_server {
	unsigned port;
	pid_t pid;
};

static bool fake_send(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, data, len, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		data += sent;
		len -= (size_t)sent;
	}
	return true;
}

/* With $ and \z replaced. */
static bool fake_send_text(int fd, const char *text, const char *tag, const char *end)
{
	char out[16384];
	size_t len = 0;

	if (text[0] == '$') {
		len = (size_t)snprintf(out, sizeof(out), "%s", tag);
		text++;
	}
	for (; *text && len < sizeof(out) - 8; text++) {
		if (text[0] == '\\' && text[1] == 'z') {
			out[len++] = '\0';
			text++;
		} else {
			out[len++] = *text;
		}
	}
	len += (size_t)snprintf(out + len, sizeof(out) - len, "%s", end);
	return fake_send(fd, out, len);
}

static bool fake_expect(int fd, const char *text, char *tag, size_t size)
{
	char line[16384];
	size_t len = 0;

	while (len < sizeof(line) - 1) {
		if (recv(fd, line + len, 1, 0) != 1)
			return false;
		if (line[len++] == '\n')
			break;
	}
	line[len] = '\0';
	(void)snprintf(tag, size, "%.*s", (int)strcspn(line, " \r\n"), line);
	if (strstr(line, text))
		return true;
	(void)fprintf(stderr, "# expected \"%s\", the client says %s", text, line);
	return false;
}

static void fake_await_end(int fd)
{
	char byte[256];

	while (recv(fd, byte, sizeof(byte), 0) > 0)
		;
}

/* In blocks, else the calls cost more than the bytes. */
static void fake_flood(int fd, const char *text)
{
	char block[8192];
	size_t len = 0;

	while (len + strlen(text) < sizeof(block))
		len += (size_t)snprintf(block + len, sizeof(block) - len, "%s", text);
	while (fake_send(fd, block, len))
		;
}

static bool fake_special(int fd, const char *what)
{
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	if (strcmp(what, "stall") == 0)
		fake_await_end(fd);
	else if (strcmp(what, "reset") == 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	else
		fake_flood(fd, what + 6);
	return true;
}

static bool fake_step(int fd, const char *step, char *tag, size_t size)
{
	const char *text = step + 2;
	char *rest;
	long count;

	switch (step[0]) {
	case '<':
		return fake_expect(fd, text, tag, size);
	case '>':
		(void)fake_send_text(fd, text, tag, "\r\n");
		return true;
	case '=':
		(void)fake_send_text(fd, text, tag, "");
		return true;
	case '~':
		for (; *text && fake_send(fd, text, 1); text++)
			(void)usleep(20000);
		return true;
	case '*':
		count = strtol(text, &rest, 10);
		while (count-- > 0 && fake_send_text(fd, rest + 1, tag, ""))
			;
		return true;
	default:
		return fake_special(fd, text);
	}
}

static _Noreturn void fake_child(int listener, const char *const *script)
{
	char tag[64] = "";
	bool ok = true;
	int fd = accept(listener, NULL, NULL), yes = 1;
	bool reset = false;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));

	for (; *script && ok; script++) {
		ok = fake_step(fd, *script, tag, sizeof(tag));
		reset = strcmp(*script, "! reset") == 0;
	}
	if (ok && !reset) {
		(void)shutdown(fd, SHUT_WR);
		fake_await_end(fd);
	}
	(void)close(fd);
	_exit(ok ? 0 : 1);
}

static struct fake_server fake_start(const char *const *script)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	struct fake_server fake = { 0 };
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	fake.port = ntohs(address.sin_port);
	fake.pid = fork();
	assert_true(fake.pid >= 0);
	if (fake.pid == 0)
		fake_child(listener, script);
	(void)close(listener);
	return fake;
}

/* Did the script come to its end? */
static bool fake_end(struct fake_server *fake)
{
	int status = -1;

	assert_int_equal(waitpid(fake->pid, &status, 0), fake->pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#endif
