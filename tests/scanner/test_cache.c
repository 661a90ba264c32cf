/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "scanner/cache.h"

static struct hash hash_of(uint32_t number)
{
	struct hash hash;
	struct err err;

	assert_int_equal(hash_span((struct span){ (uint8_t *)&number, sizeof(number) },
				 &hash, &err),
		0);
	return hash;
}

static void open_cache(struct cache *cache, uint64_t max)
{
	struct hash digest = hash_of(UINT32_MAX);
	struct err err;

	assert_int_equal(cache_init(cache, max, 0x123456789abcdefU, &err), 0);
	cache_use(cache, &digest);
}

static bool has(const struct cache *cache, uint32_t number)
{
	struct hash hash = hash_of(number);

	return cache_has(cache, &hash);
}

static void add(struct cache *cache, uint32_t number)
{
	struct hash hash = hash_of(number);

	cache_add(cache, &hash);
}

static void what_was_added_is_there_and_nothing_else(void **state)
{
	struct cache cache;

	(void)state;
	open_cache(&cache, 100);
	for (uint32_t i = 0; i < 100; i++) {
		assert_false(has(&cache, i));
		add(&cache, i);
		assert_true(has(&cache, i));
	}
	for (uint32_t i = 0; i < 200; i++)
		assert_int_equal(has(&cache, i), i < 100);
	cache_done(&cache);
}

static void the_oldest_makes_room(void **state)
{
	static const uint64_t sizes[] = { 1, 2, 7, 64 };
	struct cache cache;

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes); s++) {
		open_cache(&cache, sizes[s]);
		for (uint32_t i = 0; i < 300; i++) {
			add(&cache, i);
			for (uint32_t j = i < 80 ? 0 : i - 80; j <= i; j++)
				assert_int_equal(has(&cache, j), j + sizes[s] > i);
		}
		assert_int_equal(cache.count, sizes[s]);
		cache_done(&cache);
	}
}

static void one_that_comes_again_takes_no_second_place(void **state)
{
	struct cache cache;

	(void)state;
	open_cache(&cache, 2);
	add(&cache, 1);
	add(&cache, 2);
	for (int i = 0; i < 10; i++)
		add(&cache, 2);
	assert_true(has(&cache, 1));
	add(&cache, 3);
	assert_false(has(&cache, 1));
	assert_true(has(&cache, 2));
	cache_done(&cache);
}

static void another_digest_empties_it_and_the_same_does_not(void **state)
{
	struct hash first = hash_of(1000), second = hash_of(1001);
	struct cache cache;

	(void)state;
	open_cache(&cache, 4);
	cache_use(&cache, &first);
	for (uint32_t i = 0; i < 6; i++)
		add(&cache, i);
	cache_use(&cache, &first);
	assert_true(has(&cache, 5));
	cache_use(&cache, &second);
	for (uint32_t i = 0; i < 6; i++)
		assert_false(has(&cache, i));
	for (uint32_t i = 10; i < 20; i++)
		add(&cache, i);
	for (uint32_t i = 0; i < 30; i++)
		assert_int_equal(has(&cache, i), i >= 16 && i < 20);
	/* Nor does it come back with the first. */
	cache_use(&cache, &first);
	assert_false(has(&cache, 5));
	cache_done(&cache);
}

static void without_a_place_it_stays_empty(void **state)
{
	struct cache cache;

	(void)state;
	open_cache(&cache, 0);
	add(&cache, 1);
	assert_false(has(&cache, 1));
	cache_done(&cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_is_there_and_nothing_else),
		cmocka_unit_test(the_oldest_makes_room),
		cmocka_unit_test(one_that_comes_again_takes_no_second_place),
		cmocka_unit_test(another_digest_empties_it_and_the_same_does_not),
		cmocka_unit_test(without_a_place_it_stays_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
