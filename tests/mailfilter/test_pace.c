/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include "mailfilter/pace.h"

static void without_a_rate_there_is_no_wait(void **state)
{
	struct pace pace = { 0 };

	(void)state;
	for (int i = 0; i < 10; i++)
		pace_took(&pace, 1000000, 5000);
	assert_int_equal(pace_next_ms(&pace, 5000), 5000);
	assert_int_equal(pace_room(&pace, 65536), 65536);
}

/* Take pieces for so long, as fast as is allowed; how many bytes that is. */
static uint64_t take(struct pace *pace, size_t piece, int64_t from_ms, int64_t long_ms)
{
	int64_t now_ms = from_ms;
	uint64_t taken = 0;

	while ((now_ms = pace_next_ms(pace, now_ms)) < from_ms + long_ms) {
		pace_took(pace, piece, now_ms);
		taken += piece;
	}
	return taken;
}

static void the_average_is_the_rate_after_one_burst(void **state)
{
	static const struct {
		uint64_t rate;
		size_t piece;
	} cases[] = { { 1024, 1 }, { 1024, 1024 }, { 100000, 1460 }, { 10000000, 65536 },
		{ 3, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pace pace = { .rate = cases[i].rate };
		uint64_t taken = take(&pace, cases[i].piece, 1000000, 100000);

		assert_in_range(
			taken, cases[i].rate * 99, cases[i].rate * 102 + cases[i].piece);
	}
}

static void a_pause_saves_one_burst_and_no_more(void **state)
{
	struct pace pace = { .rate = 1000 };

	(void)state;
	(void)take(&pace, 10, 1000, 5000);
	assert_in_range(take(&pace, 10, 3600000, 100), 1000, 1200);
}

static void a_read_takes_no_more_than_a_second(void **state)
{
	struct pace pace = { .rate = 2000 };

	(void)state;
	assert_int_equal(pace_room(&pace, 65536), 2000);
	assert_int_equal(pace_room(&pace, 100), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_rate_there_is_no_wait),
		cmocka_unit_test(the_average_is_the_rate_after_one_burst),
		cmocka_unit_test(a_pause_saves_one_burst_and_no_more),
		cmocka_unit_test(a_read_takes_no_more_than_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
