/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/state_metrics.h"

static const struct metrics_label none = { NULL, NULL };

static const char *text_of(struct metrics *metrics)
{
	const char *text = NULL;

	assert_int_equal(metrics->err.kind, ERR_NONE);
	assert_int_equal(buf_text(&metrics->out, &text, NULL), 0);
	return text;
}

static void a_family_says_what_it_is_and_has_its_samples(void **state)
{
	struct metrics metrics DEFER(metrics_done);

	(void)state;
	metrics_init(&metrics);
	metrics_family(&metrics, "x_total", METRICS_COUNTER, "Things done.");
	metrics_number(&metrics, none, none, UINT64_MAX);
	metrics_family(&metrics, "y_seconds", METRICS_GAUGE, "How long.");
	metrics_ms(&metrics, (struct metrics_label){ "a", "1" }, none, 7);
	metrics_ms(&metrics, (struct metrics_label){ "a", "1" },
		(struct metrics_label){ "b", "2" }, 12345);
	assert_string_equal(text_of(&metrics), "# HELP x_total Things done.\n"
					       "# TYPE x_total counter\n"
					       "x_total 18446744073709551615\n"
					       "# HELP y_seconds How long.\n"
					       "# TYPE y_seconds gauge\n"
					       "y_seconds{a=\"1\"} 0.007\n"
					       "y_seconds{a=\"1\",b=\"2\"} 12.345\n");
}

static void label_values_are_escaped(void **state)
{
	static const struct {
		const char *value, *expected;
	} cases[] = {
		{ "", "x{a=\"\"} 1\n" },
		{ "a\"b\\c\nd", "x{a=\"a\\\"b\\\\c\\nd\"} 1\n" },
		{ "\xc3\xa4", "x{a=\"\xc3\xa4\"} 1\n" },
		{ "\xff\x1b\r", "x{a=\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"} 1\n" },
		{ "} 7", "x{a=\"} 7\"} 1\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct metrics metrics DEFER(metrics_done);

		metrics_init(&metrics);
		metrics_family(&metrics, "x", METRICS_GAUGE, "X.");
		buf_clear(&metrics.out);
		metrics_number(
			&metrics, (struct metrics_label){ "a", cases[i].value }, none, 1);
		assert_string_equal(text_of(&metrics), cases[i].expected);
	}
}

static void the_first_failure_is_kept(void **state)
{
	struct metrics metrics DEFER(metrics_done);
	struct err err = { 0 };

	(void)state;
	metrics_init(&metrics);
	metrics.out.max = 20;
	metrics_family(&metrics, "a_long_name", METRICS_GAUGE, "Too long.");
	metrics_number(&metrics, none, none, 1);
	assert_int_equal(metrics_print(&metrics, &err), -1);
	assert_int_not_equal(err.kind, ERR_NONE);
	assert_int_equal(metrics_write(&metrics, "/nonexistent/x", &err), -1);
}

static void a_file_is_replaced_whole_and_everybody_may_read_it(void **state)
{
	char dir[] = "/tmp/test_metrics.XXXXXX", path[64], beside[64];
	struct metrics metrics DEFER(metrics_done);
	auto_buf struct buf content = { 0 };
	struct err err = { 0 };
	struct stat st;
	mode_t mask;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/m.prom", dir);
	(void)snprintf(beside, sizeof(beside), "%s/m.prom.tmp", dir);
	metrics_init(&metrics);
	metrics_family(&metrics, "x", METRICS_GAUGE, "X.");
	metrics_number(&metrics, none, none, 1);
	mask = umask(077);
	for (int i = 0; i < 2; i++)
		if (metrics_write(&metrics, path, &err) < 0)
			fail_msg("%s", err.text);
	(void)umask(mask);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(access(beside, F_OK), -1);
	buf_init(&content, 4096);
	assert_int_equal(file_read(path, 4000, &content, &err), 0);
	assert_true(span_equal(buf_span(&content), buf_span(&metrics.out)));

	/* Where a folder stands in its place, nothing is left behind. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(metrics_write(&metrics, path, &err), -1);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(access(beside, F_OK), -1);
	assert_int_equal(file_remove_tree(dir, true, &err), 0);
	assert_int_equal(metrics_write(&metrics, path, &err), -1);
	assert_non_null(strstr(err.text, "its folder must be there"));
}

/* Of the family behind the TYPE line at text: its samples up to the next family. */
static void a_scanner_that_is_absent_has_but_that(void **state)
{
	const struct state_metrics list[] = { { .scanner = "ipc:///a" },
		{ .scanner = "ipc:///b",
			.alive = true,
			.state = { .state = WIRE_READY,
				.workers = 4,
				.busy = 3,
				.trouble = "x" } } };
	struct metrics metrics DEFER(metrics_done);
	const char *text;
	size_t count = 0;

	(void)state;
	metrics_init(&metrics);
	state_metrics_add(&metrics, list, 2);
	text = text_of(&metrics);
	assert_non_null(strstr(text, "\nmailfilter_scanner_up{scanner=\"ipc:///a\"} 0\n"
				     "mailfilter_scanner_up{scanner=\"ipc:///b\"} 1\n"));
	assert_non_null(strstr(text,
		"\nmailfilter_scanner_state{scanner=\"ipc:///b\",state=\"ready\"} 1\n"));
	assert_non_null(strstr(
		text, "\nmailfilter_scanner_workers_busy{scanner=\"ipc:///b\"} 3\n"));
	assert_non_null(
		strstr(text, "\nmailfilter_scanner_trouble{scanner=\"ipc:///b\"} 1\n"));
	/* No file is dated, no class had a scan: then there is no age and no time. */
	assert_null(strstr(text, "\nmailfilter_scanner_signatures_timestamp_seconds{"));
	assert_null(strstr(text, "\nmailfilter_scanner_scan_p50_seconds{"));
	for (const char *at = text; (at = strstr(at, "ipc:///a")); at++)
		count++;
	assert_int_equal(count, 1);
}

static void counts_and_times_have_their_labels(void **state)
{
	struct state_metrics one = { .scanner = "s", .alive = true };
	struct metrics metrics DEFER(metrics_done);
	const char *text;

	(void)state;
	one.state.state = WIRE_LOADING;
	one.state.dated_s = 1767225600;
	one.state.health.counts[HEALTH_INFECTED] = 12;
	one.state.health.counts[HEALTH_LIMIT] = 5;
	one.state.health.counts[HEALTH_CRASHES] = 7;
	one.state.health.times[0] =
		(struct health_times){ 42, { 12, 101, 2005 }, { 10, 81, 190 } };
	one.state.health.times[4] = (struct health_times){ 1, { 1, 2, 3 }, { 4, 5, 6 } };
	metrics_init(&metrics);
	state_metrics_add(&metrics, &one, 1);
	text = text_of(&metrics);
	static const char *const lines[] = {
		"signatures_timestamp_seconds{scanner=\"s\"} 1767225600\n",
		"verdicts_total{scanner=\"s\",verdict=\"infected\"} 12\n",
		"unscannable_total{scanner=\"s\",reason=\"limit\"} 5\n",
		"events_total{scanner=\"s\",event=\"workers_crashed\"} 7\n",
		"recent_scans{scanner=\"s\",size_max_bytes=\"10240\"} 42\n",
		"scan_p99_seconds{scanner=\"s\",size_max_bytes=\"10240\"} 2.005\n",
		"work_p99_seconds{scanner=\"s\",size_max_bytes=\"+Inf\"} 0.006\n",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		char line[160];

		(void)snprintf(line, sizeof(line), "\nmailfilter_scanner_%s", lines[i]);
		if (!strstr(text, line))
			fail_msg("%s is not in %s", lines[i], text);
	}
}

static void a_sweep_is_told_of_by_pass_and_only_where_there_is_one(void **state)
{
	struct state_metrics list[] = {
		{ .scanner = "off", .alive = true, .state.state = WIRE_READY },
		{ .scanner = "on", .alive = true, .state.state = WIRE_READY },
		{ .scanner = "absent", .state.swept = { .on = true, .pass = 1 } }
	};
	struct swept *swept = &list[1].state.swept;
	struct metrics metrics DEFER(metrics_done), first DEFER(metrics_done);
	const char *text;

	(void)state;
	swept->on = true;
	swept->pass = 1;
	swept->now = (struct swept_pass){ .began_s = 1800000000, .files = 7 };
	metrics_init(&first);
	state_metrics_add(&first, list, 3);
	text = text_of(&first);
	assert_non_null(strstr(text, "\nmailfilter_scanner_sweep_files{scanner=\"on\","
				     "pass=\"now\"} 7\n"));
	assert_null(strstr(text, "pass=\"last\""));
	assert_null(strstr(text, "sweep_files{scanner=\"off\""));
	assert_null(strstr(text, "sweep_files{scanner=\"absent\""));
	swept->last = (struct swept_pass){ .ended_s = 1700000000, .large = 3 };
	metrics_init(&metrics);
	state_metrics_add(&metrics, list, 3);
	text = text_of(&metrics);
	assert_non_null(strstr(text, "\nmailfilter_scanner_sweep_end_timestamp_seconds{"
				     "scanner=\"on\",pass=\"last\"} 1700000000\n"));
	assert_non_null(strstr(text, "\nmailfilter_scanner_sweep_large{scanner=\"on\","
				     "pass=\"last\"} 3\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_family_says_what_it_is_and_has_its_samples),
		cmocka_unit_test(label_values_are_escaped),
		cmocka_unit_test(the_first_failure_is_kept),
		cmocka_unit_test(a_sweep_is_told_of_by_pass_and_only_where_there_is_one),
		cmocka_unit_test(a_file_is_replaced_whole_and_everybody_may_read_it),
		cmocka_unit_test(a_scanner_that_is_absent_has_but_that),
		cmocka_unit_test(counts_and_times_have_their_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
