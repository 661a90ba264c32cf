/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"

#include "scanner/sweep_report.h"

static char dir[40];
static char path[64];

static int start(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/test_sweep_report.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/report", dir);
	return 0;
}

static int end(void **state)
{
	struct err err;

	(void)state;
	return file_remove_tree(dir, true, &err);
}

static void add(
	struct sweep_report *report, const char *name, bool infected, uint32_t pass)
{
	char copy[64];
	struct sweep_find find = { .path = copy, .is_infected = infected, .pass = pass };
	struct err err;

	(void)snprintf(copy, sizeof(copy), "%s", name);
	(void)snprintf(find.signature, sizeof(find.signature), "S");
	assert_int_equal(sweep_report_add(report, &find, &err), 0);
}

static void what_is_saved_is_loaded(void **state)
{
	DEFER(sweep_report_done) struct sweep_report report = { .pass = 3 }, back = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(sweep_report_load(dir, &back, &err), 0);
	report.now.began_s = 5;
	report.now.counts.files = 1ULL << 40;
	report.now.counts.why[SWEEP_WHY_LINK] = 2;
	report.last.ended_s = 4;
	memset(report.digest.bytes, 7, HASH_SIZE);
	add(&report, "/a\n\xff", true, 3);
	add(&report, "/b", false, 2);
	assert_int_equal(sweep_report_save(dir, &report, &err), 0);
	assert_int_equal(sweep_report_load(dir, &back, &err), 1);
	assert_int_equal(back.pass, 3);
	assert_int_equal(back.now.began_s, 5);
	assert_true(back.now.counts.files == 1ULL << 40);
	assert_int_equal(back.now.counts.why[SWEEP_WHY_LINK], 2);
	assert_int_equal(back.last.ended_s, 4);
	assert_true(hash_equal(&back.digest, &report.digest));
	assert_int_equal(back.find_count, 2);
	assert_string_equal(back.finds[0].path, "/a\n\xff");
	assert_string_equal(back.finds[0].signature, "S");
	assert_true(back.finds[0].is_infected);
	assert_false(back.finds[1].is_infected);
}

static void what_is_cut_short_anywhere_is_damaged(void **state)
{
	DEFER(sweep_report_done) struct sweep_report report = { .pass = 3 };
	auto_buf struct buf bytes;
	struct err err = { 0 };

	(void)state;
	buf_init(&bytes, SWEEP_REPORT_MAX);
	add(&report, "/a", true, 3);
	assert_int_equal(sweep_report_save(dir, &report, &err), 0);
	assert_int_equal(file_read(path, SWEEP_REPORT_MAX, &bytes, &err), 0);
	for (size_t len = 0; len < bytes.len; len += 3) {
		struct sweep_report back = { 0 };

		assert_int_equal(
			file_replace(path, (struct span){ bytes.data, len }, 0600, &err),
			0);
		assert_int_equal(sweep_report_load(dir, &back, &err), -1);
		assert_null(back.finds);
	}
}

static void a_find_is_listed_once_and_pruned_when_it_is_gone(void **state)
{
	DEFER(sweep_report_done) struct sweep_report report = { .pass = 2 };

	(void)state;
	add(&report, "/a", true, 1);
	add(&report, "/b", true, 1);
	add(&report, "/a", true, 2);
	assert_int_equal(report.find_count, 2);
	sweep_report_prune(&report);
	assert_int_equal(report.find_count, 1);
	assert_non_null(sweep_report_find(&report, "/a"));
	assert_null(sweep_report_find(&report, "/b"));
}

static void a_full_list_takes_what_is_infected_for_what_is_not(void **state)
{
	DEFER(sweep_report_done) struct sweep_report report = { .pass = 1 };
	char name[32];

	(void)state;
	for (int i = 0; i < SWEEP_FINDS_MAX; i++) {
		(void)snprintf(name, sizeof(name), "/%d", i);
		add(&report, name, i > 0, 1);
	}
	add(&report, "/u", false, 1);
	assert_null(sweep_report_find(&report, "/u"));
	add(&report, "/i", true, 1);
	assert_non_null(sweep_report_find(&report, "/i"));
	assert_null(sweep_report_find(&report, "/0"));
	add(&report, "/j", true, 1);
	assert_null(sweep_report_find(&report, "/j"));
	assert_int_equal(report.find_count, SWEEP_FINDS_MAX);
}

static void its_sum_has_numbers_and_trouble_and_no_names(void **state)
{
	DEFER(sweep_report_done)
	struct sweep_report report = { .pass = 4,
		.now = { .began_s = 5,
			.counts = { .files = 6,
				.unreadable = 1,
				.why[SWEEP_WHY_UNREADABLE] = 2 } },
		.last = { .began_s = 1,
			.ended_s = 3,
			.counts = { .bytes = 7, .infected = 8, .large = 9 } } };
	struct swept swept;

	(void)state;
	memset(report.trouble, 'x', sizeof(report.trouble) - 1);
	sweep_report_sum(&report, &swept);
	assert_true(swept.on);
	assert_true(swept_is_sound(&swept));
	assert_int_equal(swept.pass, 4);
	assert_int_equal(swept.now.began_s, 5);
	assert_int_equal(swept.now.ended_s, 0);
	assert_int_equal(swept.now.files, 6);
	assert_int_equal(swept.now.unreadable, 3);
	assert_int_equal(swept.last.ended_s, 3);
	assert_int_equal(swept.last.bytes, 7);
	assert_int_equal(swept.last.infected, 8);
	assert_int_equal(swept.last.large, 9);
	assert_int_equal(strlen(swept.trouble), sizeof(report.trouble) - 1);
}

static void a_time_that_is_none_is_damage(void **state)
{
	DEFER(sweep_report_done) struct sweep_report report = { .pass = 1 }, back = { 0 };
	struct err err = { 0 };

	(void)state;
	report.last.ended_s = -1;
	assert_int_equal(sweep_report_save(dir, &report, &err), 0);
	assert_int_equal(sweep_report_load(dir, &back, &err), -1);
	assert_non_null(strstr(err.text, "a time that is none"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_saved_is_loaded, start, end),
		cmocka_unit_test_setup_teardown(
			what_is_cut_short_anywhere_is_damaged, start, end),
		cmocka_unit_test_setup_teardown(
			a_time_that_is_none_is_damage, start, end),
		cmocka_unit_test(its_sum_has_numbers_and_trouble_and_no_names),
		cmocka_unit_test(a_find_is_listed_once_and_pruned_when_it_is_gone),
		cmocka_unit_test(a_full_list_takes_what_is_infected_for_what_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
