/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include "mailfilter/report.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/defer.h"
#include "common/log.h"

static void nothing_new_is_said_and_is_success(void **state)
{
	struct report report = { .final = true };
	char text[REPORT_SUMMARY_MAX];

	(void)state;
	assert_string_equal(report_summary(&report, text), "nothing new");
	assert_int_equal(report_exit_code(&report), EX_OK);
}

static void the_summary_says_what_became_of_each_kind_of_mail(void **state)
{
	static const struct {
		enum verdict_kind verdict;
		enum action action;
		const char *summary;
	} steps[] = {
		{ VERDICT_CLEAN, ACTION_DELIVER, "1 new" },
		{ VERDICT_INFECTED, ACTION_CLEAN, "2 new, 1 infected (cleaned)" },
		{ VERDICT_UNSCANNABLE, ACTION_TAG,
			"3 new, 1 infected (cleaned), 1 not scannable (tagged)" },
		{ VERDICT_UNSCANNABLE, ACTION_QUARANTINE,
			"4 new, 1 infected (cleaned), 1 not scannable (tagged), "
			"1 not scannable (quarantined)" },
		{ VERDICT_INFECTED, ACTION_QUARANTINE,
			"5 new, 1 infected (cleaned), 1 infected (quarantined), "
			"1 not scannable (tagged), 1 not scannable (quarantined)" },
	};
	struct report report = { .final = true };
	char text[REPORT_SUMMARY_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct message message = { .scanned = true,
			.action = steps[i].action,
			.verdict.kind = steps[i].verdict };

		report_count(&report, &message);
		assert_string_equal(report_summary(&report, text), steps[i].summary);
		assert_int_equal(report_exit_code(&report), EX_OK);
	}
}

static void a_note_has_a_second_line_where_it_failed(void **state)
{
	struct report report = { .final = true };
	char text[REPORT_SUMMARY_MAX];

	(void)state;
	assert_string_equal(report_note(&report, text), "nothing new");
	report.delivered = 3;
	assert_string_equal(report_note(&report, text), "3 new");
	(void)err_set(&report.err, ERR_AGAIN, "no answer");
	assert_string_equal(report_note(&report, text), "3 new\nno answer");
	assert_string_equal(report_summary(&report, text), "3 new; then: no answer");
	report.delivered = 0;
	assert_string_equal(report_note(&report, text), "\nno answer");
}

static void held_infected_mail_hides_nothing_of_the_rest(void **state)
{
	struct report report = { .final = true };
	struct message held = {
		.scanned = true, .action = ACTION_HOLD, .verdict.kind = VERDICT_INFECTED
	};
	struct message tagged = {
		.scanned = true, .action = ACTION_TAG, .verdict.kind = VERDICT_UNSCANNABLE
	};
	char text[REPORT_SUMMARY_MAX];

	(void)state;
	report_count(&report, &held);
	report_count(&report, &tagged);
	assert_string_equal(report_summary(&report, text),
		"1 new, 1 infected (held), 1 not scannable (tagged), 1 held");
}

static void a_rule_is_no_failed_scan(void **state)
{
	struct report report = { .final = true };
	struct message message = { .action = ACTION_QUARANTINE, .rule = "r" };
	char text[REPORT_SUMMARY_MAX];

	(void)state;
	report_count(&report, &message);
	assert_string_equal(
		report_summary(&report, text), "1 new, 1 kept back or filed by a rule");
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

/* The line that is logged of a message. */
static const char *line_of(const struct message *message)
{
	static char line[LOG_LINE_MAX];
	auto_close int saved = dup(STDERR_FILENO);
	int ends[2];
	ssize_t len;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	(void)close(ends[1]);
	report_message("work", message, false);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	len = read(ends[0], line, sizeof(line) - 1);
	(void)close(ends[0]);
	assert_true(len > 0);
	line[len - 1] = '\0';
	return line;
}

#define SUM "sha256=ab01000000000000000000000000000000000000000000000000000000000000"

static void a_line_says_a_reason_only_where_nothing_else_does(void **state)
{
	struct finding finding = { .signature = "Eicar", .hash = { { 0xab, 1 } } };
	struct message message = { .action = ACTION_CLEAN,
		.scanned = true,
		.size = 5,
		.reason = "infected: Eicar",
		.quarantine_id = "Q",
		.verdict = { .kind = VERDICT_INFECTED,
			.findings = &finding,
			.finding_count = 1 } };

	(void)state;
	(void)strcpy(message.key.uid, "7");
	assert_string_equal(line_of(&message),
		"account=work uid=7 verdict=infected signature=Eicar " SUM
		" action=cleaned quarantine=Q size=5");
	message.action = ACTION_HOLD;
	assert_string_equal(line_of(&message),
		"account=work uid=7 verdict=infected signature=Eicar " SUM
		" action=held reason=\"infected: Eicar\" size=5");
	message.action = ACTION_QUARANTINE;
	message.verdict =
		(struct verdict){ .kind = VERDICT_UNSCANNABLE, .reason = REASON_LIMIT };
	(void)strcpy(message.reason, "too deep");
	assert_string_equal(line_of(&message),
		"account=work uid=7 verdict=\"unscannable (limit)\" action=quarantined "
		"quarantine=Q reason=\"too deep\" size=5");
}

static void a_line_says_what_was_allowed(void **state)
{
	struct message message = { .action = ACTION_DELIVER,
		.scanned = true,
		.size = 5,
		.verdict = { .kind = VERDICT_CLEAN, .detail = "allowed: Eicar, Other" } };

	(void)state;
	assert_string_equal(line_of(&message),
		"account=work verdict=clean allowed=\"Eicar, Other\" action=delivered "
		"size=5");
	(void)strcpy(message.verdict.detail, "Heuristics.Phishing.Email");
	assert_string_equal(
		line_of(&message), "account=work verdict=clean action=delivered size=5");
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
		cmocka_unit_test(the_summary_says_what_became_of_each_kind_of_mail),
		cmocka_unit_test(a_note_has_a_second_line_where_it_failed),
		cmocka_unit_test(held_infected_mail_hides_nothing_of_the_rest),
		cmocka_unit_test(a_rule_is_no_failed_scan),
		cmocka_unit_test(held_mail_says_why_and_asks_for_another_run),
		cmocka_unit_test(an_error_is_told_behind_what_was_done),
		cmocka_unit_test(a_run_without_an_end_is_no_success),
		cmocka_unit_test(a_line_says_a_reason_only_where_nothing_else_does),
		cmocka_unit_test(a_line_says_what_was_allowed),
		cmocka_unit_test(the_worse_exit_code_wins),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
