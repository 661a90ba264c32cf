/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include "mailfilter/decide.h"

#include <string.h>

static const struct account_settings defaults = { .on_infected = POLICY_CLEAN,
	.on_unscannable = POLICY_QUARANTINE,
	.on_reason = { POLICY_QUARANTINE, POLICY_TAG, POLICY_QUARANTINE,
		POLICY_QUARANTINE, POLICY_QUARANTINE, POLICY_QUARANTINE,
		POLICY_QUARANTINE, POLICY_QUARANTINE } };

static struct message scanned(enum verdict_kind kind, enum verdict_reason reason)
{
	return (struct message){ .suspicious = true,
		.scanned = true,
		.verdict = { .kind = kind, .reason = reason } };
}

static void each_verdict_has_its_default(void **state)
{
	static const struct {
		enum verdict_kind kind;
		enum verdict_reason reason;
		enum action action;
	} cases[] = {
		{ VERDICT_CLEAN, REASON_NONE, ACTION_DELIVER },
		{ VERDICT_INFECTED, REASON_NONE, ACTION_CLEAN },
		{ VERDICT_INFECTED, REASON_ENCRYPTED, ACTION_CLEAN },
		{ VERDICT_INFECTED, REASON_LIMIT, ACTION_QUARANTINE },
		{ VERDICT_UNSCANNABLE, REASON_ENCRYPTED, ACTION_TAG },
		{ VERDICT_UNSCANNABLE, REASON_UNSUPPORTED, ACTION_QUARANTINE },
		{ VERDICT_UNSCANNABLE, REASON_LIMIT, ACTION_QUARANTINE },
		{ VERDICT_UNSCANNABLE, REASON_TIMEOUT, ACTION_QUARANTINE },
		{ VERDICT_UNSCANNABLE, REASON_CRASH, ACTION_QUARANTINE },
		{ VERDICT_UNSCANNABLE, REASON_MALFORMED, ACTION_QUARANTINE },
		{ VERDICT_UNSCANNABLE, REASON_ERROR, ACTION_QUARANTINE },
		{ VERDICT_RETRY, REASON_NONE, ACTION_HOLD },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct message message = scanned(cases[i].kind, cases[i].reason);

		decide(&message, &defaults);
		assert_int_equal(message.action, cases[i].action);
	}
}

static void the_stricter_policy_wins_where_two_apply(void **state)
{
	struct account_settings account = defaults;
	struct message message = scanned(VERDICT_INFECTED, REASON_ENCRYPTED);

	(void)state;
	account.on_infected = POLICY_TAG;
	account.on_reason[REASON_ENCRYPTED] = POLICY_HOLD;
	decide(&message, &account);
	assert_int_equal(message.action, ACTION_HOLD);

	account.on_infected = POLICY_QUARANTINE;
	account.on_reason[REASON_ENCRYPTED] = POLICY_TAG;
	message.action = ACTION_NONE;
	decide(&message, &account);
	assert_int_equal(message.action, ACTION_QUARANTINE);
}

static void each_reason_has_a_policy_of_its_own(void **state)
{
	static const enum policy policies[] = { POLICY_TAG, POLICY_QUARANTINE,
		POLICY_HOLD };
	static const enum action actions[] = { ACTION_TAG, ACTION_QUARANTINE,
		ACTION_HOLD };

	(void)state;
	for (unsigned reason = REASON_ENCRYPTED; reason < VERDICT_REASONS; reason++)
		for (size_t i = 0; i < 3; i++) {
			struct account_settings account = defaults;
			struct message message =
				scanned(VERDICT_UNSCANNABLE, (enum verdict_reason)reason);

			/* All others say something else. */
			for (size_t j = 0; j < VERDICT_REASONS; j++)
				account.on_reason[j] = (int)policies[(i + 1) % 3];
			account.on_reason[reason] = (int)policies[i];
			decide(&message, &account);
			assert_int_equal(message.action, actions[i]);
		}
}

static void clean_as_policy_of_what_was_not_scanned_keeps_it_back(void **state)
{
	struct account_settings account = defaults;
	struct message message = scanned(VERDICT_UNSCANNABLE, REASON_CRASH);

	(void)state;
	account.on_reason[REASON_CRASH] = POLICY_CLEAN;
	decide(&message, &account);
	assert_int_equal(message.action, ACTION_QUARANTINE);
}

static void suspicious_and_not_scanned_is_held_and_inert_is_delivered(void **state)
{
	struct message suspicious = { .suspicious = true }, inert = { 0 };

	(void)state;
	decide(&suspicious, &defaults);
	assert_int_equal(suspicious.action, ACTION_HOLD);
	decide(&inert, &defaults);
	assert_int_equal(inert.action, ACTION_DELIVER);
}

static void a_zeroed_verdict_holds(void **state)
{
	struct message message = { .scanned = true };

	(void)state;
	decide(&message, &defaults);
	assert_int_equal(message.action, ACTION_HOLD);
	assert_string_equal(message.reason, "no verdict");
}

static void what_is_decided_already_stays(void **state)
{
	struct message message = scanned(VERDICT_CLEAN, REASON_NONE);

	(void)state;
	message.action = ACTION_PARK;
	decide(&message, &defaults);
	assert_int_equal(message.action, ACTION_PARK);
}

static void the_reason_names_the_signature(void **state)
{
	struct finding finding = { .signature = "Eicar-Test-Signature" };
	struct message message = scanned(VERDICT_INFECTED, REASON_NONE);
	char text[DECIDE_VERDICT_MAX];

	(void)state;
	message.verdict.findings = &finding;
	message.verdict.finding_count = 1;
	decide(&message, &defaults);
	assert_non_null(strstr(message.reason, "Eicar-Test-Signature"));
	assert_string_equal(decide_verdict(&message, text), "infected");
	message = scanned(VERDICT_UNSCANNABLE, REASON_LIMIT);
	assert_string_equal(decide_verdict(&message, text), "unscannable (limit)");
	message = (struct message){ 0 };
	assert_string_equal(decide_verdict(&message, text), "inert");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_verdict_has_its_default),
		cmocka_unit_test(the_stricter_policy_wins_where_two_apply),
		cmocka_unit_test(each_reason_has_a_policy_of_its_own),
		cmocka_unit_test(clean_as_policy_of_what_was_not_scanned_keeps_it_back),
		cmocka_unit_test(
			suspicious_and_not_scanned_is_held_and_inert_is_delivered),
		cmocka_unit_test(a_zeroed_verdict_holds),
		cmocka_unit_test(what_is_decided_already_stays),
		cmocka_unit_test(the_reason_names_the_signature),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
