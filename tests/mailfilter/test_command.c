/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "common/clock.h"

#include "mailfilter/command.h"
#include "mailfilter/stream.h"

enum {
	WORDS_MAX = 4,
	OUTPUT_MAX = 1000,
	BUFFER_MAX = 4000,
	LONG_MS = 20000
};

static const char *const passed[] = { "PATH", "GNUPGHOME", NULL };

static int run(
	const char *const *words, int timeout_ms, struct buf *output, struct err *err)
{
	char *items[WORDS_MAX];
	struct schema_list argv = { .items = items };
	int result;

	for (; words[argv.count]; argv.count++) {
		items[argv.count] = strdup(words[argv.count]);
		assert_non_null(items[argv.count]);
	}
	result = command_read(&(struct command_task){ .argv = &argv,
				      .input = -1,
				      .passed = passed,
				      .wait = &stream_wait_plain,
				      .timeout_ms = timeout_ms },
		OUTPUT_MAX, output, err);
	for (size_t i = 0; i < argv.count; i++)
		free(items[i]);
	/* Nothing is left to reap. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	return result;
}

static int run_shell(
	const char *script, int timeout_ms, struct buf *output, struct err *err)
{
	const char *const words[] = { "sh", "-c", script, NULL };

	return run(words, timeout_ms, output, err);
}

static void what_it_prints_is_appended(void **state)
{
	auto_buf struct buf output;
	struct err err;

	(void)state;
	buf_init(&output, BUFFER_MAX);
	assert_int_equal(run_shell("printf 'one\\ntwo'", LONG_MS, &output, &err), 0);
	assert_true(span_equal(buf_span(&output), span_str("one\ntwo")));
}

static void words_are_passed_as_they_are_without_a_shell(void **state)
{
	const char *const words[] = { "printf", "%s", "$HOME `id` ; * \"'", NULL };
	auto_buf struct buf output;
	struct err err;

	(void)state;
	buf_init(&output, BUFFER_MAX);
	assert_int_equal(run(words, LONG_MS, &output, &err), 0);
	assert_true(span_equal(buf_span(&output), span_str("$HOME `id` ; * \"'")));
}

static void it_gets_little_environment_no_input_and_no_descriptor(void **state)
{
	auto_close int fd = open("/dev/null", O_RDONLY);
	auto_buf struct buf output;
	const char *text;
	struct err err;

	(void)state;
	assert_true(fd > 2);
	assert_int_equal(setenv("SECRET_OF_OURS", "1", 1), 0);
	assert_int_equal(setenv("GNUPGHOME", "/somewhere", 1), 0);
	buf_init(&output, BUFFER_MAX);
	assert_int_equal(
		run_shell("cat; env; ls -l /proc/self/fd/", LONG_MS, &output, &err), 0);
	assert_int_equal(buf_text(&output, &text, &err), 0);
	assert_non_null(strstr(text, "GNUPGHOME=/somewhere\n"));
	assert_non_null(strstr(text, "PATH="));
	assert_null(strstr(text, "SECRET_OF_OURS"));
	assert_non_null(strstr(text, "0 -> /dev/null"));
	/* 3 is the one that ls itself reads the folder with. */
	assert_null(strstr(text, "4 -> "));
}

static void its_signals_are_as_at_login(void **state)
{
	auto_buf struct buf output;
	sigset_t all, before;
	const char *text;
	struct err err;

	(void)state;
	(void)sigfillset(&all);
	assert_int_equal(sigprocmask(SIG_SETMASK, &all, &before), 0);
	(void)signal(SIGPIPE, SIG_IGN);
	buf_init(&output, BUFFER_MAX);
	assert_int_equal(run_shell("grep -E '^Sig(Blk|Ign)' /proc/self/status", LONG_MS,
				 &output, &err),
		0);
	(void)signal(SIGPIPE, SIG_DFL);
	assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
	assert_int_equal(buf_text(&output, &text, &err), 0);
	assert_non_null(strstr(text, "SigBlk:\t0000000000000000"));
	assert_null(strstr(text, "SigIgn:\t0000000000001000"));
}

static void its_failures_are_told_apart(void **state)
{
	static const struct {
		const char *script, *says;
	} cases[] = {
		{ "echo secret; exit 3",
			"command \"sh\" ended with status 3: run it by hand" },
		{ "echo secret; echo one >&2; echo two >&2; exit 3",
			"command \"sh\" ended with status 3: two" },
		{ "printf 'no \\033[31mkey\\001\\377\\n\\n' >&2; exit 2",
			"command \"sh\" ended with status 2: no ?[31mkey??" },
		{ "yes | head -c 300000 >&2; echo last >&2; exit 1",
			"ended with status 1: last" },
		{ "kill -9 $$", "command \"sh\" was ended by signal 9" },
		{ "echo ouch >&2; kill -9 $$", "was ended by signal 9: ouch" },
		{ "head -c 1001 /dev/zero", "printed more than 1000 bytes" },
		{ "yes", "printed more than 1000 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_buf struct buf output;
		struct err err = { 0 };

		buf_init(&output, BUFFER_MAX);
		assert_int_equal(run_shell(cases[i].script, LONG_MS, &output, &err), -1);
		assert_int_equal(err.kind, ERR_ACCOUNT);
		if (!strstr(err.text, cases[i].says))
			fail_msg("%s: %s", cases[i].script, err.text);
		assert_null(strstr(err.text, "secret"));
	}
}

static void one_that_is_not_there_is_named(void **state)
{
	const char *const absent[] = { "no-such-command-anywhere", NULL };
	const char *const folder[] = { "/tmp", NULL }, *const none[] = { NULL };
	auto_buf struct buf output;
	struct err err = { 0 };

	(void)state;
	buf_init(&output, OUTPUT_MAX);
	assert_int_equal(run(absent, LONG_MS, &output, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_non_null(
		strstr(err.text, "\"no-such-command-anywhere\" cannot be started"));
	assert_int_equal(run(folder, LONG_MS, &output, &err), -1);
	assert_non_null(strstr(err.text, "Permission denied"));
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_int_equal(run(none, LONG_MS, &output, &err), -1);
}

static void the_output_may_be_as_long_as_allowed(void **state)
{
	auto_buf struct buf output;
	struct err err;

	(void)state;
	buf_init(&output, OUTPUT_MAX);
	assert_int_equal(run_shell("head -c 1000 /dev/zero", LONG_MS, &output, &err), 0);
	assert_int_equal(output.len, OUTPUT_MAX);
}

/* The child and what it started: both hold the pipe's other end, whose close we see. */
static void one_that_takes_too_long_is_killed_with_its_children(void **state)
{
	auto_buf struct buf output;
	struct err err = { 0 };
	int64_t start_ms = clock_ms();
	int alive[2];
	char script[80], byte;

	(void)state;
	assert_int_equal(pipe(alive), 0);
	/* Descriptors are closed for it, so it opens ours by name. */
	(void)snprintf(script, sizeof(script),
		"exec 7>/proc/%d/fd/%d; sleep 300 & sleep 300", getpid(), alive[1]);
	buf_init(&output, OUTPUT_MAX);
	assert_int_equal(run_shell(script, 300, &output, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	assert_non_null(strstr(err.text, "not done within 300 ms"));
	assert_int_equal(close(alive[1]), 0);
	assert_int_equal(read(alive[0], &byte, 1), 0);
	assert_int_equal(close(alive[0]), 0);
	assert_true(clock_ms() - start_ms < 10000);
}

static void one_that_closes_its_output_and_stays_is_killed(void **state)
{
	auto_buf struct buf output;
	struct err err = { 0 };

	(void)state;
	buf_init(&output, OUTPUT_MAX);
	assert_int_equal(
		run_shell("echo x; exec >&-; sleep 300", 300, &output, &err), -1);
	assert_non_null(strstr(err.text, "not done within 300 ms"));
}

/* As gpg-agent does: what stays behind must not hold us up, nor be killed. */
static void a_daemon_it_leaves_behind_does_not_matter(void **state)
{
	auto_buf struct buf output;
	int64_t start_ms = clock_ms();
	const char *text;
	struct err err = { 0 };
	int pid;

	(void)state;
	buf_init(&output, OUTPUT_MAX);
	assert_int_equal(
		run_shell("setsid sleep 300 & echo $!", LONG_MS, &output, &err), 0);
	assert_true(clock_ms() - start_ms < 10000);
	assert_int_equal(buf_text(&output, &text, &err), 0);
	assert_int_equal(sscanf(text, "%d", &pid), 1); /* NOLINT(cert-err34-c) */
	assert_int_equal(kill(pid, SIGKILL), 0);
}

static void what_it_complains_of_is_not_among_what_it_prints(void **state)
{
	auto_buf struct buf output;
	struct err err = { 0 };

	(void)state;
	buf_init(&output, OUTPUT_MAX);
	assert_int_equal(
		run_shell("echo warning >&2; printf it", LONG_MS, &output, &err), 0);
	assert_true(span_equal(buf_span(&output), span_str("it")));
}

static int never(void *arg, int fd, short events, int64_t deadline_ms, struct err *err)
{
	(void)arg;
	(void)fd;
	(void)events;
	(void)deadline_ms;
	return err_set(err, ERR_AGAIN, "stopped by a signal");
}

static void who_is_to_stop_does_not_wait_for_it(void **state)
{
	char sleeper[] = "sleep", long_time[] = "300", *items[] = { sleeper, long_time };
	const struct schema_list argv = { items, 2 };
	const struct stream_wait wait = { .wait = never };
	const struct command_task task = { .argv = &argv,
		.input = -1,
		.passed = passed,
		.wait = &wait,
		.timeout_ms = LONG_MS };
	auto_buf struct buf output;
	struct err err = { 0 };

	(void)state;
	buf_init(&output, OUTPUT_MAX);
	assert_int_equal(command_read(&task, OUTPUT_MAX, &output, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_string_equal(err.text, "stopped by a signal");
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void no_descriptor_left_means_again(void **state)
{
	struct rlimit before, none;
	auto_buf struct buf output;
	struct err err = { 0 };
	int result;

	(void)state;
	buf_init(&output, OUTPUT_MAX);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ .rlim_cur = 3, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	result = run_shell("true", LONG_MS, &output, &err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(result, -1);
	assert_int_equal(err.kind, ERR_AGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_prints_is_appended),
		cmocka_unit_test(words_are_passed_as_they_are_without_a_shell),
		cmocka_unit_test(it_gets_little_environment_no_input_and_no_descriptor),
		cmocka_unit_test(its_signals_are_as_at_login),
		cmocka_unit_test(its_failures_are_told_apart),
		cmocka_unit_test(one_that_is_not_there_is_named),
		cmocka_unit_test(the_output_may_be_as_long_as_allowed),
		cmocka_unit_test(one_that_takes_too_long_is_killed_with_its_children),
		cmocka_unit_test(one_that_closes_its_output_and_stays_is_killed),
		cmocka_unit_test(a_daemon_it_leaves_behind_does_not_matter),
		cmocka_unit_test(what_it_complains_of_is_not_among_what_it_prints),
		cmocka_unit_test(who_is_to_stop_does_not_wait_for_it),
		cmocka_unit_test(no_descriptor_left_means_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
