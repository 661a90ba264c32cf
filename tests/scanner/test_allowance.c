/* SPDX-License-Identifier: ISC */
#include "tests/scanner/allowed.h"

#include "scanner/allowance.h"

static void what_was_allowed_is_said_once_and_in_bounds(void **state)
{
	auto_allow struct allow allow = { 0 };
	DEFER(allowance_done) struct allowance allowance = { 0 };
	char name[FINDING_SIGNATURE_MAX];

	(void)state;
	assert_int_equal(allow_add_name(&allow, "Name.1", NULL), 0);
	assert_int_equal(allow_add_name(&allow, "Name", NULL), 0);
	for (int i = 100; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "Name.%d", i);
		assert_int_equal(allow_add_name(&allow, name, NULL), 0);
	}
	allowance_start(&allowance, &allow);
	assert_string_equal(allowance_said(&allowance), "");
	assert_false(allowance_name(&allowance, "Name.2"));
	assert_true(allowance_name(&allowance, "Name.1"));
	assert_true(allowance_name(&allowance, "Name.1"));
	assert_true(allowance_name(&allowance, "Name"));
	assert_string_equal(allowance_said(&allowance), "allowed: Name.1, Name");
	for (int i = 100; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "Name.%d", i);
		assert_true(allowance_name(&allowance, name));
		assert_true(strlen(allowance_said(&allowance)) < VERDICT_DETAIL_MAX);
	}
	assert_non_null(strstr(allowance_said(&allowance), ", ..."));
	assert_null(strstr(allowance_said(&allowance), "..., ..."));
	allowance_start(&allowance, NULL);
	assert_false(allowance_name(&allowance, "Name.1"));
	assert_string_equal(allowance_said(&allowance), "");
}

static void texts_are_known_whatever_their_line_ends_and_nothing_else_is(void **state)
{
	static const struct {
		const char *part, *layer;
		bool same;
	} cases[] = { { "a\r\nb", "a\nb\n", true }, { "a\nb\r\n\r\n", "a\r\nb", true },
		{ "a", "a\n", true }, { "a\r\nb", "a\nc\n", false },
		{ "ab", "a\nb", false }, { "a\rb", "ab", false },
		{ "a\n\nb", "a\nb", false } };
	auto_allow struct allow allow = { 0 };

	(void)state;
	allow_bytes(&allow, span_str("something else"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		DEFER(allowance_done) struct allowance allowance = { 0 };
		struct span layer = span_str(cases[i].layer);
		struct hash hash;

		allowance_start(&allowance, &allow);
		allowance_add_text(&allowance, span_str(cases[i].part));
		assert_int_equal(hash_span(layer, &hash, NULL), 0);
		assert_int_equal(
			allowance_layer(&allowance, layer, &hash), cases[i].same);
	}
}

static void binary_parts_are_known_by_their_exact_bytes_only(void **state)
{
	static const uint8_t part[] = { 'M', 'Z', 0, '\r', '\n', 1 };
	static const uint8_t other[] = { 'M', 'Z', 0, '\n', 1 };
	DEFER(allowance_done) struct allowance allowance = { 0 };
	auto_allow struct allow allow = { 0 };
	struct hash hash;

	(void)state;
	allow_bytes(&allow, (struct span){ part, sizeof(part) });
	allowance_start(&allowance, &allow);
	allowance_add_text(&allowance, (struct span){ part, sizeof(part) });
	assert_int_equal(
		hash_span((struct span){ other, sizeof(other) }, &hash, NULL), 0);
	assert_false(allowance_layer(
		&allowance, (struct span){ other, sizeof(other) }, &hash));
	assert_true(allowance_layer(
		&allowance, (struct span){ part, sizeof(part) }, &allow.hashes[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_allowed_is_said_once_and_in_bounds),
		cmocka_unit_test(
			texts_are_known_whatever_their_line_ends_and_nothing_else_is),
		cmocka_unit_test(binary_parts_are_known_by_their_exact_bytes_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
