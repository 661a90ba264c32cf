/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include "common/random.h"

static void numbers_use_all_bits_and_do_not_repeat(void **state)
{
	enum {
		COUNT = 200
	};
	uint64_t seen[COUNT], ones = 0, zeros = 0;

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		seen[i] = random_number();
		ones |= seen[i];
		zeros |= ~seen[i];
		for (int k = 0; k < i; k++)
			assert_true(seen[k] != seen[i]);
	}
	assert_true(ones == UINT64_MAX);
	assert_true(zeros == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_use_all_bits_and_do_not_repeat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
