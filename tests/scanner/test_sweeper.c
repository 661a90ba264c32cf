/* SPDX-License-Identifier: ISC
 *
 * What the parent takes from a walker, which may be anybody by now. */
#include "tests/test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scanner/job.h"
#include "scanner/sweeper.h"

static char folder[] = "/srv";
static char *folders[] = { folder };
static struct settings settings = { .sweep = { folders, 1 } };
static struct hosts hosts;
static struct sweeper sweeper;
static int walker_fd = -1;

/* A walker that does nothing; what it says is said here. */
static int start(void **state)
{
	struct err err = { 0 };
	int fds[2];

	(void)state;
	hosts = (struct hosts){ .settings = &settings };
	sweeper_init(&sweeper, &settings);
	if (job_socketpair(fds, &err) < 0)
		return -1;
	sweeper.control = fds[0];
	walker_fd = fds[1];
	job_in_init(&sweeper.in, sizeof(struct swept), false);
	sweeper.walker = fork();
	if (sweeper.walker == 0) {
		(void)pause();
		_exit(0);
	}
	return sweeper.walker < 0 ? -1 : 0;
}

static int end(void **state)
{
	(void)state;
	sweeper_done(&sweeper);
	(void)close(walker_fd);
	return 0;
}

static void says(enum job_type type, const void *data, size_t len)
{
	struct err err = { 0 };

	assert_int_equal(
		job_post(walker_fd, type, 0, (struct span){ data, len }, -1, &err), 0);
}

static void turns(void)
{
	(void)sweeper_turn(&sweeper, &hosts, SWEEPER_FREE);
}

/* As SIGCHLD would have it, once it is dead. */
static void is_buried(void)
{
	siginfo_t info;

	assert_int_equal(
		waitid(P_PID, (id_t)sweeper.walker, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(info.si_status, SIGKILL);
	sweeper_reap(&sweeper, &hosts);
	assert_int_equal(sweeper.walker, 0);
	assert_int_equal(sweeper.control, -1);
	assert_int_equal(hosts.counts[HEALTH_SWEEP], 1);
}

static void what_it_did_is_taken_and_kept(void **state)
{
	struct swept told = { .pass = 3, .last = { .ended_s = 5, .files = 7 } };

	(void)state;
	assert_true(sweeper.swept.on);
	assert_int_equal(sweeper.swept.pass, 0);
	says(SWEEP_TOLD, &told, sizeof(told));
	turns();
	/* That it is on is the word of the settings. */
	assert_true(sweeper.swept.on);
	assert_int_equal(sweeper.swept.pass, 3);
	assert_int_equal(sweeper.swept.last.files, 7);
	/* Its last word is heard after its death. */
	(void)snprintf(told.trouble, sizeof(told.trouble), "no space");
	says(SWEEP_TOLD, &told, sizeof(told));
	assert_int_equal(kill(sweeper.walker, SIGKILL), 0);
	is_buried();
	assert_string_equal(sweeper.swept.trouble, "no space");
	assert_int_equal(sweeper.swept.last.files, 7);
}

static void lies(enum job_type type, const void *data, size_t len)
{
	says(type, data, len);
	turns();
	is_buried();
	assert_int_equal(sweeper.swept.pass, 0);
	assert_string_equal(sweeper.swept.trouble, "");
}

static void one_that_tells_too_little_is_ended(void **state)
{
	const struct swept told = { .pass = 3 };

	(void)state;
	lies(SWEEP_TOLD, &told, sizeof(told) - 1);
}

static void one_that_tells_too_much_is_ended(void **state)
{
	const struct swept told[2] = { { .pass = 3 } };

	(void)state;
	lies(SWEEP_TOLD, told, sizeof(told[0]) + 1);
}

static void one_that_tells_a_time_that_is_none_is_ended(void **state)
{
	const struct swept told = { .pass = 3, .now.began_s = -1 };

	(void)state;
	lies(SWEEP_TOLD, &told, sizeof(told));
}

static void one_that_tells_a_text_without_an_end_is_ended(void **state)
{
	struct swept told = { .pass = 3 };

	(void)state;
	memset(told.trouble, 'x', sizeof(told.trouble));
	lies(SWEEP_TOLD, &told, sizeof(told));
}

static void one_that_speaks_as_others_do_is_ended(void **state)
{
	(void)state;
	lies(SWEEP_GO, NULL, 0);
}

/* A last word that may not be, of one that is dead: nobody is killed for it. */
static void a_last_word_that_may_not_be_is_dropped(void **state)
{
	const struct swept told = { .pass = 3, .last.began_s = INT64_MAX };

	(void)state;
	says(SWEEP_TOLD, &told, sizeof(told));
	assert_int_equal(kill(sweeper.walker, SIGKILL), 0);
	is_buried();
	assert_int_equal(sweeper.swept.pass, 0);
}

static void the_walker_hears_why_there_is_no_worker(void **state)
{
	static const char why[] = "cannot start a worker: fork";
	static struct host *host;
	struct job_in in;

	(void)state;
	host = &hosts.list[0];
	*host = (struct host){ .state = HOST_SERVING, .control = -1, .sweeper.fd = -1 };
	host->in.payload = (struct buf){ .max = JOB_TEXT_MAX };
	assert_int_equal(buf_add_str(&host->in.payload, why, NULL), 0);
	sweeper.host = host;
	host->sweeper.asked = true;
	turns();
	assert_ptr_equal(sweeper.host, host);
	host_no_sweeper(host);
	turns();
	assert_null(sweeper.host);
	job_in_init(&in, JOB_HOST_MAX, false);
	assert_int_equal(job_in_step(&in, walker_fd, NULL), 1);
	assert_int_equal(in.head.type, SWEEP_NO_WORKER);
	assert_int_equal(in.payload.len, strlen(why));
	assert_memory_equal(in.payload.data, why, strlen(why));
	job_in_done(&in);
	buf_done(&host->in.payload);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_it_did_is_taken_and_kept),
		TEST(one_that_tells_too_little_is_ended),
		TEST(one_that_tells_too_much_is_ended),
		TEST(one_that_tells_a_time_that_is_none_is_ended),
		TEST(one_that_tells_a_text_without_an_end_is_ended),
		TEST(one_that_speaks_as_others_do_is_ended),
		TEST(a_last_word_that_may_not_be_is_dropped),
		TEST(the_walker_hears_why_there_is_no_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
