/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include "mailfilter/backoff.h"

static void it_doubles_up_to_its_limit(void **state)
{
	(void)state;
	assert_int_equal(backoff_ms(2, 100, 0), 0);
	assert_int_equal(backoff_ms(2, 100, 1), 2);
	assert_int_equal(backoff_ms(2, 100, 2), 4);
	assert_int_equal(backoff_ms(2, 100, 6), 64);
	assert_int_equal(backoff_ms(2, 100, 7), 100);
	assert_int_equal(backoff_ms(2, 100, UINT32_MAX), 100);
	assert_int_equal(backoff_ms(200, 100, 1), 100);
	assert_int_equal(backoff_ms(1, INT64_MAX / 2, UINT32_MAX), INT64_MAX / 2);
}

static void chance_takes_up_to_half_of_it_away(void **state)
{
	(void)state;
	assert_int_equal(backoff_jitter(100, 0), 50);
	assert_int_equal(backoff_jitter(100, 50), 100);
	assert_int_equal(backoff_jitter(100, 51), 50);
	assert_int_equal(backoff_jitter(0, 7), 0);
	assert_int_equal(backoff_jitter(1, 7), 1);
	for (uint64_t i = 0; i < 1000; i++)
		assert_in_range(backoff_jitter(99, i * 7919), 49, 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_doubles_up_to_its_limit),
		cmocka_unit_test(chance_takes_up_to_half_of_it_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
