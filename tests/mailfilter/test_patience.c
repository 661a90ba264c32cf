/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include "mailfilter/patience.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

static const struct account_settings account = { .timeout_ms = 1000,
	.idle_refresh_ms = 5000 };
static const struct settings settings = { .scan_timeout_ms = 1000 };

/* A process that waits for nothing, and lives until it is killed and reaped. */
static struct child start(void)
{
	struct child child = { .account = &account, .fd = -1, .heard_ms = clock_ms() };

	child.pid = fork();
	assert_true(child.pid >= 0);
	if (child.pid == 0) {
		for (;;)
			(void)pause();
	}
	return child;
}

static void look(struct child *child, bool over)
{
	patience_end(&settings, &(struct children){ child, 1 }, over);
}

static void assert_killed(const struct child *child)
{
	int status;

	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

/* It may wait for a disk that does not answer: whoever looks at the clock meanwhile must not spin. */
static void one_told_to_end_that_does_not_is_killed_and_waited_for(void **state)
{
	struct child child = start();

	(void)state;
	child.kill_ms = clock_ms();
	look(&child, false);
	assert_true(child.kill_ms > clock_ms());
	assert_false(child.hung);
	assert_killed(&child);
}

static void one_that_is_given_time_is_left_alone(void **state)
{
	struct child child = start();
	const int64_t kill_ms = clock_ms() + INT64_C(60000);

	(void)state;
	child.kill_ms = kill_ms;
	look(&child, false);
	assert_int_equal(child.kill_ms, kill_ms);
	assert_int_equal(waitpid(child.pid, NULL, WNOHANG), 0);
	look(&child, true);
	assert_killed(&child);
}

static void one_that_is_silent_for_too_long_hangs(void **state)
{
	struct child child = start();

	(void)state;
	child.heard_ms = clock_ms() - PATIENCE_STALL_MS - account.timeout_ms;
	look(&child, false);
	assert_int_equal(waitpid(child.pid, NULL, WNOHANG), 0);
	child.heard_ms -= 2 * settings.scan_timeout_ms + 1;
	look(&child, false);
	assert_true(child.hung);
	assert_int_equal(child.kill_ms, 0);
	assert_killed(&child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_told_to_end_that_does_not_is_killed_and_waited_for),
		cmocka_unit_test(one_that_is_given_time_is_left_alone),
		cmocka_unit_test(one_that_is_silent_for_too_long_hangs),
	};

	/* What hangs on purpose is logged. */
	log_start("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
