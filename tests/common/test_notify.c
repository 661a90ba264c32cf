/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/defer.h"
#include "common/notify.h"

/* A datagram socket on an abstract name of this process; NOTIFY_SOCKET says its name. */
static int service_manager(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char name[64];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)snprintf(name, sizeof(name), "@mailfilter-notify-%d", (int)getpid());
	memcpy(address.sun_path, name, strlen(name));
	address.sun_path[0] = '\0';
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
					     strlen(name))),
		0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	return fd;
}

static void a_notice_arrives_as_one_datagram(void **state)
{
	auto_close int fd = service_manager();
	char text[64] = "";

	(void)state;
	notify_send("READY=1\nSTATUS=%s", "loading");
	assert_int_equal(recv(fd, text, sizeof(text) - 1, 0), 22);
	assert_string_equal(text, "READY=1\nSTATUS=loading");
}

static void a_full_service_manager_is_not_waited_for(void **state)
{
	auto_close int fd = service_manager();
	char text[64];
	int received = 0;

	(void)state;
	for (int i = 0; i < 1000; i++)
		notify_send("STATUS=%d", i);
	while (recv(fd, text, sizeof(text), 0) > 0)
		received++;
	assert_in_range(received, 1, 999);
}

static void without_a_usable_socket_nothing_happens(void **state)
{
	static const char *const names[] = { "", "/", "relative",
		"/there/is/no/such/socket",
		("/0123456789012345678901234567890123456789012345678901234567890123456789"
		 "0123456789012345678901234567890123456789") };

	(void)state;
	(void)unsetenv("NOTIFY_SOCKET");
	notify_send("READY=1");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_int_equal(setenv("NOTIFY_SOCKET", names[i], 1), 0);
		notify_send("READY=1");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_notice_arrives_as_one_datagram),
		cmocka_unit_test(a_full_service_manager_is_not_waited_for),
		cmocka_unit_test(without_a_usable_socket_nothing_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
