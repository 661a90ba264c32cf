/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "mailfilter/message.h"

static void a_new_message_is_listed_and_empty(void **state)
{
	struct message *message = message_new("/tmp", 10);

	(void)state;
	assert_non_null(message);
	assert_int_equal(message->stage, STAGE_LISTED);
	assert_int_equal(message->action, ACTION_NONE);
	assert_int_equal(message->verdict.kind, VERDICT_RETRY);
	assert_int_equal(message->body.size, 0);
	assert_int_equal(message->cleaned.size, 0);
	message_free(message);
	message_free(NULL);
}

static void the_cleaned_copy_may_be_larger_by_all_edits(void **state)
{
	struct message *message = message_new("/tmp", 10);
	struct err err = { 0 };

	(void)state;
	assert_int_equal(body_add(&message->body, span_str("0123456789"), &err), 0);
	assert_int_equal(body_add(&message->body, span_str("0"), &err), -1);
	assert_true(message->cleaned.max > 10 + EDITS_BYTES_MAX);
	message_free(message);
}

static void free_releases_bodies_and_verdict(void **state)
{
	struct message *message = message_new("/tmp", 1000000);
	struct finding finding = { .signature = "x" };
	struct err err = { 0 };
	static const uint8_t large[BODY_MEMORY_MAX + 1];

	(void)state;
	assert_int_equal(
		body_add(&message->body, (struct span){ large, sizeof(large) }, &err), 0);
	assert_int_equal(body_add(&message->cleaned, span_str("x"), &err), 0);
	assert_int_equal(verdict_add_finding(&message->verdict, &finding, &err), 0);
	message_free(message);
}

static void each_stage_and_action_has_its_name(void **state)
{
	(void)state;
	for (int i = STAGE_LISTED; i <= STAGE_SETTLED; i++)
		for (int k = STAGE_LISTED; k < i; k++)
			assert_string_not_equal(message_stage_name((enum stage)i),
				message_stage_name((enum stage)k));
	for (int i = ACTION_NONE; i <= ACTION_HOLD; i++)
		for (int k = ACTION_NONE; k < i; k++)
			assert_string_not_equal(message_action_name((enum action)i),
				message_action_name((enum action)k));
	assert_string_equal(message_action_name(ACTION_CLEAN), "cleaned");
	assert_string_equal(message_action_name(ACTION_DELIVER), "delivered");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_message_is_listed_and_empty),
		cmocka_unit_test(the_cleaned_copy_may_be_larger_by_all_edits),
		cmocka_unit_test(free_releases_bodies_and_verdict),
		cmocka_unit_test(each_stage_and_action_has_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
