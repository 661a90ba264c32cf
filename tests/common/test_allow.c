/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "common/allow.h"

#define SUM "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"

static struct hash hash_of(size_t i)
{
	struct hash hash = { { 0 } };

	memcpy(hash.bytes, &i, sizeof(i));
	return hash;
}

static void fill(struct allow *allow, size_t hashes, size_t names)
{
	char name[32];

	for (size_t i = 0; i < hashes; i++) {
		struct hash hash = hash_of(i);

		assert_int_equal(allow_add_hash(allow, &hash, NULL), 0);
	}
	for (size_t i = 0; i < names; i++) {
		(void)snprintf(name, sizeof(name), "Name.%zu", i);
		assert_int_equal(allow_add_name(allow, name, NULL), 0);
	}
}

static void what_is_added_is_there_once(void **state)
{
	auto_allow struct allow allow = { 0 }, both = { 0 };
	struct hash other = hash_of(7);

	(void)state;
	fill(&allow, 3, 2);
	fill(&allow, 3, 2);
	assert_int_equal(allow.hash_count, 3);
	assert_int_equal(allow.name_count, 2);
	assert_false(allow_has_hash(&allow, &other));
	fill(&both, 2, 1);
	assert_int_equal(allow_add_hash(&both, &other, NULL), 0);
	assert_int_equal(allow_add(&both, &allow, NULL), 0);
	assert_int_equal(both.hash_count, 4);
	assert_int_equal(both.name_count, 2);
	assert_true(allow_has_hash(&both, &other));
	assert_true(allow_has_name(&both, "Name.1"));
}

static void past_the_limits_nothing_changes(void **state)
{
	auto_allow struct allow allow = { 0 };
	struct hash one_more = hash_of(ALLOW_HASHES_MAX), known = hash_of(1);
	struct err err = { 0 };

	(void)state;
	fill(&allow, ALLOW_HASHES_MAX, ALLOW_NAMES_MAX);
	assert_int_equal(allow_add_hash(&allow, &one_more, &err), -1);
	assert_int_equal(err.kind, ERR_MESSAGE);
	assert_int_equal(allow_add_name(&allow, "One.More", &err), -1);
	assert_int_equal(allow_add_hash(&allow, &known, &err), 0);
	assert_int_equal(allow.hash_count, ALLOW_HASHES_MAX);
	assert_int_equal(allow.name_count, ALLOW_NAMES_MAX);
}

static void a_name_counts_without_unofficial_at_the_end_of_what_is_found(void **state)
{
	static const struct {
		const char *listed, *found;
		bool is_allowed;
	} cases[] = { { "A.B", "A.B", true }, { "A.B", "A.B.UNOFFICIAL", true },
		{ "A.B.UNOFFICIAL", "A.B.UNOFFICIAL", true },
		{ "A.B.UNOFFICIAL", "A.B", false }, { "A.B", "A.BC", false },
		{ "A.B", "a.b", false }, { "A.B", "A", false }, { "A.B", "", false },
		{ ".UNOFFICIAL", ".UNOFFICIAL", true },
		{ "A.B", "A.B.UNOFFICIAL.UNOFFICIAL", false } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_allow struct allow allow = { 0 };

		assert_int_equal(allow_add_name(&allow, cases[i].listed, NULL), 0);
		assert_int_equal(
			allow_has_name(&allow, cases[i].found), cases[i].is_allowed);
	}
}

static void what_is_no_name_is_refused(void **state)
{
	char longest[FINDING_SIGNATURE_MAX + 1];
	auto_allow struct allow allow = { 0 };
	struct err err = { 0 };

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[FINDING_SIGNATURE_MAX] = '\0';
	assert_int_equal(allow_add_name(&allow, longest, &err), -1);
	assert_int_equal(allow_add_name(&allow, "", &err), -1);
	assert_int_equal(allow_add_name(&allow, "A B", &err), -1);
	assert_int_equal(allow_add_name(&allow, "A\nB", &err), -1);
	assert_int_equal(allow_add_name(&allow, "\xc3\xa4", &err), -1);
	assert_int_equal(allow.name_count, 0);
	longest[FINDING_SIGNATURE_MAX - 1] = '\0';
	assert_int_equal(allow_add_name(&allow, longest, &err), 0);
}

static void values_of_settings_are_checked(void **state)
{
	static const char *const sums[] = { "", "275a", SUM "0", SUM " ",
		"x75a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f" };
	static const char *const names[] = { "", "A B",
		"Heuristics.Limits.Exceeded.MaxFiles", "Heuristics.Encrypted.Zip" };
	struct err err;

	(void)state;
	assert_int_equal(allow_check_hash(SUM, &err), 0);
	assert_int_equal(allow_check_name("Heuristics.Phishing.Email", &err), 0);
	for (size_t i = 0; i < sizeof(sums) / sizeof(*sums); i++) {
		err = (struct err){ 0 };
		assert_int_equal(allow_check_hash(sums[i], &err), -1);
		assert_int_equal(err.kind, ERR_SETTINGS);
		assert_non_null(strstr(err.text, "expected"));
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		err = (struct err){ 0 };
		assert_int_equal(allow_check_name(names[i], &err), -1);
		assert_int_equal(err.kind, ERR_SETTINGS);
		assert_non_null(strstr(err.text, "expected"));
	}
}

static void packed_lists_come_back_and_have_their_bound(void **state)
{
	static const size_t counts[][2] = { { 0, 0 }, { 2, 3 },
		{ ALLOW_HASHES_MAX, ALLOW_NAMES_MAX } };

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		auto_allow struct allow allow = { 0 }, got = { 0 };
		auto_buf struct buf bytes = { .max = ALLOW_PACKED_MAX };
		struct unpack unpack = { 0 };
		struct pack pack;

		fill(&allow, counts[i][0], counts[i][1]);
		pack_init(&pack, &bytes, NULL);
		allow_pack(&pack, &allow);
		assert_int_equal(pack_result(&pack), 0);
		if (i == 0)
			assert_int_equal(bytes.len, 4);
		unpack.rest = buf_span(&bytes);
		assert_int_equal(allow_unpack(&unpack, &got, NULL), 0);
		assert_null(unpack.wrong);
		assert_int_equal(unpack.rest.len, 0);
		assert_int_equal(got.hash_count, counts[i][0]);
		assert_int_equal(got.name_count, counts[i][1]);
		if (counts[i][0] > 0)
			assert_memory_equal(got.hashes, allow.hashes,
				counts[i][0] * sizeof(*got.hashes));
	}
}

#define ZERO8  "\0\0\0\0\0\0\0\0"
#define ZERO32 ZERO8 ZERO8 ZERO8 ZERO8

static void malformed_lists_are_refused(void **state)
{
#define BYTES(text)                                                                      \
	{                                                                                \
		(const uint8_t *)(text), sizeof(text) - 1                                \
	}
	static const struct span cases[] = {
		BYTES("\0"),                        /* cut short */
		BYTES("\0\1\0\0"),                  /* a hash that is not there */
		BYTES("\2\1"),                      /* 513 hashes */
		BYTES("\0\2" ZERO32 ZERO32 "\0\0"), /* one twice */
		BYTES("\0\0\1\1"),                  /* 257 names */
		BYTES("\0\0\0\1\0\0"),              /* an empty one */
		BYTES("\0\0\0\1\0\3A B"),           /* a blank in it */
		BYTES("\0\0\0\1\0\3A\0B"),          /* a NUL in it */
		BYTES("\0\0\0\1\0\200A"),           /* a long one */
		BYTES("\0\0\0\2\0\1A\0\1A"),        /* one twice */
		BYTES("\0\0\0\2\0\1A"),             /* fewer than announced */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_allow struct allow got = { 0 };
		struct unpack unpack = { .rest = cases[i] };

		assert_int_equal(allow_unpack(&unpack, &got, NULL), 0);
		if (!unpack.wrong)
			fail_msg("case %zu was taken", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_added_is_there_once),
		cmocka_unit_test(past_the_limits_nothing_changes),
		cmocka_unit_test(
			a_name_counts_without_unofficial_at_the_end_of_what_is_found),
		cmocka_unit_test(what_is_no_name_is_refused),
		cmocka_unit_test(values_of_settings_are_checked),
		cmocka_unit_test(packed_lists_come_back_and_have_their_bound),
		cmocka_unit_test(malformed_lists_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
