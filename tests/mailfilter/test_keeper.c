/* SPDX-License-Identifier: ISC
 *
 * What is old, what fits together and what a keeper that died left. Releases, and all that is cut
 * off in the middle, are in tests/e2e/48-quarantine.t. */
#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/file.h"

#include "mailfilter/keeper.h"
#include "mailfilter/quarantine.h"
#include "mailfilter/tidy.h"

enum {
	YEAR_2026 = 1767225600,
	DAY = 24 * 3600
};

static char top[64], dir[80];
static struct account_settings account = { .name = (char[]){ "work" } };

static int setup(void **state)
{
	(void)state;
	(void)strcpy(top, "/tmp/test_keeper.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	(void)snprintf(dir, sizeof(dir), "%s/work", top);
	return 0;
}

static int teardown(void **state)
{
	struct err err = { 0 };

	(void)state;
	return file_remove_tree(top, true, &err);
}

static char *path_of(const char *id)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/quarantine/%s.eml", dir, id) > 0);
	return path;
}

static void put_file(const char *id, int64_t time_s)
{
	const struct timespec times[2] = { { .tv_sec = time_s }, { .tv_sec = time_s } };
	auto_free char *folder = NULL;
	auto_free char *path = path_of(id);
	auto_close int fd = -1;

	assert_true(asprintf(&folder, "%s/quarantine", dir) > 0);
	assert_int_equal(file_mkdirs(folder, 0700, NULL), 0);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(futimens(fd, times), 0);
}

static void put_row(const char *id, int64_t time_s, enum record_fate fate)
{
	struct record_quarantined item = { .time_s = time_s };
	struct record *record = NULL;

	(void)snprintf(item.id, sizeof(item.id), "%s", id);
	assert_int_equal(record_open(dir, false, &record, NULL), 0);
	assert_int_equal(record_put_quarantined(record, &item, NULL), 0);
	if (fate != RECORD_KEPT)
		assert_int_equal(
			record_set_fate(record, id, fate, "name", time_s, NULL), 0);
	record_close(record);
}

static bool has_file(const char *id)
{
	auto_free char *path = path_of(id);

	return access(path, F_OK) == 0;
}

static bool has_row(const char *id)
{
	struct record_quarantined item;
	struct record *record = NULL;
	int found;

	assert_int_equal(record_open(dir, true, &record, NULL), 0);
	found = record_find_quarantined(record, id, &item, NULL);
	record_close(record);
	assert_true(found >= 0);
	return found > 0;
}

static struct keeper *open_keeper(void)
{
	struct keeper *keeper = NULL;
	struct err err = { 0 };

	if (keeper_open(top, &account, &keeper, &err) < 0)
		fail_msg("%s", err.text);
	return keeper;
}

static void what_is_old_goes_by_age_alone(void **state)
{
	static const struct {
		const char *id;
		int64_t time_s;
		bool file, row, stays;
	} cases[] = {
		{ "old", YEAR_2026 - 1, true, true, false },
		{ "old-without-file", YEAR_2026 - 1, false, true, false },
		{ "old-orphan", YEAR_2026 - 1, true, false, false },
		{ "young", YEAR_2026, true, true, true },
		{ "young-without-file", YEAR_2026, false, true, true },
		{ "young-orphan", YEAR_2026, true, false, true },
		{ "undated", 1000, true, true, true },
		{ "undated-orphan", KEEPER_TIME_LEAST_S - 1, true, false, true },
	};
	struct keeper_counts counts = { 0 };
	struct keeper *keeper;
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (cases[i].file)
			put_file(cases[i].id, cases[i].time_s);
		if (cases[i].row)
			put_row(cases[i].id, cases[i].time_s, RECORD_KEPT);
	}
	keeper = open_keeper();
	assert_int_equal(keeper_expire(keeper, YEAR_2026, &counts, &err), 0);
	keeper_close(keeper);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (has_file(cases[i].id) != (cases[i].file && cases[i].stays))
			fail_msg("%s: its file", cases[i].id);
		if (has_row(cases[i].id) != (cases[i].row && cases[i].stays))
			fail_msg("%s: its row", cases[i].id);
	}
	assert_int_equal(counts.expired, 2);
	assert_int_equal(counts.mended, 1);
	assert_int_equal(counts.left, 3);
}

static void released_originals_expire_like_others(void **state)
{
	struct keeper_counts counts = { 0 };
	struct keeper *keeper;
	struct err err = { 0 };

	(void)state;
	put_file("released", YEAR_2026);
	put_row("released", YEAR_2026, RECORD_RELEASED);
	keeper = open_keeper();
	assert_int_equal(keeper_expire(keeper, YEAR_2026, &counts, &err), 0);
	assert_true(has_row("released"));
	assert_int_equal(keeper_expire(keeper, YEAR_2026 + 1, &counts, &err), 0);
	assert_false(has_row("released") || has_file("released"));
	keeper_close(keeper);
}

static void with_no_days_nothing_ever_expires(void **state)
{
	struct settings settings = { .state_dir = top };
	struct keeper_counts counts = { 0 };
	struct err err = { 0 };

	(void)state;
	put_file("old", KEEPER_TIME_LEAST_S);
	put_row("old", KEEPER_TIME_LEAST_S, RECORD_KEPT);
	assert_int_equal(tidy_quarantine(&settings, &account, &counts, &err), 0);
	assert_int_equal(counts.left, 1);
	settings.quarantine_days = 1;
	assert_int_equal(tidy_quarantine(&settings, &account, &counts, &err), 0);
	assert_int_equal(counts.expired, 1);
}

static void a_run_tidies_up_once_a_day(void **state)
{
	struct settings settings = { .state_dir = top, .quarantine_days = 1 };
	const int64_t now_s = clock_wall_s();

	(void)state;
	put_file("old", KEEPER_TIME_LEAST_S);
	put_row("old", KEEPER_TIME_LEAST_S, RECORD_KEPT);
	tidy_daily(&settings, &account, now_s);
	/* But for a midnight between the two. */
	if (now_s / DAY == clock_wall_s() / DAY)
		assert_true(has_row("old") && has_file("old"));
	tidy_daily(&settings, &account, now_s - DAY);
	assert_false(has_row("old") || has_file("old"));
}

static void a_deletion_that_was_cut_off_is_ended_by_who_comes_next(void **state)
{
	(void)state;
	put_file("before-the-file", YEAR_2026);
	put_row("before-the-file", YEAR_2026, RECORD_DELETING);
	put_row("before-the-row", YEAR_2026, RECORD_DELETING);
	put_file("other", YEAR_2026);
	put_row("other", YEAR_2026, RECORD_KEPT);
	keeper_close(open_keeper());
	assert_false(has_file("before-the-file") || has_row("before-the-file"));
	assert_false(has_row("before-the-row"));
	assert_true(has_file("other") && has_row("other"));
}

static void many_go_in_one_sweep(void **state)
{
	struct keeper_counts counts = { 0 };
	struct record *record = NULL;
	struct keeper *keeper;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(record_open(dir, false, &record, NULL), 0);
	assert_int_equal(record_begin(record, NULL), 0);
	for (int i = 0; i < 1000; i++) {
		struct record_quarantined item = { .time_s = YEAR_2026 };

		(void)snprintf(item.id, sizeof(item.id), "many-%04d", i);
		assert_int_equal(record_put_quarantined(record, &item, NULL), 0);
	}
	assert_int_equal(record_commit(record, NULL), 0);
	record_close(record);
	keeper = open_keeper();
	assert_int_equal(keeper_expire(keeper, YEAR_2026 + DAY, &counts, &err), 0);
	assert_int_equal(counts.expired, 1000);
	assert_int_equal(keeper_expire(keeper, YEAR_2026 + DAY, &counts, &err), 0);
	assert_int_equal(counts.expired + counts.left, 0);
	keeper_close(keeper);
}

static void two_are_never_at_work_at_once(void **state)
{
	struct keeper *keeper = open_keeper(), *second = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(keeper_open(top, &account, &second, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_non_null(strstr(err.text, "at work in the quarantine"));
	keeper_close(keeper);
	keeper_close(open_keeper());
}

static void a_link_in_place_of_an_original_is_not_delivered(void **state)
{
	auto_free char *path = path_of("planted");
	struct record_quarantined item;
	struct keeper *keeper;
	struct err err = { 0 };

	(void)state;
	put_file("first", YEAR_2026);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	put_row("planted", YEAR_2026, RECORD_KEPT);
	keeper = open_keeper();
	assert_int_equal(keeper_release(keeper, "planted", &item, &err), -1);
	assert_int_not_equal(err.kind, ERR_NONE);
	/* To delete it removes the link. */
	assert_int_equal(keeper_delete(keeper, "planted", &err), 0);
	assert_int_equal(access("/etc/passwd", F_OK), 0);
	keeper_close(keeper);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_old_goes_by_age_alone),
		TEST(released_originals_expire_like_others),
		TEST(with_no_days_nothing_ever_expires),
		TEST(a_run_tidies_up_once_a_day),
		TEST(a_deletion_that_was_cut_off_is_ended_by_who_comes_next),
		TEST(many_go_in_one_sweep),
		TEST(two_are_never_at_work_at_once),
		TEST(a_link_in_place_of_an_original_is_not_delivered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
