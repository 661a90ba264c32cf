/* SPDX-License-Identifier: ISC
 *
 * What an answer means for one message. */
#include "tests/scanner/requested.h"

static void what_a_worker_says_of_an_unchanged_message_is_the_verdict(void **state)
{
	static const struct {
		enum verdict_kind kind;
		enum verdict_reason reason;
	} all[] = {
		{ VERDICT_CLEAN, REASON_NONE },
		{ VERDICT_UNSCANNABLE, REASON_ENCRYPTED },
		{ VERDICT_UNSCANNABLE, REASON_LIMIT },
		{ VERDICT_RETRY, REASON_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct request *request = working();

		answer(request, all[i].kind, all[i].reason);
		assert_done(request, all[i].kind, all[i].reason);
		assert_int_equal(request->verdict.generation, 1);
		request_free(request);
	}
}

static void an_infected_message_goes_out_once_another_worker_finds_it_clean(void **state)
{
	struct request *request = working();
	struct span bytes;

	(void)state;
	believe(request, infected());
	assert_int_equal(request->stage, REQUEST_WAITING);
	assert_true(request->verifying);
	assert_int_equal(request_bytes(request, &bytes, NULL), 0);
	assert_true(span_equal(bytes, span_str(cleaned)));
	assert_true(request_weight(request) > strlen(mail));
	request_begin(request, 1);
	answer(request, VERDICT_CLEAN, REASON_NONE);
	assert_done(request, VERDICT_INFECTED, REASON_NONE);
	assert_int_equal(request->verdict.edits.count, 1);
	request_free(request);
}

static void what_is_still_infected_is_cut_wider_and_in_the_end_not_scannable(void **state)
{
	static const struct {
		bool is_tough;
		uint32_t level;
	} rounds[] = { { false, 0 }, { true, 0 }, { true, 1 }, { true, JOB_LEVEL_ALL } };
	struct request *request = waiting();

	(void)state;
	for (size_t i = 0; i < sizeof(rounds) / sizeof(*rounds); i++) {
		assert_int_equal(request->stage, REQUEST_WAITING);
		assert_int_equal(request->is_tough, rounds[i].is_tough);
		assert_int_equal(request->level, rounds[i].level);
		request_begin(request, 1);
		believe(request, infected());
		request_begin(request, 1);
		believe(request, infected());
	}
	assert_done(request, VERDICT_UNSCANNABLE, REASON_ERROR);
	assert_int_equal(request->verdict.edits.count, 0);
	request_free(request);
}

static void what_cannot_be_opened_beside_the_virus_may_remain_if_it_was_said(void **state)
{
	static const struct {
		enum verdict_reason said, seen;
		bool goes;
	} all[] = {
		{ REASON_ENCRYPTED, REASON_ENCRYPTED, true },
		{ REASON_NONE, REASON_ENCRYPTED, false },
		{ REASON_ENCRYPTED, REASON_LIMIT, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct request *request = working();
		struct verdict verdict = infected();

		verdict.reason = all[i].said;
		believe(request, verdict);
		request_begin(request, 1);
		answer(request, VERDICT_UNSCANNABLE, all[i].seen);
		if (all[i].goes) {
			assert_done(request, VERDICT_INFECTED, all[i].said);
		} else {
			assert_int_equal(request->stage, REQUEST_WAITING);
			assert_true(request->is_tough);
			assert_int_equal(request->level, 0);
			assert_false(request->verifying);
		}
		request_free(request);
	}
}

static void assert_unbelieved(struct request *request, struct verdict verdict)
{
	struct err err = { 0 };

	assert_int_equal(request_answer(request, &verdict, &err), -1);
	assert_int_equal(err.kind, ERR_MESSAGE);
	assert_int_equal(request->stage, REQUEST_WORKING);
	verdict_done(&verdict);
	request_free(request);
}

static void an_answer_that_cannot_be_true_is_not_believed(void **state)
{
	struct request *request;
	struct verdict verdict;

	(void)state;
	/* Nothing found. */
	assert_unbelieved(working(), (struct verdict){ .kind = VERDICT_INFECTED });
	/* Another result than promised. */
	verdict = infected();
	verdict.cleaned.bytes[0] ^= 1;
	assert_unbelieved(working(), verdict);
	/* Beyond the message. */
	verdict = infected();
	assert_int_equal(edits_add(&verdict.edits, 1000, 1, span_str("x"), NULL), 0);
	assert_unbelieved(working(), verdict);
	/* Not a notice. */
	verdict = infected();
	assert_int_equal(edits_add(&verdict.edits, 0, 0,
				 span_str("\x7f"
					  "ELF"),
				 NULL),
		0);
	assert_unbelieved(working(), verdict);
	request = working(); /* clean, when it was infected a moment ago */
	believe(request, infected());
	request_begin(request, 1);
	believe(request, infected());
	request_begin(request, 1);
	assert_true(request->is_tough);
	assert_unbelieved(request, (struct verdict){ .kind = VERDICT_CLEAN });
}

static void new_signatures_judge_a_message_from_the_start(void **state)
{
	struct request *request = working();
	struct span bytes;

	(void)state;
	believe(request, infected());
	request_begin(request, 2);
	assert_false(request->verifying);
	assert_int_equal(request_bytes(request, &bytes, NULL), 0);
	assert_true(span_equal(bytes, span_str(mail)));
	answer(request, VERDICT_CLEAN, REASON_NONE);
	assert_done(request, VERDICT_CLEAN, REASON_NONE);
	assert_int_equal(request->verdict.generation, 2);
	request_free(request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_a_worker_says_of_an_unchanged_message_is_the_verdict),
		cmocka_unit_test(
			an_infected_message_goes_out_once_another_worker_finds_it_clean),
		cmocka_unit_test(
			what_is_still_infected_is_cut_wider_and_in_the_end_not_scannable),
		cmocka_unit_test(
			what_cannot_be_opened_beside_the_virus_may_remain_if_it_was_said),
		cmocka_unit_test(an_answer_that_cannot_be_true_is_not_believed),
		cmocka_unit_test(new_signatures_judge_a_message_from_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
