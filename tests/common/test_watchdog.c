/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/clock.h"
#include "common/defer.h"
#include "common/watchdog.h"

/* A datagram socket on an abstract name of this process; NOTIFY_SOCKET says its name. */
static int service_manager(const char *usec, const char *pid)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char name[64];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)snprintf(name, sizeof(name), "@mailfilter-watchdog-%d", (int)getpid());
	memcpy(address.sun_path, name, strlen(name));
	address.sun_path[0] = '\0';
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
					     strlen(name))),
		0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	assert_int_equal(
		usec ? setenv("WATCHDOG_USEC", usec, 1) : unsetenv("WATCHDOG_USEC"), 0);
	assert_int_equal(
		pid ? setenv("WATCHDOG_PID", pid, 1) : unsetenv("WATCHDOG_PID"), 0);
	return fd;
}

static bool was_told(int fd)
{
	char text[64] = "";

	return recv(fd, text, sizeof(text) - 1, 0) > 0 && strcmp(text, "WATCHDOG=1") == 0;
}

static const char *own_pid(char text[static 16])
{
	(void)snprintf(text, 16, "%d", (int)getpid());
	return text;
}

static void it_is_told_at_once_and_again_in_half_the_time(void **state)
{
	char pid[16];
	auto_close int fd = service_manager("60000000", own_pid(pid));
	struct watchdog watchdog;
	int64_t due;

	(void)state;
	watchdog_start(&watchdog);
	due = watchdog_turn(&watchdog, true);
	assert_in_range(due - clock_ms(), 29000, 30000);
	assert_true(was_told(fd));
	assert_int_equal(watchdog_turn(&watchdog, true), due);
	assert_false(was_told(fd));
	watchdog.due_ms = clock_ms();
	assert_true(watchdog_turn(&watchdog, true) >= due);
	assert_true(was_told(fd));
}

static void nothing_is_told_of_one_that_is_not_alive_until_it_is(void **state)
{
	auto_close int fd = service_manager("60000000", NULL);
	struct watchdog watchdog;

	(void)state;
	watchdog_start(&watchdog);
	assert_in_range(
		watchdog_turn(&watchdog, false) - clock_ms(), 0, WATCHDOG_LOOK_MS);
	assert_false(was_told(fd));
	assert_true(watchdog_turn(&watchdog, true) > clock_ms());
	assert_true(was_told(fd));
}

static void a_time_below_what_we_can_keep_is_no_endless_loop(void **state)
{
	auto_close int fd = service_manager("1", NULL);
	struct watchdog watchdog;
	int64_t before = clock_ms();

	(void)state;
	watchdog_start(&watchdog);
	assert_true(watchdog_turn(&watchdog, true) > before);
	assert_true(was_told(fd));
}

static void nobody_asks_or_not_us_or_nonsense(void **state)
{
	static const char *const asked[][2] = { { NULL, NULL }, { "60000000", "1" },
		{ "60000000", "" }, { "60000000", "none" }, { "0", NULL }, { "", NULL },
		{ "-5", NULL }, { "soon", NULL }, { "99999999999999999999999", NULL } };

	(void)state;
	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		auto_close int fd = service_manager(asked[i][0], asked[i][1]);
		struct watchdog watchdog;

		watchdog_start(&watchdog);
		assert_int_equal(watchdog_turn(&watchdog, true), -1);
		assert_int_equal(watchdog_turn(&watchdog, false), -1);
		assert_false(was_told(fd));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_told_at_once_and_again_in_half_the_time),
		cmocka_unit_test(nothing_is_told_of_one_that_is_not_alive_until_it_is),
		cmocka_unit_test(a_time_below_what_we_can_keep_is_no_endless_loop),
		cmocka_unit_test(nobody_asks_or_not_us_or_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
