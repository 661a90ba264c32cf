/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "common/verdict.h"

static void a_zeroed_verdict_holds_the_message(void **state)
{
	struct verdict verdict = { 0 };

	(void)state;
	assert_int_equal(verdict.kind, VERDICT_RETRY);
	verdict_done(&verdict);
}

static void findings_are_kept_in_order_up_to_the_limit(void **state)
{
	struct verdict verdict = { 0 };
	struct finding finding = { .type = "application/zip" };
	struct err err = { 0 };

	(void)state;
	for (unsigned i = 0; i < FINDINGS_MAX; i++) {
		(void)snprintf(finding.part, sizeof(finding.part), "1.%u", i);
		finding.size = i;
		assert_int_equal(verdict_add_finding(&verdict, &finding, &err), 0);
	}
	assert_int_equal(verdict_add_finding(&verdict, &finding, &err), -1);
	assert_int_equal(err.kind, ERR_MESSAGE);
	assert_int_equal(verdict.finding_count, FINDINGS_MAX);
	assert_string_equal(verdict.findings[0].part, "1.0");
	assert_int_equal(verdict.findings[FINDINGS_MAX - 1].size, FINDINGS_MAX - 1);
	assert_string_equal(verdict.findings[700].part, "1.700");
	assert_string_equal(verdict.findings[700].type, "application/zip");
	verdict_done(&verdict);
}

static void done_leaves_an_empty_retry_and_may_be_called_twice(void **state)
{
	struct verdict verdict = { .kind = VERDICT_CLEAN, .milliseconds = 3 };
	struct finding finding = { 0 };
	struct err err;

	(void)state;
	assert_int_equal(verdict_add_finding(&verdict, &finding, &err), 0);
	assert_int_equal(edits_add(&verdict.edits, 1, 2, span_str("x"), &err), 0);
	verdict_done(&verdict);
	assert_int_equal(verdict.kind, VERDICT_RETRY);
	assert_null(verdict.findings);
	assert_int_equal(verdict.finding_count, 0);
	assert_int_equal(verdict.edits.count, 0);
	verdict_done(&verdict);
}

static void what_was_allowed_is_told_from_other_details(void **state)
{
	struct verdict verdict = { .detail = VERDICT_ALLOWED "Eicar" };

	(void)state;
	assert_string_equal(verdict_allowed(&verdict), "Eicar");
	(void)snprintf(verdict.detail, sizeof(verdict.detail), "not allowed: Eicar");
	assert_null(verdict_allowed(&verdict));
	verdict.detail[0] = '\0';
	assert_null(verdict_allowed(&verdict));
}

/* The names are contracts: scripts read them. */
static void names_are_those_of_the_manual(void **state)
{
	static const char *const kinds[] = { "retry", "clean", "infected",
		"unscannable" };
	static const char *const reasons[] = { "", "encrypted", "unsupported", "limit",
		"timeout", "crash", "malformed", "error" };

	(void)state;
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		assert_string_equal(verdict_name((enum verdict_kind)i), kinds[i]);
	for (unsigned i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		assert_string_equal(
			verdict_reason_name((enum verdict_reason)i), reasons[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_zeroed_verdict_holds_the_message),
		cmocka_unit_test(findings_are_kept_in_order_up_to_the_limit),
		cmocka_unit_test(done_leaves_an_empty_retry_and_may_be_called_twice),
		cmocka_unit_test(what_was_allowed_is_told_from_other_details),
		cmocka_unit_test(names_are_those_of_the_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
