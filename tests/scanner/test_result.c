/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "scanner/result.h"

static void names_of_libclamav_become_verdicts(void **state)
{
	static const struct {
		const char *name;
		enum verdict_kind kind;
		enum verdict_reason reason;
		const char *signature;
	} cases[] = {
		{ "Win.Worm.X-1", VERDICT_INFECTED, REASON_NONE, "Win.Worm.X-1" },
		{ "Heuristics.W32.Parite.B", VERDICT_INFECTED, REASON_NONE,
			"Heuristics.W32.Parite.B" },
		{ "Heuristics.Limits.Exceeded.MaxFiles", VERDICT_UNSCANNABLE,
			REASON_LIMIT, "" },
		{ "Heuristics.Limits.Exceeded.MaxScanTime", VERDICT_UNSCANNABLE,
			REASON_TIMEOUT, "" },
		{ "Heuristics.Encrypted.Zip", VERDICT_UNSCANNABLE, REASON_ENCRYPTED, "" },
		{ NULL, VERDICT_UNSCANNABLE, REASON_LIMIT, "" },
		{ "Heuristics.Phishing.Email.SpoofedDomain", VERDICT_CLEAN, REASON_NONE,
			"Heuristics.Phishing.Email.SpoofedDomain" },
		{ "PUA.Win.Tool.X", VERDICT_CLEAN, REASON_NONE, "PUA.Win.Tool.X" },
		{ "Phishing.Heuristics", VERDICT_INFECTED, REASON_NONE,
			"Phishing.Heuristics" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct result result;

		result_init(&result);
		result_add_name(&result, cases[i].name);
		assert_int_equal(result.kind, cases[i].kind);
		assert_int_equal(result.reason, cases[i].reason);
		assert_string_equal(result.signature, cases[i].signature);
	}
}

static void an_overlong_name_is_cut(void **state)
{
	char name[1000];
	struct result result;

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	result_init(&result);
	result_add_name(&result, name);
	assert_int_equal(strlen(result.signature), FINDING_SIGNATURE_MAX - 1);
}

/* From weakest to strongest. */
static const struct result strength[] = {
	{ .kind = VERDICT_CLEAN },
	{ .kind = VERDICT_CLEAN, .signature = "Heuristics.Phishing.X" },
	{ .kind = VERDICT_UNSCANNABLE, .reason = REASON_ENCRYPTED },
	{ .kind = VERDICT_UNSCANNABLE, .reason = REASON_LIMIT },
	{ .kind = VERDICT_RETRY },
	{ .kind = VERDICT_INFECTED, .signature = "Win.Worm.X-1" },
};

static void the_stronger_result_wins_in_any_order(void **state)
{
	const size_t count = sizeof(strength) / sizeof(*strength);

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++) {
			const struct result *want = &strength[i > j ? i : j];
			struct result sum = strength[i];

			result_add(&sum, &strength[j]);
			assert_int_equal(sum.kind, want->kind);
			assert_int_equal(sum.reason, want->reason);
			assert_string_equal(sum.signature, want->signature);
		}
}

static void among_equals_the_first_stays(void **state)
{
	struct result sum = { .kind = VERDICT_UNSCANNABLE, .reason = REASON_LIMIT };

	(void)state;
	result_add_unscannable(&sum, REASON_ERROR, "later");
	assert_int_equal(sum.reason, REASON_LIMIT);
	assert_string_equal(sum.detail, "");
}

static void short_temp_space_is_told_from_other_reasons_to_try_again(void **state)
{
	static const struct {
		enum err_kind kind;
		enum verdict_reason reason;
	} cases[] = { { ERR_AGAIN, REASON_LIMIT }, { ERR_FATAL, REASON_NONE },
		{ ERR_SESSION, REASON_NONE } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err err = { .kind = cases[i].kind, .text = "why" };
		struct result result;

		result_init(&result);
		result_add_failure(&result, &err);
		assert_int_equal(result.kind, VERDICT_RETRY);
		assert_int_equal(result.reason, cases[i].reason);
		assert_string_equal(result.detail, "why");
		/* Neither gives way to what cannot be opened. */
		result_add_unscannable(&result, REASON_ENCRYPTED, "locked");
		assert_int_equal(result.kind, VERDICT_RETRY);
	}
}

static void a_warning_counts_unless_it_is_known_to_be_harmless(void **state)
{
	(void)state;
	assert_int_equal(
		result_of_warning("cli_unzip: failed to create temporary file x"),
		REASON_ERROR);
	assert_int_equal(result_of_warning("never heard of"), REASON_ERROR);
	assert_int_equal(result_of_warning(""), REASON_ERROR);
	assert_int_equal(result_of_warning("utf16 length is not multiple of two: 3\n"),
		REASON_NONE);
	assert_int_equal(result_of_warning("Partial message received from MUA/MTA"),
		REASON_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_libclamav_become_verdicts),
		cmocka_unit_test(an_overlong_name_is_cut),
		cmocka_unit_test(the_stronger_result_wins_in_any_order),
		cmocka_unit_test(among_equals_the_first_stays),
		cmocka_unit_test(a_warning_counts_unless_it_is_known_to_be_harmless),
		cmocka_unit_test(
			short_temp_space_is_told_from_other_reasons_to_try_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
