/* SPDX-License-Identifier: ISC */
#include "common/notify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/defer.h"

enum {
	NOTIFY_MAX = 1024
};

void notify_send(const char *format, ...)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t path_len = path ? strlen(path) : 0;
	char text[NOTIFY_MAX];
	auto_close int fd = -1;
	va_list args;

	if (path_len < 2 || path_len >= sizeof(address.sun_path) ||
		(path[0] != '/' && path[0] != '@'))
		return;
	memcpy(address.sun_path, path, path_len);
	/* '@' stands for the NUL that starts an abstract name. */
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
		(struct sockaddr *)&address,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_len));
}

void notify_reloading(void)
{
	/* What newer managers order it by. */
	notify_send("RELOADING=1\nMONOTONIC_USEC=%" PRId64, clock_ms() * 1000);
}
