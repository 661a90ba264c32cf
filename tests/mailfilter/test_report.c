/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include "mailfilter/report.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static void nothing_new_is_said_and_is_success(void **state)
{
	struct report report = { .final = true };
	char text[REPORT_SUMMARY_MAX];

	(void)state;
	assert_string_equal(report_summary(&report, text), "nothing new");
	assert_int_equal(report_exit_code(&report), EX_OK);
}

static void the_summary_counts_what_became_of_the_mail(void **state)
{
	struct report report = {
		.final = true, .delivered = 2, .cleaned = 1, .infected = 1
	};
	char text[REPORT_SUMMARY_MAX];

	(void)state;
	assert_string_equal(report_summary(&report, text), "3 new, 1 infected (cleaned)");
	assert_int_equal(report_exit_code(&report), EX_OK);
	report.quarantined = 2;
	assert_string_equal(report_summary(&report, text),
		"5 new, 1 infected (cleaned), 2 not scannable (quarantined)");
}

static void held_mail_says_why_and_asks_for_another_run(void **state)
{
	struct report report = { .final = true };
	struct message message = { .action = ACTION_HOLD };
	char text[REPORT_SUMMARY_MAX];

	(void)state;
	(void)snprintf(message.reason, sizeof(message.reason), "no scanner answers");
	report_count(&report, &message);
	assert_string_equal(report_summary(&report, text), "1 held (no scanner answers)");
	assert_int_equal(report_exit_code(&report), EX_TEMPFAIL);
}

static void an_error_is_told_behind_what_was_done(void **state)
{
	struct report report = { .final = true, .delivered = 1 };
	char text[REPORT_SUMMARY_MAX];

	(void)state;
	(void)err_set(&report.err, ERR_AUTH, "login refused");
	assert_string_equal(report_summary(&report, text), "1 new; then: login refused");
	assert_int_equal(report_exit_code(&report), EX_NOPERM);
}

static void a_run_without_an_end_is_no_success(void **state)
{
	struct report report = { 0 };

	(void)state;
	assert_int_equal(report_exit_code(&report), EX_TEMPFAIL);
}

static void the_worse_exit_code_wins(void **state)
{
	static const int cases[][3] = {
		{ 0, 0, 0 },
		{ 0, EX_TEMPFAIL, EX_TEMPFAIL },
		{ EX_NOPERM, EX_TEMPFAIL, EX_NOPERM },
		{ EX_NOPERM, EX_CONFIG, EX_CONFIG },
		{ EX_SOFTWARE, EX_TEMPFAIL, EX_TEMPFAIL },
		{ EX_SOFTWARE, 0, EX_SOFTWARE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(report_worse(cases[i][0], cases[i][1]), cases[i][2]);
		assert_int_equal(report_worse(cases[i][1], cases[i][0]), cases[i][2]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_new_is_said_and_is_success),
		cmocka_unit_test(the_summary_counts_what_became_of_the_mail),
		cmocka_unit_test(held_mail_says_why_and_asks_for_another_run),
		cmocka_unit_test(an_error_is_told_behind_what_was_done),
		cmocka_unit_test(a_run_without_an_end_is_no_success),
		cmocka_unit_test(the_worse_exit_code_wins),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
