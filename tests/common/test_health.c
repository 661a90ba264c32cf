/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "common/health.h"

static struct health sample(void)
{
	struct health health = { 0 };

	for (size_t i = 0; i < HEALTH_COUNTS; i++)
		health.counts[i] = UINT64_MAX - i;
	for (uint32_t i = 0; i < HEALTH_CLASSES; i++)
		health.times[i] = (struct health_times){ 100 + i,
			{ 200 + i, 300 + i, 400 + i }, { 500 + i, 600 + i, 700 + i } };
	return health;
}

static void it_comes_back_as_it_was_packed(void **state)
{
	const struct health sent = sample();
	struct unpack unpack = { 0 };
	struct health got = { 0 };
	auto_buf struct buf bytes;
	struct pack pack;

	(void)state;
	buf_init(&bytes, 4096);
	pack_init(&pack, &bytes, NULL);
	health_pack(&pack, &sent);
	assert_int_equal(pack_result(&pack), 0);
	assert_int_equal(bytes.len,
		sizeof(uint64_t) * HEALTH_COUNTS + sizeof(uint32_t) * 7 * HEALTH_CLASSES);
	unpack.rest = buf_span(&bytes);
	health_unpack(&unpack, &got);
	assert_null(unpack.wrong);
	assert_int_equal(unpack.rest.len, 0);
	assert_memory_equal(got.counts, sent.counts, sizeof(got.counts));
	assert_memory_equal(got.times, sent.times, sizeof(got.times));
}

static void each_count_has_its_name(void **state)
{
	(void)state;
	for (enum health_count i = 0; i < HEALTH_COUNTS; i++) {
		assert_non_null(health_count_name(i));
		for (enum health_count j = 0; j < i; j++)
			assert_string_not_equal(
				health_count_name(i), health_count_name(j));
	}
	assert_string_equal(health_count_name(HEALTH_LIMIT), "unscannable_limit");
}

static void classes_end_where_they_say(void **state)
{
	(void)state;
	assert_int_equal(health_class(0), 0);
	for (size_t i = 0; i + 1 < HEALTH_CLASSES; i++) {
		assert_int_equal(health_class(health_class_max(i)), i);
		assert_int_equal(health_class(health_class_max(i) + 1), i + 1);
	}
	assert_int_equal(health_class_max(HEALTH_CLASSES - 1), 0);
	assert_int_equal(health_class(UINT64_MAX), HEALTH_CLASSES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_comes_back_as_it_was_packed),
		cmocka_unit_test(each_count_has_its_name),
		cmocka_unit_test(classes_end_where_they_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
