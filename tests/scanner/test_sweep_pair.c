/* SPDX-License-Identifier: ISC
 *
 * The test is the parent, and the worker. */
#include "tests/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "scanner/role.h"
#include "scanner/sweep_pair.h"

enum {
	PID = 4711
};

static int parent = -1, worker = -1;
static struct settings settings;
static struct sweep_pair pair;
static const struct hash digest = { { 1 } };

static void say(int fd, enum job_type type, const void *data, size_t len, int passed)
{
	struct err err = { 0 };

	if (job_post(fd, type, 0, (struct span){ data, len }, passed, &err) < 0)
		fail_msg("%s", err.text);
}

static enum sweep_event turn(bool wanted)
{
	enum sweep_event event;
	struct err err = { 0 };

	if (sweep_pair_turn(&pair, wanted, &event, &err) < 0)
		fail_msg("%s", err.text);
	return event;
}

/* The next message there is, or 0. */
static uint32_t heard(int fd)
{
	struct job_in in;
	struct err err;
	uint32_t type = 0;

	job_in_init(&in, JOB_HOST_MAX, true);
	if (job_in_step(&in, fd, &err) > 0)
		type = in.head.type;
	job_in_done(&in);
	return type;
}

static void hand_over_a_worker(void)
{
	struct sweep_worker joined = { PID, digest };
	struct err err = { 0 };
	int fds[2];

	assert_int_equal(job_socketpair(fds, &err), 0);
	say(parent, SWEEP_WORKER, &joined, sizeof(joined), fds[0]);
	(void)close(fds[0]);
	if (worker >= 0)
		(void)close(worker);
	worker = fds[1];
	assert_int_equal(turn(true), SWEEP_NOTHING);
	assert_false(sweep_pair_is_free(&pair));
	say(worker, JOB_READY, NULL, 0, -1);
	assert_int_equal(turn(true), SWEEP_NOTHING);
	assert_true(sweep_pair_is_free(&pair));
}

static void give(bool again)
{
	auto_close int fd = open("/dev/null", O_RDONLY);

	sweep_pair_give(&pair, fd, false, again);
	assert_int_equal(heard(worker), SWEEP_FILE);
}

static enum sweep_event answer(uint32_t kind)
{
	struct sweep_answer said = { .kind = kind };

	memset(said.signature, 'S', sizeof(said.signature));
	say(worker, SWEEP_ANSWER, &said, sizeof(said), -1);
	return turn(false);
}

static enum sweep_event dies(int status)
{
	struct job_worker ended = { PID, status };

	(void)close(worker);
	worker = -1;
	assert_int_equal(turn(false), SWEEP_NOTHING);
	say(parent, SWEEP_ENDED, &ended, sizeof(ended), -1);
	return turn(false);
}

static int start(void **state)
{
	struct err err;
	int fds[2], far;

	(void)state;
	settings = (struct settings){ .scan_timeout_ms = 60000, .worker_jobs = 100 };
	if (job_socketpair(fds, &err) < 0)
		return -1;
	/* Out of the way of ROLE_FD, whichever numbers they got. */
	parent = fcntl(fds[0], F_DUPFD_CLOEXEC, ROLE_FD + 1);
	far = fcntl(fds[1], F_DUPFD_CLOEXEC, ROLE_FD + 1);
	(void)close(fds[0]);
	(void)close(fds[1]);
	if (parent < 0 || far < 0 || dup2(far, ROLE_FD) < 0)
		return -1;
	(void)close(far);
	sweep_pair_init(&pair, &settings);
	say(parent, SWEEP_GO, &digest, sizeof(digest), -1);
	if (turn(true) != SWEEP_NOTHING || heard(parent) != SWEEP_WANT)
		return -1;
	hand_over_a_worker();
	return 0;
}

static int end(void **state)
{
	(void)state;
	sweep_pair_done(&pair);
	(void)close(parent);
	if (worker >= 0)
		(void)close(worker);
	worker = -1;
	(void)close(ROLE_FD);
	return 0;
}

static void a_clean_answer_keeps_the_worker(void **state)
{
	(void)state;
	give(false);
	assert_int_equal(answer(VERDICT_CLEAN), SWEEP_ANSWERED);
	assert_true(sweep_pair_is_free(&pair));
	assert_int_equal(heard(parent), 0);
}

static void what_is_not_clean_ends_it_and_its_texts_end(void **state)
{
	(void)state;
	give(false);
	assert_int_equal(answer(VERDICT_INFECTED), SWEEP_ANSWERED);
	assert_int_equal(strlen(pair.answer.signature), FINDING_SIGNATURE_MAX - 1);
	assert_false(sweep_pair_is_free(&pair));
	assert_int_equal(heard(parent), SWEEP_RETIRE);
}

static void a_lie_is_no_answer(void **state)
{
	static const struct sweep_answer lies[] = { { .kind = 17 },
		{ .kind = VERDICT_CLEAN, .reason = 99 }, { .kind = VERDICT_INFECTED } };

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		give(false);
		say(worker, SWEEP_ANSWER, &lies[i], sizeof(lies[i]), -1);
		assert_int_equal(turn(false), SWEEP_NOTHING);
		assert_int_equal(heard(parent), SWEEP_RETIRE);
		/* Its death is as that of any that ended in a scan. */
		assert_int_equal(dies(SIGSEGV), SWEEP_AGAIN);
		(void)turn(true);
		assert_int_equal(heard(parent), SWEEP_WANT);
		hand_over_a_worker();
	}
	/* One that was not asked. */
	say(worker, SWEEP_ANSWER, &lies[0], sizeof(lies[0]), -1);
	assert_int_equal(turn(false), SWEEP_NOTHING);
	assert_int_equal(heard(parent), SWEEP_RETIRE);
}

static void two_deaths_make_it_unscannable_and_never_clean(void **state)
{
	static const struct {
		int status;
		unsigned times;
		enum verdict_reason reason;
	} cases[] = { { SIGSEGV, 2, REASON_CRASH }, { 1 << 8, 2, REASON_CRASH },
		{ SIGXCPU, 2, REASON_TIMEOUT }, { SIGKILL, 6, REASON_CRASH } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		enum sweep_event event = SWEEP_NOTHING;
		unsigned times = 0;

		do {
			give(times > 0);
			event = dies(cases[i].status);
			(void)turn(true);
			assert_int_equal(heard(parent), SWEEP_RETIRE);
			assert_int_equal(heard(parent), SWEEP_WANT);
			hand_over_a_worker();
		} while (++times < 20 && event == SWEEP_AGAIN);
		assert_int_equal(event, SWEEP_ANSWERED);
		assert_int_equal(times, cases[i].times);
		assert_int_equal(pair.answer.kind, VERDICT_UNSCANNABLE);
		assert_int_equal(pair.answer.reason, cases[i].reason);
	}
}

static void paused_it_takes_no_file_and_an_answer_still_counts(void **state)
{
	(void)state;
	give(false);
	say(parent, SWEEP_PAUSE, NULL, 0, -1);
	assert_int_equal(turn(true), SWEEP_NOTHING);
	assert_int_equal(answer(VERDICT_CLEAN), SWEEP_ANSWERED);
	assert_false(sweep_pair_is_free(&pair));
	say(parent, SWEEP_GO, &digest, sizeof(digest), -1);
	assert_int_equal(turn(true), SWEEP_NOTHING);
	assert_true(sweep_pair_is_free(&pair));
}

static void a_worker_of_old_signatures_is_ended(void **state)
{
	static const struct hash other = { { 2 } };

	(void)state;
	say(parent, SWEEP_GO, &other, sizeof(other), -1);
	assert_int_equal(turn(true), SWEEP_NOTHING);
	assert_false(sweep_pair_is_free(&pair));
	assert_int_equal(heard(parent), SWEEP_RETIRE);
}

static void one_that_never_served_is_not_replaced_at_once(void **state)
{
	struct job_worker none = { 0 };

	(void)state;
	(void)dies(SIGKILL);
	(void)turn(true);
	assert_int_equal(heard(parent), SWEEP_RETIRE);
	assert_int_equal(heard(parent), SWEEP_WANT);
	say(parent, SWEEP_ENDED, &none, sizeof(none), -1);
	(void)turn(true);
	(void)turn(true);
	assert_int_equal(heard(parent), 0);
}

static void why_there_is_no_worker_is_kept_until_there_is_one(void **state)
{
	static const char no_fork[] = "cannot start a worker", no_space[] = "no space";

	(void)state;
	(void)dies(SIGKILL);
	(void)turn(true);
	assert_int_equal(heard(parent), SWEEP_RETIRE);
	assert_int_equal(heard(parent), SWEEP_WANT);
	assert_string_equal(pair.why, "");
	say(parent, SWEEP_NO_WORKER, no_fork, strlen(no_fork), -1);
	assert_int_equal(turn(true), SWEEP_NOTHING);
	assert_string_equal(pair.why, no_fork);
	/* It is asked for again, but not at once. */
	assert_int_equal(heard(parent), 0);
	pair.ask_after = 0;
	(void)turn(true);
	assert_int_equal(heard(parent), SWEEP_WANT);
	assert_string_equal(pair.why, no_fork);
	hand_over_a_worker();
	assert_string_equal(pair.why, "");
	say(worker, JOB_FAILED, no_space, strlen(no_space), -1);
	assert_int_equal(turn(true), SWEEP_NOTHING);
	assert_string_equal(pair.why, no_space);
	assert_int_equal(heard(parent), SWEEP_RETIRE);
}

static void an_order_that_is_none_ends_it(void **state)
{
	enum sweep_event event;
	struct err err = { 0 };

	(void)state;
	say(parent, SWEEP_GO, &digest, 3, -1);
	assert_int_equal(sweep_pair_turn(&pair, false, &event, &err), -1);
	assert_int_equal(err.kind, ERR_FATAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_clean_answer_keeps_the_worker, start, end),
		cmocka_unit_test_setup_teardown(
			what_is_not_clean_ends_it_and_its_texts_end, start, end),
		cmocka_unit_test_setup_teardown(a_lie_is_no_answer, start, end),
		cmocka_unit_test_setup_teardown(
			two_deaths_make_it_unscannable_and_never_clean, start, end),
		cmocka_unit_test_setup_teardown(
			paused_it_takes_no_file_and_an_answer_still_counts, start, end),
		cmocka_unit_test_setup_teardown(
			a_worker_of_old_signatures_is_ended, start, end),
		cmocka_unit_test_setup_teardown(
			one_that_never_served_is_not_replaced_at_once, start, end),
		cmocka_unit_test_setup_teardown(
			why_there_is_no_worker_is_kept_until_there_is_one, start, end),
		cmocka_unit_test_setup_teardown(
			an_order_that_is_none_ends_it, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
