/* SPDX-License-Identifier: ISC
 *
 * What a worker's death, or that it ran short of space, means for one message. */
#include "tests/scanner/requested.h"

#include <stdio.h>

static void after_two_deaths_it_is_unscannable_and_never_clean(void **state)
{
	static const struct {
		enum request_death first, second;
		enum verdict_reason reason;
	} all[] = {
		{ DEATH_CRASH, DEATH_CRASH, REASON_CRASH },
		{ DEATH_TIMEOUT, DEATH_TIMEOUT, REASON_TIMEOUT },
		{ DEATH_CRASH, DEATH_TIMEOUT, REASON_TIMEOUT },
		{ DEATH_TIMEOUT, DEATH_CRASH, REASON_CRASH },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct request *request = working();

		assert_false(request_is_suspect(request));
		request_worker_died(request, all[i].first);
		assert_int_equal(request->stage, REQUEST_WAITING);
		assert_true(request_is_suspect(request));
		assert_false(request_is_alone(request));
		request_begin(request, 1);
		request_worker_died(request, all[i].second);
		assert_done(request, VERDICT_UNSCANNABLE, all[i].reason);
		request_free(request);
	}
}

static void a_crash_while_verifying_counts_and_leaves_no_edits(void **state)
{
	struct request *request = working();

	(void)state;
	request_worker_died(request, DEATH_CRASH);
	request_begin(request, 1);
	believe(request, infected());
	request_begin(request, 1);
	request_worker_died(request, DEATH_CRASH);
	assert_done(request, VERDICT_UNSCANNABLE, REASON_CRASH);
	assert_int_equal(request->verdict.edits.count, 0);
	assert_int_equal(request->verdict.finding_count, 0);
	request_free(request);
}

/* The kernel chose it for its memory: very likely the message, which must not take others along. */
static void short_memory_counts_at_the_fifth_and_it_runs_alone_after_one(void **state)
{
	struct request *request = waiting();

	(void)state;
	for (int i = 0; i < REQUEST_SHORTAGES_MAX; i++) {
		assert_int_equal(request->stage, REQUEST_WAITING);
		assert_int_equal(request_is_alone(request), i > 0);
		assert_int_equal(request_is_suspect(request), i > 0);
		request_begin(request, 1);
		request_worker_died(request, DEATH_MEMORY);
	}
	assert_done(request, VERDICT_UNSCANNABLE, REASON_CRASH);
	request_free(request);
}

/* Very likely not the message; but nothing goes on for ever. */
static void kills_from_outside_are_many_before_they_count_and_it_runs_alone_after_some(
	void **state)
{
	struct request *request = waiting();

	(void)state;
	for (int i = 0; i < REQUEST_KILLS_MAX; i++) {
		assert_int_equal(request->stage, REQUEST_WAITING);
		assert_int_equal(request_is_alone(request), i >= REQUEST_KILLS_ALONE);
		assert_int_equal(request_is_suspect(request), i > 0);
		request_begin(request, 1);
		request_worker_died(request, DEATH_KILLED);
	}
	assert_int_equal(request->tries, 0);
	assert_done(request, VERDICT_UNSCANNABLE, REASON_CRASH);
	request_free(request);
}

static const char full[] = "the temp folder is full";

static void run_short(struct request *request)
{
	struct verdict verdict = { .kind = VERDICT_RETRY, .reason = REASON_LIMIT };

	(void)snprintf(verdict.detail, sizeof(verdict.detail), "%s", full);
	believe(request, verdict);
}

static void short_temp_space_is_tried_again_alone(void **state)
{
	struct request *request = working();

	(void)state;
	assert_false(request_is_alone(request));
	for (unsigned i = 1; i <= REQUEST_SHORTS_MAX + 1; i++) {
		run_short(request);
		assert_int_equal(request->stage, REQUEST_WAITING);
		assert_true(request_is_alone(request));
		assert_false(request_is_suspect(request));
		assert_int_equal(request->shorts, i);
		assert_string_equal(request->short_of, full);
		request_begin(request, 1);
	}
	answer(request, VERDICT_CLEAN, REASON_NONE);
	assert_done(request, VERDICT_CLEAN, REASON_NONE);
	assert_string_equal(request->verdict.detail, "");
	request_free(request);
}

/* What was cut in a job before is not what is offered in the end. */
static void short_temp_space_while_verifying_starts_anew(void **state)
{
	struct request *request = working();
	struct span bytes;

	(void)state;
	believe(request, infected());
	assert_true(request->verifying);
	request_begin(request, 1);
	run_short(request);
	assert_int_equal(request->stage, REQUEST_WAITING);
	assert_false(request->verifying);
	assert_int_equal(request_bytes(request, &bytes, NULL), 0);
	assert_true(span_is(bytes, mail));
	request_free(request);
}

static void who_gives_up_says_that_it_is_a_limit(void **state)
{
	struct request *request = working();

	(void)state;
	run_short(request);
	request_give_up(request, "why");
	assert_done(request, VERDICT_UNSCANNABLE, REASON_LIMIT);
	assert_string_equal(request->verdict.detail, "why");
	request_free(request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_two_deaths_it_is_unscannable_and_never_clean),
		cmocka_unit_test(a_crash_while_verifying_counts_and_leaves_no_edits),
		cmocka_unit_test(
			short_memory_counts_at_the_fifth_and_it_runs_alone_after_one),
		cmocka_unit_test(
			kills_from_outside_are_many_before_they_count_and_it_runs_alone_after_some),
		cmocka_unit_test(short_temp_space_is_tried_again_alone),
		cmocka_unit_test(short_temp_space_while_verifying_starts_anew),
		cmocka_unit_test(who_gives_up_says_that_it_is_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
