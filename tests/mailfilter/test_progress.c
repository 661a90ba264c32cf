/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"

#include "mailfilter/progress.h"

static void count(void *arg, const struct report *report)
{
	size_t *calls = arg;

	(void)report;
	(*calls)++;
}

/* What goes to stderr while this is noted once. */
static const char *logged(struct progress *progress)
{
	static char text[1000];
	int saved = dup(STDERR_FILENO), fds[2];
	ssize_t len;

	assert_true(saved >= 0);
	assert_int_equal(pipe(fds), 0);
	assert_true(dup2(fds[1], STDERR_FILENO) >= 0);
	progress_note(progress);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
	(void)close(fds[1]);
	len = read(fds[0], text, sizeof(text) - 1);
	(void)close(fds[0]);
	text[len > 0 ? len : 0] = '\0';
	return text;
}

static void the_parent_is_told_not_more_often_than_it_needs(void **state)
{
	struct report report = { 0 };
	struct progress progress;
	size_t calls = 0;

	(void)state;
	progress_init(&progress, "work", &report);
	progress_note(&progress);
	progress.tell = count;
	progress.arg = &calls;
	for (int i = 0; i < 100; i++)
		progress_note(&progress);
	assert_in_range(calls, 1, 50);
	progress.told_ms = clock_ms() - PROGRESS_TELL_MS;
	calls = 0;
	progress_note(&progress);
	assert_int_equal(calls, 1);
}

static void the_log_says_how_far_and_how_fast(void **state)
{
	struct report report = { .listed = 1000, .delivered = 100 };
	struct progress progress;
	const char *line;

	(void)state;
	progress_init(&progress, "work", &report);
	assert_string_equal(logged(&progress), "");
	progress.logged_ms -= PROGRESS_LOG_MS;
	line = strstr(logged(&progress), "account=work messages=100 of=1000 rate=");
	assert_non_null(line);
	/* Some milliseconds have passed since. */
	assert_true(strstr(line, " rate=100/min") || strstr(line, " rate=9"));
	assert_string_equal(logged(&progress), "");
	/* A session that broke: fewer are decided than before. */
	report.delivered = 40;
	progress.logged_ms -= PROGRESS_LOG_MS;
	assert_non_null(strstr(logged(&progress), "messages=40 of=1000 rate=0/min"));
	report.delivered = 1000;
	progress.logged_ms -= PROGRESS_LOG_MS;
	assert_string_equal(logged(&progress), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_parent_is_told_not_more_often_than_it_needs),
		cmocka_unit_test(the_log_says_how_far_and_how_fast),
	};

	log_start("test", LOG_LEVEL_INFO);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
