/* SPDX-License-Identifier: ISC
 *
 * The parent and its workers: what a worker says arrives, however it ends. */
#include "tests/test.h"

#include "mailfilter/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/stop.h"

#include "mailfilter/account.h"
#include "mailfilter/standing.h"
#include "mailfilter/stream.h"

/* What a worker does, in place of mailfilter/account.c. */
static void (*work)(const struct account_job *job, struct report *report);

void account_run(const struct account_job *job, struct report *report_r)
{
	work(job, report_r);
}

static void ends_well(const struct account_job *job, struct report *report)
{
	/* More than a pipe holds. */
	for (report->listed = 0; report->listed < 1000; report->listed++)
		job->progress(job->progress_arg, report);
	report->delivered = 7;
	report->final = true;
}

static void dies(const struct account_job *job, struct report *report)
{
	report->delivered = 3;
	job->progress(job->progress_arg, report);
	(void)raise(SIGKILL);
}

static void crashes(const struct account_job *job, struct report *report)
{
	(void)job;
	(void)report;
	abort();
}

static void ends_early(const struct account_job *job, struct report *report)
{
	(void)job;
	(void)report;
	_exit(3);
}

static void sleeps(const struct account_job *job, struct report *report)
{
	(void)job;
	(void)report;
	for (;;)
		(void)pause();
}

static char shell[] = "sh", option[] = "-c", script[] = "echo mine";
static char *words[] = { shell, option, script };
static char other_secret[] = "hunter2";
static struct account_settings accounts[] = { { .password_command = { words, 3 } },
	{ .password = other_secret } };
static const struct settings settings = { .accounts = { accounts, 2 } };

/* What a server could make of a worker. */
static void breaks_out(const struct account_job *job, struct report *report)
{
	DEFER(schema_text_free) char *password = NULL;
	char program[] = "true", *argv[] = { program, NULL };

	report->final = true;
	if (execvp(program, argv) != -1 || errno != EPERM)
		(void)err_set(&report->err, ERR_FATAL, "it may start programs");
	else if (other_secret[0] != '\0' || other_secret[6] != '\0')
		(void)err_set(&report->err, ERR_FATAL, "it has the other's password");
	else if (settings_password(job->account, &stream_wait_plain, &password,
			 &report->err) == 0 &&
		 strcmp(password, "mine") != 0)
		(void)err_set(&report->err, ERR_FATAL, "it has no password of its own");
}

/* What a worker does not set has this for its value. */
__attribute__((noinline)) static void soil_the_stack(void)
{
	volatile char dirt[16384];

	for (size_t i = 0; i < sizeof(dirt); i++)
		dirt[i] = 0x55;
}

/* Start one and wait for its end; not before it fell silent. */
static struct report run(
	void (*what)(const struct account_job *job, struct report *report),
	enum child_end *end_r)
{
	struct child child = { .account = &accounts[0], .fd = -1 };
	struct child_tools tools = { .settings = &settings,
		.stop_fd = -1,
		.private_fds = { -1, -1, -1, -1 },
		.children = &child,
		.count = 1 };
	struct pollfd readable;

	work = what;
	soil_the_stack();
	assert_int_equal(child_start(&child, &tools), 0);
	readable = (struct pollfd){ .fd = child.fd, .events = POLLIN };
	while (child.fd >= 0 && poll(&readable, 1, 10000) > 0)
		(void)child_hear(&child);
	while (!child_reap(&child, end_r))
		(void)usleep(1000);
	assert_int_equal(child.pid, 0);
	assert_int_equal(child.fd, -1);
	return child.report;
}

static void the_last_word_arrives_however_much_was_said(void **state)
{
	struct report report;
	enum child_end end;

	(void)state;
	report = run(ends_well, &end);
	assert_int_equal(end, CHILD_EXITED);
	assert_true(report.final);
	assert_int_equal(report.delivered, 7);
	assert_int_equal(report_exit_code(&report), EX_OK);
}

static void a_worker_starts_no_program_and_knows_no_password_but_its_own(void **state)
{
	struct report report;
	enum child_end end;

	(void)state;
	report = run(breaks_out, &end);
	assert_int_equal(end, CHILD_EXITED);
	assert_true(report.final);
	assert_string_equal(report.err.text, "");
	assert_string_equal(other_secret, "hunter2");
}

static void a_worker_that_dies_leaves_its_counts_and_an_error(void **state)
{
	struct report report;
	enum child_end end;

	(void)state;
	report = run(dies, &end);
	assert_int_equal(end, CHILD_KILLED);
	assert_int_equal(report.delivered, 3);
	assert_int_equal(report_exit_code(&report), EX_TEMPFAIL);
	assert_non_null(strstr(report.err.text, "signal 9"));
	report = run(crashes, &end);
	assert_int_equal(end, CHILD_CRASHED);
	assert_non_null(strstr(report.err.text, "signal 6"));
	report = run(ends_early, &end);
	assert_int_equal(end, CHILD_EXITED);
	assert_int_equal(report_exit_code(&report), EX_TEMPFAIL);
	assert_non_null(strstr(report.err.text, "status 3"));
}

/* So many descriptors are left that a worker is started, but not its runner. */
static void a_worker_that_cannot_begin_reports_nothing_else(void **state)
{
	struct rlimit limit, few;
	struct report report;
	enum child_end end;
	int next = dup(STDIN_FILENO);

	(void)state;
	(void)close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = (struct rlimit){ .rlim_cur = (rlim_t)next + 2, .rlim_max = limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	report = run(ends_well, &end);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(end, CHILD_EXITED);
	assert_true(report.final);
	assert_int_equal(report.err.kind, ERR_AGAIN);
	assert_non_null(strstr(report.err.text, "a process for commands"));
	report.final = false;
	report.err = (struct err){ 0 };
	assert_memory_equal(&report, &(struct report){ 0 }, sizeof(report));
}

/* The preset is often fewer than there are accounts in IDLE; what the system allows is more. */
static void more_descriptors_are_taken_where_they_are_allowed(void **state)
{
	struct rlimit limit, few;
	struct report report;
	enum child_end end;
	int next = dup(STDIN_FILENO);

	(void)state;
	(void)close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = (struct rlimit){ .rlim_cur = (rlim_t)next, .rlim_max = limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	report = run(ends_well, &end);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(end, CHILD_EXITED);
	assert_int_equal(report.err.kind, ERR_NONE);
	assert_int_equal(report.delivered, 7);
}

/* A session that is lost in the moment in which it waits. */
static int lose(struct source *source, struct source_idle *idle, struct err *err)
{
	(void)source;
	(void)idle;
	return err_set(err, ERR_SESSION, "the line is dead");
}

static void close_nothing(struct source *source)
{
	(void)source;
}

static const struct source_ops losing = { .idle = lose, .close = close_nothing };
static struct source lost_soon = { .ops = &losing };

static void stays(const struct account_job *job, struct report *report)
{
	report->final = true;
	job->standing->source = &lost_soon;
}

static void a_call_that_crosses_the_loss_of_the_session_began_no_round(void **state)
{
	struct child child = { .account = &accounts[1], .fd = -1 };
	struct child_tools tools = { .settings = &settings,
		.idle = true,
		.stop_fd = -1,
		.private_fds = { -1, -1, -1, -1 },
		.children = &child,
		.count = 1 };
	struct pollfd readable;
	enum child_end end;

	(void)state;
	work = stays;
	assert_int_equal(child_start(&child, &tools), 0);
	readable = (struct pollfd){ .fd = child.fd, .events = POLLIN };
	while (!child.idles && poll(&readable, 1, 10000) > 0)
		(void)child_hear(&child);
	assert_true(child.idles);
	child_call(&child);
	assert_false(child.idles);
	while (!child_reap(&child, &end))
		(void)usleep(1000);
	assert_int_equal(end, CHILD_EXITED);
	assert_true(child.idles);
	assert_string_equal(child.lost.text, "the line is dead");
}

/* A session in which nothing comes. */
static int hear_nothing(struct source *source, struct source_idle *idle, struct err *err)
{
	(void)source;
	return idle->wait.wait(idle->wait.arg, -1, POLLIN, clock_ms() + 10000, err);
}

static const struct source_ops quiet_ops = { .idle = hear_nothing,
	.close = close_nothing };
static struct source quiet = { .ops = &quiet_ops };

static void waits(const struct account_job *job, struct report *report)
{
	report->final = true;
	job->standing->source = &quiet;
}

static void a_call_that_crosses_the_signal_to_end_began_no_round(void **state)
{
	struct child child = { .account = &accounts[1], .fd = -1 };
	struct child_tools tools = { .settings = &settings,
		.idle = true,
		.stop_fd = -1,
		.private_fds = { -1, -1, -1, -1 },
		.children = &child,
		.count = 1 };
	struct pollfd readable;
	enum child_end end;
	siginfo_t info;
	sigset_t mask;

	(void)state;
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &mask), 0);
	assert_int_equal(stop_start(&tools.stop_fd, NULL), 0);
	work = waits;
	assert_int_equal(child_start(&child, &tools), 0);
	readable = (struct pollfd){ .fd = child.fd, .events = POLLIN };
	while (!child.idles && poll(&readable, 1, 10000) > 0)
		(void)child_hear(&child);
	assert_true(child.idles);
	assert_int_equal(kill(child.pid, SIGTERM), 0);
	assert_int_equal(waitid(P_PID, (id_t)child.pid, &info, WEXITED | WNOWAIT), 0);
	child_call(&child);
	assert_true(child_reap(&child, &end));
	assert_int_equal(end, CHILD_EXITED);
	assert_true(child.idles);
	(void)close(tools.stop_fd);
	assert_int_equal(sigprocmask(SIG_SETMASK, &mask, NULL), 0);
}

static void a_worker_dies_with_its_parent(void **state)
{
	int ends[2];
	char byte;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	if (fork() == 0) {
		struct child children[2] = { { .account = &accounts[0], .fd = -1 },
			{ .account = &accounts[1], .fd = -1 } };
		struct child_tools tools = { .settings = &settings,
			.stop_fd = -1,
			.private_fds = { -1, -1, -1, -1 },
			.children = children,
			.count = 2 };

		work = sleeps;
		if (child_start(&children[0], &tools) < 0 ||
			child_start(&children[1], &tools) < 0)
			_exit(1);
		_exit(0);
	}
	(void)close(ends[1]);
	/* The end of the file: nobody has the other end any more. */
	assert_int_equal(read(ends[0], &byte, 1), 0);
	(void)close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_word_arrives_however_much_was_said),
		cmocka_unit_test(
			a_worker_starts_no_program_and_knows_no_password_but_its_own),
		cmocka_unit_test(a_worker_that_dies_leaves_its_counts_and_an_error),
		cmocka_unit_test(a_worker_that_cannot_begin_reports_nothing_else),
		cmocka_unit_test(more_descriptors_are_taken_where_they_are_allowed),
		cmocka_unit_test(
			a_call_that_crosses_the_loss_of_the_session_began_no_round),
		cmocka_unit_test(a_call_that_crosses_the_signal_to_end_began_no_round),
		cmocka_unit_test(a_worker_dies_with_its_parent),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
