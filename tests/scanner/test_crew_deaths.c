/* SPDX-License-Identifier: ISC
 *
 * What a crew does with workers that die, lie and hang. */
#include "tests/scanner/puppet.h"

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
		cmocka_unit_test(how_a_worker_died_decides_what_its_message_paid),
		CREW_TEST(an_answer_sent_before_death_counts),
		CREW_TEST(a_worker_past_its_deadline_is_killed_and_costs_a_try),
		CREW_TEST(a_worker_that_closes_and_lives_on_is_killed),
		cmocka_unit_test_teardown(
			a_worker_that_lies_is_killed_and_costs_a_try, tear_down),
		CREW_TEST(an_idle_worker_that_speaks_unasked_is_replaced),
		CREW_TEST(
			a_worker_killed_for_its_memory_is_told_from_one_killed_from_outside),
		CREW_TEST(when_the_engine_host_is_gone_its_requests_go_back),
	};

	/* Warnings are what is tested. */
	log_start("test", (enum log_level) - 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
