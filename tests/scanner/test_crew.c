/* SPDX-License-Identifier: ISC
 *
 * How a crew gives its workers jobs and self-tests. */
#include "tests/scanner/puppet.h"

static void a_worker_gets_its_job_and_its_clean_answer_keeps_it(void **state)
{
	auto_buf struct buf payload = { .max = 1000 };
	DEFER(job_scan_done) struct job_scan job = { 0 };
	struct job_head head;

	(void)state;
	at_work();
	assert_int_equal(job_receive(f.worker_end, &head, &payload, NULL), 1);
	assert_int_equal(head.type, JOB_SCAN);
	assert_int_equal(job_scan_parse(buf_span(&payload), &job, NULL), 0);
	assert_string_equal(job.quarantine_id, "Q");
	assert_int_equal(job.allow.hash_count + job.allow.name_count, 0);
	assert_true(span_equal(job.message, span_str(MAIL)));
	say_verdict(VERDICT_CLEAN);
	assert_int_equal(f.request->stage, REQUEST_DONE);
	assert_int_equal(f.request->verdict.kind, VERDICT_CLEAN);
	assert_int_equal(f.worker->state, WORKER_IDLE);
	assert_int_equal(crew_busy(&f.host), 0);
	assert_int_equal(order(), 0);
}

static void a_job_larger_than_the_socket_goes_out_as_the_worker_takes_it(void **state)
{
	enum {
		LARGE = 4 * 1024 * 1024
	};
	static const uint8_t bytes[LARGE] = { 'x' };
	const struct span mail = { bytes, LARGE };
	struct wire_request wanted = { .size = LARGE };
	struct link_peer peer = { .len = 1 };
	auto_buf struct buf payload = { .max = LARGE + 1000 };
	struct job_in in = { .fd = -1, .payload = payload };

	(void)state;
	request_free(f.request);
	assert_int_equal(request_new(&peer, 1, &wanted, "/tmp", &f.request, NULL), 0);
	assert_int_equal(request_add(f.request, 0, mail, NULL), 0);
	join();
	from_worker(JOB_READY, (struct span){ 0 });
	assert_true(crew_give(&f.host, f.request));
	assert_true(f.worker->sending);
	while (job_in_step(&in, f.worker_end, NULL) == 0)
		crew_hear(&f.host, f.worker);
	payload = in.payload;
	assert_false(f.worker->sending);
	assert_true(payload.len > LARGE);
	assert_memory_equal(payload.data + payload.len - LARGE, bytes, LARGE);
	say_verdict(VERDICT_CLEAN);
	assert_int_equal(f.request->stage, REQUEST_DONE);
}

static void a_job_for_a_worker_that_has_just_died_goes_back(void **state)
{
	(void)state;
	join();
	from_worker(JOB_READY, (struct span){ 0 });
	(void)close(f.worker_end);
	f.worker_end = -1;
	assert_true(crew_give(&f.host, f.request));
	assert_int_equal(f.worker->state, WORKER_BUSY);
	crew_hear(&f.host, f.worker);
	assert_int_equal(f.worker->state, WORKER_ENDING);
	reap(KILLED_BY(SIGKILL));
	assert_int_equal(f.request->stage, REQUEST_WAITING);
	assert_int_equal(f.request->kills, 1);
}

static void a_worker_is_retired_after_any_verdict_but_clean(void **state)
{
	(void)state;
	at_work();
	say_verdict(VERDICT_UNSCANNABLE);
	assert_int_equal(f.request->stage, REQUEST_DONE);
	assert_int_equal(order(), HOST_KILL);
	assert_int_equal(f.worker->state, WORKER_ENDING);
	/* Its place is refilled at once, and free once it is reaped. */
	crew_fill(&f.host, 1, false);
	assert_int_equal(order(), HOST_FORK);
	reap(KILLED_BY(SIGKILL));
	assert_int_equal(f.worker->state, WORKER_NONE);
	assert_int_equal(f.host.failures, 0);
	/* That was in order. */
	assert_int_equal(f.host.counts[HEALTH_WORKERS], 1);
	for (size_t i = 0; i < HEALTH_COUNTS; i++)
		assert_int_equal(f.host.counts[i], i == HEALTH_WORKERS);
}

static void a_worker_is_retired_after_its_number_of_jobs(void **state)
{
	(void)state;
	f.settings.worker_jobs = 1;
	at_work();
	say_verdict(VERDICT_CLEAN);
	assert_int_equal(f.worker->state, WORKER_ENDING);
	assert_int_equal(order(), HOST_KILL);
}

static void a_suspect_message_gets_a_fresh_worker(void **state)
{
	(void)state;
	at_work();
	say_verdict(VERDICT_CLEAN);
	/* As if this one had crashed another. */
	f.request->stage = REQUEST_WAITING;
	f.request->tries = 1;
	assert_false(crew_give(&f.host, f.request));
	crew_fill(&f.host, 1, true);
	assert_int_equal(order(), HOST_KILL);
	assert_int_equal(order(), HOST_FORK);
	reap(KILLED_BY(SIGKILL));
	(void)close(f.worker_end);
	join();
	from_worker(JOB_READY, (struct span){ 0 });
	assert_true(crew_give(&f.host, f.request));
}

static void a_worker_passes_its_self_test_again(void **state)
{
	struct job_head head;
	auto_buf struct buf payload = { .max = 1000 };
	int64_t before = clock_ms(), due;

	(void)state;
	assert_int_equal(crew_probe(&f.host, 0), -1); /* nobody is there */
	at_work();
	assert_int_equal(crew_probe(&f.host, 0), -1); /* mail goes first */
	assert_int_equal(job_receive(f.worker_end, &head, &payload, NULL), 1);
	say_verdict(VERDICT_CLEAN);
	due = crew_probe(&f.host, 60000);
	assert_true(due >= before + 60000 && due <= clock_ms() + 60000);
	assert_int_equal(f.worker->state, WORKER_IDLE);
	assert_int_equal(crew_probe(&f.host, 0), -1);
	assert_int_equal(f.worker->state, WORKER_STARTING);
	assert_int_equal(pool_able(&f.host.pool), 1);
	assert_int_equal(crew_probe(&f.host, 0), -1); /* one at a time */
	crew_hear(&f.host, f.worker);
	assert_int_equal(job_receive(f.worker_end, &head, &payload, NULL), 1);
	assert_int_equal(head.type, JOB_PROBE);
	assert_int_equal(payload.len, 0);
	from_worker(JOB_READY, (struct span){ 0 });
	assert_int_equal(f.worker->state, WORKER_IDLE);
	assert_true(f.host.test.passed_at >= before);
	assert_int_equal(f.worker->jobs, 1);
}

static void a_worker_that_fails_its_self_test_is_replaced_at_once(void **state)
{
	static const struct {
		uint32_t level;
		bool wrong;
	} cases[] = { { 0, false }, { 1, true } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct span why = span_str("the probe is not found");

		assert_int_equal(set_up(state), 0);
		f.host.test = (struct host_test){ -1, -1, -1, "" };
		join();
		from_worker(JOB_READY, (struct span){ 0 });
		assert_int_equal(crew_probe(&f.host, 0), -1);
		crew_hear(&f.host, f.worker);
		assert_int_equal(
			job_send(f.worker_end, JOB_FAILED, cases[i].level, &why, 1, NULL),
			0);
		crew_hear(&f.host, f.worker);
		assert_int_equal(order(), HOST_KILL);
		assert_string_equal(f.host.test.why, "the probe is not found");
		assert_true(f.host.test.failed_at >= f.host.test.passed_at);
		assert_int_equal(f.host.test.wrong_at >= 0, cases[i].wrong);
		assert_int_equal(f.host.failures, 0);
		crew_fill(&f.host, 1, false);
		assert_int_equal(order(), HOST_FORK);
		assert_int_equal(tear_down(state), 0);
	}
	/* One that does not come to its end is no better. */
	assert_int_equal(set_up(state), 0);
	join();
	from_worker(JOB_READY, (struct span){ 0 });
	assert_int_equal(crew_probe(&f.host, 0), -1);
	f.worker->deadline = 1;
	(void)crew_deadlines(&f.host);
	assert_int_equal(order(), HOST_KILL);
	assert_string_equal(f.host.test.why, "its self-test did not end in time");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CREW_TEST(a_worker_gets_its_job_and_its_clean_answer_keeps_it),
		CREW_TEST(a_job_larger_than_the_socket_goes_out_as_the_worker_takes_it),
		CREW_TEST(a_job_for_a_worker_that_has_just_died_goes_back),
		CREW_TEST(a_worker_is_retired_after_any_verdict_but_clean),
		CREW_TEST(a_worker_is_retired_after_its_number_of_jobs),
		CREW_TEST(a_suspect_message_gets_a_fresh_worker),
		CREW_TEST(a_worker_passes_its_self_test_again),
		cmocka_unit_test_teardown(
			a_worker_that_fails_its_self_test_is_replaced_at_once, tear_down),
	};

	/* Warnings are what is tested. */
	log_start("test", (enum log_level) - 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
