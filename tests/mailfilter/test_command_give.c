/* SPDX-License-Identifier: ISC
 *
 * Commands that are given a file. */
#include "tests/test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "common/clock.h"

#include "mailfilter/command.h"
#include "mailfilter/stream.h"

enum {
	LONG_MS = 20000
};

static const char *const passed[] = { "PATH", "GNUPGHOME", NULL };

/* A shell that is given a file of three lines. */
static int give(const char *script, int timeout_ms, int *status, char *line)
{
	char shell[] = "sh", flag[] = "-c", *items[] = { shell, flag, strdup(script) };
	const struct schema_list argv = { items, 3 };
	static const char *const extra[] = { "SENDER=a@b", "EMPTY=", NULL };
	char path[] = "/tmp/test_command.XXXXXX";
	auto_close int fd = mkstemp(path);
	struct command_task task = { .argv = &argv,
		.input = fd,
		.passed = passed,
		.extra = extra,
		.wait = &stream_wait_plain,
		.timeout_ms = timeout_ms };
	int result;

	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(write(fd, "1\n2\n3\n", 6), 6);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	result = command_give(&task, status, line, NULL);
	free(items[2]);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	return result;
}

static void one_that_is_given_a_file_ends_with_its_status_and_last_line(void **state)
{
	static const struct {
		const char *script;
		int status;
		const char *line;
	} cases[] = {
		{ "exit 0", 0, "" },
		{ "exec >&-; exec 2>&-; exit 3", 3 << 8, "" },
		{ "wc -l; exit 75", 75 << 8, "3" },
		{ "echo one; echo two >&2; echo; exit 1", 1 << 8, "two" },
		{ "printf 'a\\033[1m\\377\\n \\n'", 0, "a?[1m?" },
		{ "kill -TERM $$", SIGTERM, "" },
		{ "env | grep -c .; echo \"$SENDER,$EMPTY,${HOME-none}\"", 0,
			"a@b,,none" },
		{ "ls /proc/self/fd | tr '\\n' ' '", 0, "0 1 2 3" },
		{ "head -c 1000000 /dev/zero; echo x", 0, NULL },
		{ "yes | head -n 100000; echo last", 0, "last" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[COMMAND_LINE_MAX];
		int status = -1;

		assert_int_equal(give(cases[i].script, LONG_MS, &status, line), 0);
		assert_int_equal(status, cases[i].status);
		if (cases[i].line)
			assert_string_equal(line, cases[i].line);
		else
			assert_int_equal(strlen(line), COMMAND_LINE_MAX - 1);
	}
}

static void one_that_is_not_done_in_time_is_killed_with_all_it_started(void **state)
{
	static const char *const scripts[] = { "echo begun; sleep 60 & sleep 60",
		"echo begun; exec >&- 2>&-; sleep 60",
		"echo begun; while :; do :; done" };
	char line[COMMAND_LINE_MAX];
	int status;

	(void)state;
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		const int64_t from_ms = clock_ms();

		assert_int_equal(give(scripts[i], 300, &status, line), 1);
		assert_string_equal(line, "begun");
		assert_in_range(clock_ms() - from_ms, 290, LONG_MS);
	}
	assert_int_equal(give("yes", 300, &status, line), 1);
}

static void what_it_leaves_running_does_not_keep_us(void **state)
{
	char line[COMMAND_LINE_MAX];
	const int64_t from_ms = clock_ms();
	int status;

	(void)state;
	assert_int_equal(give("sleep 20 & echo done", LONG_MS, &status, line), 0);
	assert_int_equal(status, 0);
	assert_string_equal(line, "done");
	assert_in_range(clock_ms() - from_ms, 0, 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			one_that_is_given_a_file_ends_with_its_status_and_last_line),
		cmocka_unit_test(
			one_that_is_not_done_in_time_is_killed_with_all_it_started),
		cmocka_unit_test(what_it_leaves_running_does_not_keep_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
