/* SPDX-License-Identifier: ISC
 *
 * A port of this machine that nobody listens on. */
#ifndef TESTS_FREE_PORT_H
#define TESTS_FREE_PORT_H

#include "tests/test.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "common/defer.h"

static inline int free_port(void)
{
	struct sockaddr_in name = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(name);
	auto_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
	return ntohs(name.sin_port);
}

#endif
