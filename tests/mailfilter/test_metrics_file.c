/* SPDX-License-Identifier: ISC
 *
 * The metrics of a parent whose settings come and go. */
#include "tests/test.h"

#include "mailfilter/metrics_file.h"

#include <string.h>
#include <unistd.h>

#include "common/file.h"

static char path[] = "/tmp/mailfilter-metrics-XXXXXX";

static void read_it(struct buf *text, const char **text_r)
{
	buf_clear(text);
	assert_int_equal(file_read(path, 65536, text, NULL), 0);
	assert_int_equal(buf_text(text, text_r, NULL), 0);
}

static void a_name_outlives_the_settings_that_it_was_served_with(void **state)
{
	DEFER(buf_done) struct buf text = { 0 };
	char name[] = "home";
	struct account_settings account = { .name = name };
	struct child child = { .account = &account, .name = "home" };
	struct metrics_file file = { .path = path };
	const char *written = NULL;

	(void)state;
	buf_init(&text, 65536);
	child.report.numbers.known = true;
	metrics_file_note(&file, &child, false);
	/* Read anew, and the old ones freed. */
	memset(name, 'x', sizeof(name) - 1);
	child.account = NULL;
	metrics_file_turn(&file, &child, 1);
	read_it(&text, &written);
	assert_non_null(strstr(written, "{account=\"home\"}"));
	assert_null(strstr(written, "xxxx"));
}

static void an_account_that_was_not_served_is_left_out(void **state)
{
	DEFER(buf_done) struct buf text = { 0 };
	const struct child children[2] = { { .name = "never" },
		{ .name = "home", .last = { .last_s = 7, .failed = true } } };
	struct metrics_file file = { .path = path, .due = true };
	const char *written = NULL;

	(void)state;
	buf_init(&text, 65536);
	metrics_file_turn(&file, children, 2);
	assert_false(file.due);
	read_it(&text, &written);
	assert_non_null(strstr(written, "_failed{account=\"home\"} 1"));
	assert_null(strstr(written, "never\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_outlives_the_settings_that_it_was_served_with),
		cmocka_unit_test(an_account_that_was_not_served_is_left_out),
	};
	int fd = mkstemp(path);
	int failed;

	(void)close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	return failed;
}
