/* SPDX-License-Identifier: ISC
 *
 * Commands of a worker that may not run any. */
#include "tests/test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"

#include "mailfilter/runner.h"
#include "mailfilter/stream.h"

static char shell[] = "sh", option[] = "-c", recipient[] = "bob@example.org";

/* An account with these two commands, and a runner for them. */
struct world {
	struct account_settings account;
	char *password[3], *deliver[3];
};

static void world_start(struct world *world, const char *password, const char *deliver)
{
	struct err err;

	*world = (struct world){ .password = { shell, option, strdup(password) },
		.deliver = { shell, option, strdup(deliver) } };
	world->account = (struct account_settings){
		.password_command = { world->password, 3 },
		.deliver_command = { world->deliver, 3 },
		.recipient = recipient,
		.deliver_timeout_ms = 20000,
	};
	assert_int_equal(runner_start(&world->account, &world->account.runner, &err), 0);
	assert_non_null(world->account.runner);
}

static void world_end(struct world *world)
{
	runner_stop(world->account.runner);
	free(world->password[2]);
	free(world->deliver[2]);
	/* Nothing is left to reap. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static int message(const char *text)
{
	int fd = memfd_create("message", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int read_it(struct world *world, char *text, size_t size, struct err *err)
{
	auto_buf struct buf output;
	int result;

	buf_init(&output, RUNNER_OUTPUT_MAX);
	result = runner_read(
		&world->account, RUNNER_PASSWORD, &stream_wait_plain, &output, err);
	(void)snprintf(text, size, "%.*s", (int)output.len,
		output.data ? (const char *)output.data : "");
	return result;
}

static void an_account_without_commands_needs_none(void **state)
{
	struct account_settings account = { 0 };
	struct runner *runner;
	struct err err;

	(void)state;
	assert_int_equal(runner_start(&account, &runner, &err), 0);
	assert_null(runner);
	runner_stop(runner);
}

static void it_runs_the_accounts_own_commands_elsewhere(void **state)
{
	char text[100], expected[100];
	struct runner_end end;
	struct world world;
	struct err err = { 0 };

	(void)state;
	world_start(&world, "echo $PPID",
		"read first; echo \"$first $SENDER $RECIPIENT\"; exit 3");
	(void)snprintf(expected, sizeof(expected), "%d\n", getpid());
	for (int i = 0; i < 3; i++) {
		auto_close int input = message("Subject: x\n");

		assert_int_equal(read_it(&world, text, sizeof(text), &err), 0);
		assert_string_not_equal(text, expected);
		assert_int_equal(runner_give(&world.account, input, "a@b",
					 &stream_wait_plain, &end, &err),
			0);
		assert_int_equal(end.status, 3 << 8);
		assert_string_equal(end.line, "Subject: x a@b bob@example.org");
	}
	world_end(&world);
}

static void what_fails_there_is_told_here(void **state)
{
	static char absent[] = "/no/such/program";
	struct runner_end end;
	char text[100];
	auto_close int input = message("x");
	struct world world;
	struct err err = { 0 };

	(void)state;
	world_start(&world, "echo oh >&2; exit 9", "");
	assert_int_equal(read_it(&world, text, sizeof(text), &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	assert_string_equal(err.text, "command \"sh\" ended with status 9: oh");
	assert_string_equal(text, "");
	world_end(&world);

	world_start(&world, "head -c 16385 /dev/zero", "");
	assert_int_equal(read_it(&world, text, sizeof(text), &err), -1);
	assert_non_null(strstr(err.text, "more than 16384 bytes"));
	world_end(&world);

	world = (struct world){ .deliver = { absent } };
	world.account.deliver_command = (struct schema_list){ world.deliver, 1 };
	assert_int_equal(runner_start(&world.account, &world.account.runner, &err), 0);
	assert_int_equal(
		runner_give(&world.account, input, "", &stream_wait_plain, &end, &err),
		-1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_non_null(strstr(err.text, "/no/such/program"));
	/* It has no password command, so there is none. */
	assert_int_equal(read_it(&world, text, sizeof(text), &err), -1);
	world_end(&world);
}

static int stop_at_once(
	void *arg, int fd, short events, int64_t deadline_ms, struct err *err)
{
	(void)arg;
	(void)fd;
	(void)events;
	(void)deadline_ms;
	return err_set(err, ERR_AGAIN, "stopped by a signal");
}

static const struct stream_wait stopping = { .wait = stop_at_once };

static void one_that_is_stopped_is_killed_and_the_next_is_run(void **state)
{
	auto_close int input = message("x");
	struct runner_end end;
	char text[100];
	int64_t from_ms = clock_ms();
	struct world world;
	struct err err = { 0 };

	(void)state;
	world_start(&world, "echo it", "sleep 300 & sleep 300");
	assert_int_equal(
		runner_give(&world.account, input, "", &stopping, &end, &err), 1);
	assert_int_equal(read_it(&world, text, sizeof(text), &err), 0);
	assert_string_equal(text, "it\n");
	free(world.password[2]);
	world.password[2] = strdup("unused: the runner has its own");
	{
		auto_buf struct buf output;

		buf_init(&output, RUNNER_OUTPUT_MAX);
		assert_int_equal(runner_read(&world.account, RUNNER_PASSWORD, &stopping,
					 &output, &err) < 0
					 ? err.kind
					 : ERR_AGAIN,
			ERR_AGAIN);
	}
	assert_int_equal(read_it(&world, text, sizeof(text), &err), 0);
	assert_true(clock_ms() - from_ms < 10000);
	world_end(&world);
}

static void one_that_takes_too_long_is_killed_there(void **state)
{
	auto_close int input = message("x");
	struct runner_end end;
	struct world world;
	struct err err = { 0 };

	(void)state;
	world_start(&world, "", "");
	runner_stop(world.account.runner);
	free(world.deliver[2]);
	world.deliver[2] = strdup("echo begun; sleep 300");
	world.account.deliver_timeout_ms = 200;
	assert_int_equal(runner_start(&world.account, &world.account.runner, &err), 0);
	assert_int_equal(
		runner_give(&world.account, input, "", &stream_wait_plain, &end, &err),
		1);
	assert_string_equal(end.line, "begun");
	world_end(&world);
}

/* Its worker is killed: the command goes, too. Both hold the pipe's other end, whose close we see. */
static void it_ends_with_its_worker_and_takes_its_command_along(void **state)
{
	char byte, text[100];
	int alive[2], status;
	pid_t worker;

	(void)state;
	assert_int_equal(pipe(alive), 0);
	worker = fork();
	assert_true(worker >= 0);
	if (worker == 0) {
		char script[100];
		struct world world;
		struct err err;

		(void)snprintf(script, sizeof(script),
			"exec 7>/proc/%d/fd/%d; echo >&7; sleep 300 & sleep 300",
			getpid(), alive[1]);
		world_start(&world, script, "");
		(void)read_it(&world, text, sizeof(text), &err);
		_exit(0);
	}
	assert_int_equal(close(alive[1]), 0);
	assert_int_equal(read(alive[0], &byte, 1), 1);
	assert_int_equal(kill(worker, SIGKILL), 0);
	assert_int_equal(waitpid(worker, &status, 0), worker);
	assert_int_equal(read(alive[0], &byte, 1), 0);
	assert_int_equal(close(alive[0]), 0);
}

static void one_that_was_killed_is_missed_and_does_not_hang(void **state)
{
	auto_close int input = message("x");
	struct runner_end end;
	char text[100];
	struct world world;
	struct err err = { 0 };

	(void)state;
	world_start(&world, "kill -KILL $PPID", "true");
	assert_false(runner_is_gone(NULL));
	assert_false(runner_is_gone(world.account.runner));
	assert_int_equal(read_it(&world, text, sizeof(text), &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_non_null(strstr(err.text, "is gone"));
	assert_true(runner_is_gone(world.account.runner));
	assert_int_equal(
		runner_give(&world.account, input, "", &stream_wait_plain, &end, &err),
		-1);
	assert_int_equal(err.kind, ERR_AGAIN);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_account_without_commands_needs_none),
		cmocka_unit_test(it_runs_the_accounts_own_commands_elsewhere),
		cmocka_unit_test(what_fails_there_is_told_here),
		cmocka_unit_test(one_that_is_stopped_is_killed_and_the_next_is_run),
		cmocka_unit_test(one_that_takes_too_long_is_killed_there),
		cmocka_unit_test(it_ends_with_its_worker_and_takes_its_command_along),
		cmocka_unit_test(one_that_was_killed_is_missed_and_does_not_hang),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
