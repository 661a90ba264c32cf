/* SPDX-License-Identifier: ISC
 *
 * What an answer or a death means for one message: no sockets, no processes. */
#include "tests/test.h"

#include <string.h>

#include "scanner/request.h"

static const char mail[] = "Subject: x\r\n\r\nthe virus\r\n";
static const char cleaned[] = "Subject: x\r\n\r\nthe notice\r\n";
static const struct link_peer peer = { .id = "client", .len = 6 };

static struct request *arriving(uint64_t size)
{
	struct wire_request wanted = { .size = size, .quarantine_id = "Q-1" };
	struct request *request = NULL;
	struct err err = { 0 };

	if (request_new(&peer, 1, &wanted, "/tmp", &request, &err) < 0)
		fail_msg("%s", err.text);
	return request;
}

static struct request *waiting(void)
{
	struct request *request = arriving(strlen(mail));
	struct err err = { 0 };

	if (request_add(request, 0, span_str(mail), &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(request->stage, REQUEST_WAITING);
	return request;
}

static struct request *working(void)
{
	struct request *request = waiting();

	request_begin(request, 1);
	return request;
}

/* What a worker says that found the virus in mail and takes it out. */
static struct verdict infected(void)
{
	struct verdict verdict = { .kind = VERDICT_INFECTED };
	struct finding finding = { .part = "1", .signature = "Virus" };

	assert_int_equal(verdict_add_finding(&verdict, &finding, NULL), 0);
	assert_int_equal(edits_add(&verdict.edits, 18, 5, span_str("notice"), NULL), 0);
	assert_int_equal(hash_span(span_str(cleaned), &verdict.cleaned, NULL), 0);
	return verdict;
}

static void believe(struct request *request, struct verdict verdict)
{
	struct err err = { 0 };

	if (request_answer(request, &verdict, &err) < 0)
		fail_msg("%s", err.text);
	assert_null(verdict.findings);
}

static void answer(
	struct request *request, enum verdict_kind kind, enum verdict_reason reason)
{
	believe(request, (struct verdict){ .kind = kind, .reason = reason });
}

static void assert_done(
	const struct request *request, enum verdict_kind kind, enum verdict_reason reason)
{
	assert_int_equal(request->stage, REQUEST_DONE);
	assert_string_equal(verdict_name(request->verdict.kind), verdict_name(kind));
	assert_string_equal(verdict_reason_name(request->verdict.reason),
		verdict_reason_name(reason));
	assert_true(hash_equal(&request->verdict.message, &request->hash));
}

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
		cmocka_unit_test(
			what_a_worker_says_of_an_unchanged_message_is_the_verdict),
		cmocka_unit_test(
			an_infected_message_goes_out_once_another_worker_finds_it_clean),
		cmocka_unit_test(
			what_is_still_infected_is_cut_wider_and_in_the_end_not_scannable),
		cmocka_unit_test(
			what_cannot_be_opened_beside_the_virus_may_remain_if_it_was_said),
		cmocka_unit_test(an_answer_that_cannot_be_true_is_not_believed),
		cmocka_unit_test(after_two_deaths_it_is_unscannable_and_never_clean),
		cmocka_unit_test(a_crash_while_verifying_counts_and_leaves_no_edits),
		cmocka_unit_test(
			short_memory_counts_at_the_fifth_and_it_runs_alone_after_one),
		cmocka_unit_test(
			kills_from_outside_are_many_before_they_count_and_it_runs_alone_after_some),
		cmocka_unit_test(new_signatures_judge_a_message_from_the_start),
		cmocka_unit_test(short_temp_space_is_tried_again_alone),
		cmocka_unit_test(short_temp_space_while_verifying_starts_anew),
		cmocka_unit_test(who_gives_up_says_that_it_is_a_limit),
		cmocka_unit_test(waiting_and_work_are_timed_apart),
		cmocka_unit_test(no_work_is_counted_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
