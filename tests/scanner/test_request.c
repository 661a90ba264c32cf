/* SPDX-License-Identifier: ISC
 *
 * What comes in of one message, and how its time is counted. */
#include "tests/scanner/requested.h"

static void a_message_in_order_and_under_credit_is_taken_whole(void **state)
{
	enum {
		SIZE = 3 * REQUEST_CREDIT + 17,
		STEP = 200 * 1024
	};
	static uint8_t bytes[SIZE];
	struct request *request = arriving(SIZE);
	struct span all = { bytes, SIZE }, kept;
	struct hash hash;
	uint64_t sent = 0;

	(void)state;
	for (size_t i = 0; i < SIZE; i++)
		bytes[i] = (uint8_t)(i * 7 >> 4);
	assert_int_equal(request_add(request, 0, span_part(all, 0, STEP), NULL), 0);
	for (sent = STEP; sent < SIZE;) {
		struct span part;

		(void)request_extend(request);
		assert_true(request->credit > sent);
		assert_true(request->credit <= sent + REQUEST_CREDIT);
		part = span_part(span_part(all, 0, request->credit), sent, STEP);
		assert_int_equal(request_add(request, sent, part, NULL), 0);
		sent += part.len;
	}
	assert_int_equal(request->stage, REQUEST_WAITING);
	assert_false(request_extend(request));
	assert_int_equal(request_bytes(request, &kept, NULL), 0);
	assert_true(span_equal(kept, all));
	assert_int_equal(hash_span(all, &hash, NULL), 0);
	assert_true(hash_equal(&request->hash, &hash));
	request_free(request);
}

static void bytes_out_of_order_beyond_size_or_credit_are_refused(void **state)
{
	static const uint8_t bytes[4096];
	static const struct {
		uint64_t size, credit, offset;
		size_t len;
	} all[] = {
		{ 4096, 4096, 99, 10 },    /* again */
		{ 4096, 4096, 101, 10 },   /* a gap */
		{ 4096, 4096, 100, 0 },    /* nothing */
		{ 4096, 4096, 100, 3997 }, /* one more than announced */
		{ 4096, 200, 100, 101 },   /* one more than credit */
		{ 4096, 0, 100, 1 },       /* none was given yet */
		{ 4096, 4096, UINT64_MAX, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct request *request = arriving(all[i].size);
		struct err err = { 0 };

		assert_int_equal(
			request_add(request, 0, (struct span){ bytes, 100 }, &err), 0);
		request->credit = all[i].credit;
		assert_int_equal(request_add(request, all[i].offset,
					 (struct span){ bytes, all[i].len }, &err),
			-1);
		assert_int_equal(err.kind, ERR_MESSAGE);
		assert_int_equal(request->body.size, 100);
		request_free(request);
	}
}

static void an_empty_message_waits_at_once_and_a_long_id_is_refused(void **state)
{
	struct request *request = arriving(0);
	struct wire_request wanted = { .size = 1 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(request_add(request, 0, (struct span){ 0 }, &err), 0);
	assert_int_equal(request->stage, REQUEST_WAITING);
	request_free(request);
	memset(wanted.quarantine_id, 'x', JOB_ID_MAX + 1);
	assert_int_equal(request_new(&peer, 1, &wanted, "/tmp", &request, &err), -1);
	assert_int_equal(err.kind, ERR_MESSAGE);
}

/* As if so long had passed: since the last byte, and since its job began. */
static void pass(struct request *request, int64_t ms, bool in_work)
{
	request->arrived -= ms;
	if (in_work)
		request->began -= ms;
}

static void waiting_and_work_are_timed_apart(void **state)
{
	struct request *request = waiting();

	(void)state;
	pass(request, 1000, false);
	request_begin(request, 1);
	pass(request, 200, true);
	request_worker_died(request, DEATH_KILLED);
	pass(request, 5000, false);
	request_begin(request, 1);
	pass(request, 30, true);
	answer(request, VERDICT_CLEAN, REASON_NONE);
	assert_in_range(request->took_ms, 6230, 7230);
	assert_in_range(request->work_ms, 230, 1230);
	request_free(request);
}

/* An answer that cannot be true, and the death that follows: the time between counts once. */
static void no_work_is_counted_twice(void **state)
{
	struct verdict lie = { .kind = VERDICT_INFECTED };
	struct request *request = working();

	(void)state;
	pass(request, 100, true);
	assert_int_equal(request_answer(request, &lie, NULL), -1);
	request_worker_died(request, DEATH_CRASH);
	assert_in_range(request->work_ms, 100, 150);
	verdict_done(&lie);
	request_free(request);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_in_order_and_under_credit_is_taken_whole),
		cmocka_unit_test(bytes_out_of_order_beyond_size_or_credit_are_refused),
		cmocka_unit_test(an_empty_message_waits_at_once_and_a_long_id_is_refused),
		cmocka_unit_test(waiting_and_work_are_timed_apart),
		cmocka_unit_test(no_work_is_counted_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
