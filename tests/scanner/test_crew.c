/* SPDX-License-Identifier: ISC
 *
 * What a crew does with workers that answer, lie, die and hang. */
#include "tests/scanner/puppet.h"

static void workers_are_asked_for_until_all_are_there(void **state)
{
	(void)state;
	crew_fill(&f.host, 2, false);
	assert_int_equal(order(), HOST_FORK);
	assert_int_equal(order(), HOST_FORK);
	assert_int_equal(order(), 0);
	crew_fill(&f.host, 2, false);
	assert_int_equal(order(), 0);
	f.host.forks = 0;
	join();
	crew_fill(&f.host, 1, false);
	assert_int_equal(order(), 0);
}

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

static void how_a_worker_died_decides_what_its_message_paid(void **state)
{
	static const struct {
		int status;
		unsigned tries, kills;
		enum health_count count;
	} all[] = {
		{ KILLED_BY(SIGSEGV), 1, 0, HEALTH_CRASHES },
		{ KILLED_BY(SIGABRT), 1, 0, HEALTH_CRASHES },
		{ KILLED_BY(SIGBUS), 1, 0, HEALTH_CRASHES },
		{ KILLED_BY(SIGSYS), 1, 0, HEALTH_CRASHES },
		{ KILLED_BY(SIGXFSZ), 1, 0, HEALTH_CRASHES },
		{ KILLED_BY(SIGFPE), 1, 0, HEALTH_CRASHES },
		{ KILLED_BY(SIGILL), 1, 0, HEALTH_CRASHES },
		{ KILLED_BY(SIGXCPU), 1, 0, HEALTH_LATE },
		{ 70 << 8, 1, 0, HEALTH_CRASHES }, /* exit code 70 */
		{ 0, 1, 0, HEALTH_CRASHES },
		{ KILLED_BY(SIGKILL), 0, 1, HEALTH_KILLED },
		{ KILLED_BY(SIGTERM), 0, 1, HEALTH_KILLED },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		assert_int_equal(set_up(state), 0);
		at_work();
		/* The close is seen before the wait status, or the other way round. */
		if (i % 2) {
			(void)close(f.worker_end);
			f.worker_end = -1;
			crew_hear(&f.host, f.worker);
			assert_int_equal(f.worker->state, WORKER_ENDING);
			assert_int_equal(f.request->stage, REQUEST_WORKING);
		}
		reap(all[i].status);
		assert_int_equal(f.request->stage, REQUEST_WAITING);
		assert_int_equal(f.request->tries, all[i].tries);
		assert_int_equal(f.request->kills, all[i].kills);
		assert_int_equal(f.host.counts[all[i].count], 1);
		assert_int_equal(f.host.counts[HEALTH_AGAIN], 1);
		assert_int_equal(f.worker->state, WORKER_NONE);
		assert_int_equal(tear_down(state), 0);
	}
}

static void an_answer_sent_before_death_counts(void **state)
{
	struct verdict verdict = { .kind = VERDICT_CLEAN };
	auto_buf struct buf out = { .max = 10000 };
	struct span payload;

	(void)state;
	at_work();
	assert_int_equal(wire_encode_verdict(&verdict, &out, NULL), 0);
	payload = buf_span(&out);
	assert_int_equal(job_send(f.worker_end, JOB_VERDICT, 0, &payload, 1, NULL), 0);
	reap(KILLED_BY(SIGSEGV));
	assert_int_equal(f.request->stage, REQUEST_DONE);
	assert_int_equal(f.request->verdict.kind, VERDICT_CLEAN);
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

static void a_worker_past_its_deadline_is_killed_and_costs_a_try(void **state)
{
	(void)state;
	at_work();
	assert_true(f.worker->deadline > clock_ms());
	assert_true(f.worker->deadline <= clock_ms() + 1000 + CREW_GRACE_MS);
	assert_int_equal(crew_deadlines(&f.host), f.worker->deadline);
	f.worker->deadline = clock_ms() - 1;
	(void)crew_deadlines(&f.host);
	assert_int_equal(order(), HOST_KILL);
	assert_int_equal(f.request->stage, REQUEST_WORKING);
	reap(KILLED_BY(SIGKILL));
	assert_int_equal(f.request->stage, REQUEST_WAITING);
	assert_int_equal(f.request->tries, 1);
	request_begin(f.request, 1);
	request_worker_died(f.request, DEATH_TIMEOUT);
	assert_int_equal(f.request->verdict.reason, REASON_TIMEOUT);
}

static void a_worker_that_closes_and_lives_on_is_killed(void **state)
{
	(void)state;
	at_work();
	(void)close(f.worker_end);
	f.worker_end = -1;
	crew_hear(&f.host, f.worker);
	assert_int_equal(order(), 0);
	f.worker->deadline = clock_ms() - 1;
	(void)crew_deadlines(&f.host);
	assert_int_equal(order(), HOST_KILL);
	reap(KILLED_BY(SIGKILL));
	/* Killed by us for what it did: the message pays as for a crash. */
	assert_int_equal(f.request->tries, 1);
	assert_int_equal(f.request->kills, 0);
}

static void assert_replaced(void)
{
	assert_int_equal(f.worker->state, WORKER_ENDING);
	assert_int_equal(order(), HOST_KILL);
	reap(KILLED_BY(SIGKILL));
	assert_int_equal(f.request->stage, REQUEST_WAITING);
	assert_int_equal(f.request->tries, 1);
}

static void a_worker_that_lies_is_killed_and_costs_a_try(void **state)
{
	static const struct {
		enum job_type type;
		const char *payload;
	} all[] = {
		{ JOB_VERDICT, "not a verdict" },
		{ JOB_VERDICT, "" },
		{ JOB_READY, "" },
		{ JOB_SCAN, "" },
		{ HOST_LOADED, "" },
		{ (enum job_type)77, "" },
		{ JOB_FAILED, "out of memory" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		assert_int_equal(set_up(state), 0);
		at_work();
		from_worker(all[i].type, span_str(all[i].payload));
		assert_replaced();
		assert_int_equal(tear_down(state), 0);
	}
	/* Infected, without a finding. */
	assert_int_equal(set_up(state), 0);
	at_work();
	say_verdict(VERDICT_INFECTED);
	assert_replaced();
	assert_int_equal(tear_down(state), 0);
	/* A length past all limits. */
	assert_int_equal(set_up(state), 0);
	at_work();
	{
		struct job_head head = { .type = JOB_VERDICT, .length = UINT64_MAX };

		assert_int_equal(
			send(f.worker_end, &head, sizeof(head), 0), sizeof(head));
	}
	crew_hear(&f.host, f.worker);
	assert_replaced();
}

static void an_idle_worker_that_speaks_unasked_is_replaced(void **state)
{
	(void)state;
	join();
	from_worker(JOB_READY, (struct span){ 0 });
	say_verdict(VERDICT_CLEAN);
	assert_int_equal(f.worker->state, WORKER_ENDING);
	assert_int_equal(order(), HOST_KILL);
}

static void workers_that_cannot_serve_are_tried_again_more_and_more_slowly(void **state)
{
	int64_t before = 0;

	(void)state;
	for (int i = 0; i < 12; i++) {
		int64_t wait;

		join();
		from_worker(JOB_FAILED, span_str("the probe is not found"));
		assert_string_equal(f.host.trouble, "the probe is not found");
		reap(KILLED_BY(SIGKILL));
		(void)close(f.worker_end);
		assert_int_equal(order(), HOST_KILL);
		crew_fill(&f.host, 1, false);
		assert_int_equal(order(), 0);
		wait = f.host.fork_after - clock_ms();
		assert_true(wait >= before - 100 && wait <= 60000);
		before = wait;
	}
	assert_true(before > 50000);
	f.host.fork_after = 0;
	crew_fill(&f.host, 4, false);
	assert_int_equal(order(), HOST_FORK);
	assert_int_equal(order(), 0);
	f.host.forks = 0;
	join();
	from_worker(JOB_READY, (struct span){ 0 });
	assert_string_equal(f.host.trouble, "");
	assert_int_equal(f.host.failures, 0);
}

/* Short of temp space none can start, and once there is some all can. */
static void workers_without_temp_space_are_tried_again_at_one_pace(void **state)
{
	static char none[] = "/nonexistent/temp";

	(void)state;
	f.settings.temp_dir = none;
	for (int i = 0; i < 12; i++) {
		join();
		from_worker(JOB_FAILED, span_str("no room"));
		reap(KILLED_BY(SIGKILL));
		(void)close(f.worker_end);
		assert_true(f.host.fork_after - clock_ms() <= 500);
	}
	assert_int_equal(f.host.failures, 0);
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

static void a_worker_killed_for_its_memory_is_told_from_one_killed_from_outside(
	void **state)
{
	(void)state;
	at_work();
	f.host.oom_kills += 7; /* the kernel counts something else than at the start */
	reap(KILLED_BY(SIGKILL));
	assert_int_equal(f.request->stage, REQUEST_WAITING);
	assert_int_equal(f.request->shortages, 1);
	assert_int_equal(f.request->kills, 0);
}

static void a_worker_that_dies_before_it_is_ready_counts_as_one_that_cannot_serve(
	void **state)
{
	(void)state;
	join();
	reap(KILLED_BY(SIGSEGV));
	assert_int_equal(f.host.failures, 1);
	assert_true(f.host.fork_after > clock_ms());
	assert_non_null(strstr(f.host.trouble, "signal 11"));
}

static void when_the_engine_host_is_gone_its_requests_go_back(void **state)
{
	(void)state;
	at_work();
	crew_lost(&f.host);
	assert_int_equal(f.request->stage, REQUEST_WAITING);
	assert_int_equal(f.request->kills, 1);
	assert_int_equal(f.request->tries, 0);
	assert_int_equal(f.host.counts[HEALTH_KILLED], 1);
	assert_int_equal(f.host.counts[HEALTH_AGAIN], 1);
	assert_int_equal(pool_count(&f.host.pool, WORKER_NONE), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CREW_TEST(workers_are_asked_for_until_all_are_there),
		CREW_TEST(a_worker_gets_its_job_and_its_clean_answer_keeps_it),
		CREW_TEST(a_job_larger_than_the_socket_goes_out_as_the_worker_takes_it),
		CREW_TEST(a_job_for_a_worker_that_has_just_died_goes_back),
		CREW_TEST(a_worker_is_retired_after_any_verdict_but_clean),
		CREW_TEST(a_worker_is_retired_after_its_number_of_jobs),
		cmocka_unit_test(how_a_worker_died_decides_what_its_message_paid),
		CREW_TEST(an_answer_sent_before_death_counts),
		CREW_TEST(a_suspect_message_gets_a_fresh_worker),
		CREW_TEST(a_worker_past_its_deadline_is_killed_and_costs_a_try),
		CREW_TEST(a_worker_that_closes_and_lives_on_is_killed),
		cmocka_unit_test_teardown(
			a_worker_that_lies_is_killed_and_costs_a_try, tear_down),
		CREW_TEST(an_idle_worker_that_speaks_unasked_is_replaced),
		CREW_TEST(workers_that_cannot_serve_are_tried_again_more_and_more_slowly),
		CREW_TEST(workers_without_temp_space_are_tried_again_at_one_pace),
		CREW_TEST(a_worker_passes_its_self_test_again),
		cmocka_unit_test_teardown(
			a_worker_that_fails_its_self_test_is_replaced_at_once, tear_down),
		CREW_TEST(
			a_worker_killed_for_its_memory_is_told_from_one_killed_from_outside),
		CREW_TEST(
			a_worker_that_dies_before_it_is_ready_counts_as_one_that_cannot_serve),
		CREW_TEST(when_the_engine_host_is_gone_its_requests_go_back),
	};

	/* Warnings are what is tested. */
	log_start("test", (enum log_level) - 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
