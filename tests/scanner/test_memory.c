/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include "scanner/memory.h"

static void a_field_is_found_by_its_whole_name(void **state)
{
	static const struct {
		const char *text;
		bool found;
		uint64_t bytes;
	} cases[] = {
		{ "MemAvailable:   12 kB\n", true, 12288 },
		{ "MemTotal: 9 kB\nMemAvailable:\t1 kB\nX: 2 kB\n", true, 1024 },
		{ "NotMemAvailable: 9 kB\n", false, 0 },
		{ "MemAvailableNot: 9 kB\n", false, 0 },
		{ "MemAvailable: 9 MB\n", false, 0 },
		{ "MemAvailable: kB\n", false, 0 },
		{ "MemAvailable: -1 kB\n", false, 0 },
		{ "MemAvailable: 18014398509481983 kB\n", true, UINT64_MAX - 1023 },
		{ "MemAvailable: 18014398509481984 kB\n", false, 0 },
		{ "MemAvailable: 99999999999999999999999999999999 kB\n", false, 0 },
		{ "MemAvailable", false, 0 },
		{ "MemAvailable:", false, 0 },
		{ "", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t bytes = 0;

		assert_int_equal(memory_field(cases[i].text, "MemAvailable", &bytes),
			cases[i].found);
		assert_int_equal(bytes, cases[i].bytes);
	}
}

static void a_count_is_found_by_its_whole_name(void **state)
{
	static const struct {
		const char *text;
		bool found;
		uint64_t count;
	} cases[] = {
		{ "oom_kill 0\n", true, 0 },
		{ "pgfault 9\noom_kill 18446744073709551615\nx 1\n", true, UINT64_MAX },
		{ "oom_kill 18446744073709551616\n", false, 0 },
		{ "oom_kills 3\n", false, 0 },
		{ "x_oom_kill 3\n", false, 0 },
		{ "oom_kill 3", false, 0 },
		{ "oom_kill 3 kB\n", false, 0 },
		{ "oom_kill \n", false, 0 },
		{ "", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t count = 0;

		assert_int_equal(
			memory_count(cases[i].text, "oom_kill", &count), cases[i].found);
		assert_int_equal(count, cases[i].count);
	}
}

static void that_memory_ran_out_is_told_once(void **state)
{
	uint64_t seen = 0;

	(void)state;
	assert_false(memory_ran_out(&seen));
	assert_true(seen > 0);
	seen += 7; /* the kernel counts something else than what was seen */
	assert_true(memory_ran_out(&seen));
	assert_false(memory_ran_out(&seen));
}

static void a_process_that_is_not_there_is_no_reason_to_stop(void **state)
{
	(void)state;
	assert_true(memory_has_room_beside(INT32_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_field_is_found_by_its_whole_name),
		cmocka_unit_test(a_count_is_found_by_its_whole_name),
		cmocka_unit_test(that_memory_ran_out_is_told_once),
		cmocka_unit_test(a_process_that_is_not_there_is_no_reason_to_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
