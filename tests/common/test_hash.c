/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "common/hash.h"

/* FIPS 180-4 examples, as NIST publishes them. */
static const struct {
	const char *text, *hash;
} known[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

static void span_gives_the_published_hashes(void **state)
{
	char text[HASH_TEXT_MAX];
	struct hash hash;
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		assert_int_equal(hash_span(span_str(known[i].text), &hash, &err), 0);
		assert_string_equal(hash_text(&hash, text), known[i].hash);
	}
}

static void an_empty_span_without_memory_is_hashed(void **state)
{
	struct span nothing = { NULL, 0 };
	char text[HASH_TEXT_MAX];
	struct hash hash;
	struct err err;

	(void)state;
	assert_int_equal(hash_span(nothing, &hash, &err), 0);
	assert_string_equal(hash_text(&hash, text), known[0].hash);
}

static void pieces_give_the_hash_of_the_whole(void **state)
{
	struct span whole = span_str(known[2].text);
	auto_hasher struct hasher hasher = { 0 };
	char text[HASH_TEXT_MAX];
	struct hash hash;
	struct err err;

	(void)state;
	assert_int_equal(hasher_init(&hasher, &err), 0);
	for (size_t cut = 0; cut <= whole.len; cut++) {
		assert_int_equal(hasher_add(&hasher, span_part(whole, 0, cut), &err), 0);
		assert_int_equal(
			hasher_add(&hasher, span_part(whole, cut, whole.len), &err), 0);
		hasher_result(&hasher, &hash);
		assert_string_equal(hash_text(&hash, text), known[2].hash);
	}
}

static void equal_sees_every_bit(void **state)
{
	struct hash left, right;
	struct err err;

	(void)state;
	assert_int_equal(hash_span(span_str("abc"), &left, &err), 0);
	right = left;
	assert_true(hash_equal(&left, &right));
	for (size_t bit = 0; bit < (size_t)HASH_SIZE * 8; bit++) {
		right.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_false(hash_equal(&left, &right));
		right = left;
	}
}

static void done_accepts_a_zeroed_hasher_and_a_second_call(void **state)
{
	struct hasher hasher = { 0 };
	struct err err;

	(void)state;
	hasher_done(&hasher);
	assert_int_equal(hasher_init(&hasher, &err), 0);
	hasher_done(&hasher);
	hasher_done(&hasher);
	assert_null(hasher.state);
}

static void parse_takes_back_what_text_gives_and_nothing_else(void **state)
{
	static const char *const wrong[] = { "", "ab", "0x", "\xff" };
	struct hash hash, again = { { 0 } };
	char text[HASH_TEXT_MAX + 1] = "", upper[HASH_TEXT_MAX];

	(void)state;
	assert_int_equal(hash_span(span_str("abc"), &hash, NULL), 0);
	assert_true(hash_parse(hash_text(&hash, text), &again));
	assert_true(hash_equal(&hash, &again));
	for (size_t i = 0; i < HASH_TEXT_MAX; i++)
		upper[i] = (char)(text[i] >= 'a' ? text[i] - 'a' + 'A' : text[i]);
	memset(&again, 0, sizeof(again));
	assert_true(hash_parse(upper, &again));
	assert_true(hash_equal(&hash, &again));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_false(hash_parse(wrong[i], &again));
	text[HASH_TEXT_MAX - 1] = '0';
	assert_false(hash_parse(text, &again));
	text[HASH_TEXT_MAX - 1] = '\0';
	for (size_t i = 0; i < HASH_TEXT_MAX - 1; i++) {
		char was = text[i];

		text[i] = 'g';
		assert_false(hash_parse(text, &again));
		text[i] = was;
	}
	assert_true(hash_equal(&hash, &again));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(span_gives_the_published_hashes),
		cmocka_unit_test(an_empty_span_without_memory_is_hashed),
		cmocka_unit_test(pieces_give_the_hash_of_the_whole),
		cmocka_unit_test(equal_sees_every_bit),
		cmocka_unit_test(done_accepts_a_zeroed_hasher_and_a_second_call),
		cmocka_unit_test(parse_takes_back_what_text_gives_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
