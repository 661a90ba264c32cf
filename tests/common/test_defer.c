/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>

#include "common/defer.h"

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int open_null(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static int count;

static void count_up(const int *value)
{
	count += *value;
}

static void what_is_declared_is_released_at_the_end_of_its_scope(void **state)
{
	int plain, stream, folder;

	(void)state;
	{
		auto_close int fd = open_null();
		auto_fclose FILE *file = fopen("/dev/null", "re");
		auto_closedir DIR *dir = opendir("/");

		assert_non_null(file);
		assert_non_null(dir);
		plain = fd;
		stream = fileno(file);
		folder = dirfd(dir);
		assert_true(is_open(plain) && is_open(stream) && is_open(folder));
	}
	assert_false(is_open(plain) || is_open(stream) || is_open(folder));
	{
		/* The leak checker of "make asan" sees whether this one is released; the
		 * analyser of clang 14 does not know the attribute. */
		auto_free char *memory = malloc(10);

		assert_non_null(memory);
	}
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
}

static void what_was_never_taken_is_not_released(void **state)
{
	(void)state;
	errno = 0;
	{
		auto_close int fd = -1;
		auto_fclose FILE *file = NULL;
		auto_closedir DIR *dir = NULL;
		auto_free char *memory = NULL;

		assert_true(fd < 0 && !file && !dir && !memory);
	}
	assert_int_equal(errno, 0);
}

static void what_is_handed_over_stays(void **state)
{
	char *kept;
	int fd_kept;

	(void)state;
	{
		auto_free char *memory = malloc(10);
		auto_close int fd = open_null();

		assert_non_null(memory);
		kept = take_ptr(&memory);
		fd_kept = take_fd(&fd);
		assert_null(memory);
		assert_int_equal(fd, -1);
	}
	kept[0] = 'x';
	free(kept);
	assert_true(is_open(fd_kept));
	assert_int_equal(close(fd_kept), 0);
}

static int leave_early(bool early)
{
	DEFER(count_up) int one = 1;

	if (early)
		return one;
	return one + 1;
}

static void own_types_are_released_on_every_way_out(void **state)
{
	(void)state;
	count = 0;
	assert_int_equal(leave_early(true), 1);
	assert_int_equal(leave_early(false), 2);
	assert_int_equal(count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_declared_is_released_at_the_end_of_its_scope),
		cmocka_unit_test(what_was_never_taken_is_not_released),
		cmocka_unit_test(what_is_handed_over_stays),
		cmocka_unit_test(own_types_are_released_on_every_way_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
