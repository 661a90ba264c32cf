/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <sys/resource.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_double_until_the_system_says_no),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
