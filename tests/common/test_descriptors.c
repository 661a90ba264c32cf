/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/descriptors.h"

static void they_double_until_the_system_says_no(void **state)
{
	static const rlim_t most = 50;
	static const rlim_t steps[] = { 24, 48, 50 };
	struct rlimit limit = { .rlim_cur = 12, .rlim_max = most };

	(void)state;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		assert_true(descriptors_allow_more());
		assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
		assert_int_equal(limit.rlim_cur, steps[i]);
		assert_int_equal(limit.rlim_max, most);
	}
	assert_false(descriptors_allow_more());
}

/* In a process of its own: which of the first ones are open behind it, a bit each. */
static unsigned left_open(const int *kept, size_t count)
{
	enum {
		FIRST = 8
	};
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		unsigned open = 0;

		for (int fd = STDERR_FILENO + 1; fd < FIRST; fd++)
			(void)dup2(STDERR_FILENO, fd);
		if (descriptors_close_others(kept, count, NULL) < 0)
			_exit(0);
		for (int fd = 0; fd < FIRST; fd++)
			open |= (unsigned)(fcntl(fd, F_GETFD) >= 0) << fd;
		_exit((int)open);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return (unsigned)WEXITSTATUS(status);
}

static void all_are_closed_but_those_named_and_the_first_three(void **state)
{
	static const struct {
		size_t count;
		unsigned open;
		int kept[3];
	} cases[] = {
		{ 0, 0x07, { 0 } }, { 1, 0x0f, { 3 } }, { 1, 0x87, { 7 } },
		{ 2, 0x57, { 4, 6 } }, { 2, 0x57, { 6, 4 } }, { 3, 0x3f, { 3, 4, 5 } },
		{ 3, 0x27, { 5, 5, 1 } },
		{ 3, 0x07, { -1, 2, 100 } }, /* not open, or kept in any case */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(left_open(cases[i].kept, cases[i].count), cases[i].open);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_are_closed_but_those_named_and_the_first_three),
		cmocka_unit_test(they_double_until_the_system_says_no),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
