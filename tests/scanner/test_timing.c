/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "scanner/timing.h"

enum {
	SMALL = 1000, /* bytes: of the first class */
	NOW = 100 * TIMING_SLOT_MS + 17,
	MANY = 1000
};

static struct timing timing;
static struct health_times times[HEALTH_CLASSES];

static int start(void **state)
{
	(void)state;
	memset(&timing, 0, sizeof(timing));
	return 0;
}

/* What is told of a time that stands there: no less, and at most a sixteenth more. */
static void assert_near(uint32_t told, uint32_t exact)
{
	assert_in_range(told, exact, exact + exact / 16);
}

static void nothing_scanned_is_nothing_told(void **state)
{
	static const struct health_times none[HEALTH_CLASSES];

	(void)state;
	timing_fill(&timing, 0, times);
	assert_memory_equal(times, none, sizeof(none));
	timing_fill(&timing, NOW, times);
	assert_memory_equal(times, none, sizeof(none));
}

static void each_time_is_told_within_a_sixteenth(void **state)
{
	(void)state;
	for (uint32_t ms = 0; ms < TIMING_MS_MAX / 2; ms += 1 + ms / 97) {
		memset(&timing, 0, sizeof(timing));
		timing_add(&timing, NOW, SMALL, ms, ms / 2);
		timing_fill(&timing, NOW, times);
		assert_int_equal(times[0].scans, 1);
		assert_near(times[0].all.p50, ms);
		assert_near(times[0].all.p99, ms);
		assert_near(times[0].work.p50, ms / 2);
		if (ms < TIMING_EXACT)
			assert_int_equal(times[0].all.p50, ms);
	}
}

static void what_takes_days_counts_as_the_longest(void **state)
{
	(void)state;
	timing_add(&timing, NOW, SMALL, TIMING_MS_MAX, TIMING_MS_MAX - 1);
	timing_add(&timing, NOW, SMALL, INT64_MAX, INT64_MAX);
	timing_fill(&timing, NOW, times);
	assert_int_equal(times[0].all.p50, TIMING_MS_MAX);
	assert_int_equal(times[0].work.p99, TIMING_MS_MAX);
}

static int by_size(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

static uint32_t nearest_rank(const uint32_t *sorted, size_t count, size_t percent)
{
	return sorted[(count * percent + 99) / 100 - 1];
}

/* Against the sorted times themselves, of many shapes and counts. */
static void percentiles_are_those_of_the_sorted_times(void **state)
{
	static uint32_t all[MANY];
	unsigned seed = 3;

	(void)state;
	for (size_t count = 1; count < MANY; count += 1 + count / 3) {
		memset(&timing, 0, sizeof(timing));
		for (size_t i = 0; i < count; i++) {
			seed = seed * 1103515245 + 12345;
			all[i] = (seed >> 8) % (1U << (seed >> 27) % 24);
			timing_add(&timing, NOW, SMALL, all[i], 0);
		}
		qsort(all, count, sizeof(all[0]), by_size);
		timing_fill(&timing, NOW, times);
		assert_int_equal(times[0].scans, count);
		assert_near(times[0].all.p50, nearest_rank(all, count, 50));
		assert_near(times[0].all.p95, nearest_rank(all, count, 95));
		assert_near(times[0].all.p99, nearest_rank(all, count, 99));
		assert_int_equal(times[0].work.p99, 0);
	}
}

static void sizes_have_their_own(void **state)
{
	static const struct {
		uint64_t size;
		size_t at;
	} sizes[] = { { 0, 0 }, { 10240, 0 }, { 10241, 1 }, { 102400, 1 }, { 102401, 2 },
		{ 1 << 20, 2 }, { (1 << 20) + 1, 3 }, { 10 << 20, 3 },
		{ (10 << 20) + 1, 4 }, { UINT64_MAX, 4 } };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		memset(&timing, 0, sizeof(timing));
		timing_add(&timing, NOW, sizes[i].size, 20, 10);
		timing_fill(&timing, NOW, times);
		for (size_t j = 0; j < HEALTH_CLASSES; j++)
			assert_int_equal(times[j].scans, j == sizes[i].at);
		assert_int_equal(times[sizes[i].at].all.p95, 20);
		assert_int_equal(times[sizes[i].at].work.p95, 10);
	}
}

static void an_old_spike_fades(void **state)
{
	int64_t slot = (int64_t)7 * TIMING_SLOT_MS;

	(void)state;
	timing_add(&timing, slot, SMALL, 9000, 9000);
	timing_fill(&timing, slot + TIMING_SLOT_MS - 1, times);
	assert_int_equal(times[0].scans, 1);
	for (int i = 0; i < 9; i++)
		timing_add(&timing, slot + TIMING_SLOT_MS, SMALL, 5, 5);
	timing_fill(&timing, slot + 2LL * TIMING_SLOT_MS - 1, times);
	assert_int_equal(times[0].scans, 10);
	assert_int_equal(times[0].all.p50, 5);
	assert_near(times[0].all.p99, 9000);
	/* Two slots later it is gone, whether there is anything new or not. */
	timing_fill(&timing, slot + 2LL * TIMING_SLOT_MS, times);
	assert_int_equal(times[0].scans, 9);
	assert_int_equal(times[0].all.p99, 5);
	timing_add(&timing, slot + 2LL * TIMING_SLOT_MS, SMALL, 6, 6);
	timing_fill(&timing, slot + 2LL * TIMING_SLOT_MS, times);
	assert_int_equal(times[0].scans, 10);
	assert_int_equal(times[0].all.p99, 6);
	timing_fill(&timing, slot + 100LL * TIMING_SLOT_MS, times);
	assert_int_equal(times[0].scans, 0);
	assert_int_equal(times[0].all.p99, 0);
}

static void a_full_histogram_stays_as_it_is(void **state)
{
	(void)state;
	timing_add(&timing, NOW, SMALL, 5, 5);
	timing.slots[0].all[0].count = timing.slots[0].all[0].buckets[5] = UINT32_MAX;
	timing.slots[0].work[0].count = timing.slots[0].work[0].buckets[5] = UINT32_MAX;
	timing_add(&timing, NOW, SMALL, 5, 5);
	timing_add(&timing, NOW + TIMING_SLOT_MS, SMALL, 5, 5);
	timing_fill(&timing, NOW + TIMING_SLOT_MS, times);
	assert_int_equal(times[0].scans, UINT32_MAX);
	assert_int_equal(times[0].all.p99, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_scanned_is_nothing_told, start),
		cmocka_unit_test_setup(each_time_is_told_within_a_sixteenth, start),
		cmocka_unit_test_setup(what_takes_days_counts_as_the_longest, start),
		cmocka_unit_test_setup(percentiles_are_those_of_the_sorted_times, start),
		cmocka_unit_test_setup(sizes_have_their_own, start),
		cmocka_unit_test_setup(an_old_spike_fades, start),
		cmocka_unit_test_setup(a_full_histogram_stays_as_it_is, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
