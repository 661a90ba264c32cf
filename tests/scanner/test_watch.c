/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"

#include "scanner/watch.h"

enum {
	CHECK_MS = 60 * 1000
};

static char folder[64], conf[80], other[80];
static char *items[] = { folder };
static struct settings settings;
static struct watch watch;
static int64_t now;

static void put(const char *in, const char *name, const char *text)
{
	char path[160];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", in, name);
	file = fopen(path, "w");
	assert_true(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static int start(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/test-watch-XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(conf, sizeof(conf), "%s/conf", folder);
	(void)snprintf(other, sizeof(other), "%s/other", folder);
	settings = (struct settings){ .signatures = { items, 1 },
		.signatures_check_ms = CHECK_MS };
	now = 1000000;
	put(folder, "a.ndb", "one");
	watch_init(&watch, &settings);
	assert_int_equal(watch_take(&watch, now, NULL), 0);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	watch_done(&watch);
	return file_remove_tree(folder, true, NULL);
}

/* At the moment that was asked for. */
static bool look(void)
{
	bool changed = true;

	assert_true(watch.look_at > now);
	now = watch.look_at - 1;
	assert_int_equal(watch_turn(&watch, now, &changed, NULL), 0);
	assert_false(changed);
	now = watch.look_at;
	assert_int_equal(watch_turn(&watch, now, &changed, NULL), 0);
	return changed;
}

static void files_that_stay_are_no_change(void **state)
{
	int64_t from = now;

	(void)state;
	put(folder, "ignored.txt", "x");
	for (int i = 1; i <= 5; i++) {
		assert_false(look());
		assert_int_equal(now - from, i * CHECK_MS);
	}
}

static void a_change_counts_once_it_has_settled(void **state)
{
	(void)state;
	put(folder, "b.ndb", "two");
	assert_false(look());
	assert_int_equal(watch.look_at - now, WATCH_SETTLE_MS);
	/* The next file of the set comes: it takes as long again. */
	put(folder, "c.ndb", "three");
	assert_false(look());
	assert_int_equal(watch.look_at - now, WATCH_SETTLE_MS);
	assert_true(look());
	assert_false(look());
	assert_false(look());
}

static void what_goes_back_is_no_change(void **state)
{
	char from[160], to[160];

	(void)state;
	(void)snprintf(from, sizeof(from), "%s/a.ndb", folder);
	(void)snprintf(to, sizeof(to), "%s/a.away", folder);
	assert_int_equal(rename(from, to), 0);
	assert_false(look());
	assert_int_equal(rename(to, from), 0);
	assert_false(look());
	assert_false(look());
}

static void every_kind_of_change_is_seen(void **state)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { 1000, 1 } };
	char path[160], copy[160];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/a.ndb", folder);
	(void)snprintf(copy, sizeof(copy), "%s/copy", folder);
	/* Its time, by a nanosecond. */
	for (long i = 1; i <= 2; i++) {
		times[1].tv_nsec = i;
		assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
		assert_false(look());
		assert_true(look());
	}
	/* Another file with size and time of the first. */
	put(folder, "copy", "two");
	assert_int_equal(utimensat(AT_FDCWD, copy, times, 0), 0);
	assert_int_equal(rename(copy, path), 0);
	assert_false(look());
	assert_true(look());
	/* The last one goes, then the folder. */
	assert_int_equal(unlink(path), 0);
	assert_false(look());
	assert_true(look());
	assert_int_equal(rmdir(folder), 0);
	assert_false(look());
	assert_true(look());
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_false(look());
	assert_true(look());
}

static void what_never_settles_is_tried_all_the_same(void **state)
{
	char text[32];
	int64_t from;
	int looks = 0;

	(void)state;
	put(folder, "b.ndb", "0");
	assert_false(look());
	from = now;
	do {
		(void)snprintf(text, sizeof(text), "%0*d", ++looks % 20 + 1, 0);
		put(folder, "b.ndb", text);
		assert_true(looks < 1000);
	} while (!look());
	assert_true(now - from >= WATCH_UNSETTLED_MS);
	assert_true(now - from <= WATCH_UNSETTLED_MS + WATCH_SETTLE_MS);
}

static void what_is_taken_meanwhile_is_no_change_any_more(void **state)
{
	(void)state;
	put(folder, "b.ndb", "two");
	assert_false(look());
	assert_int_equal(watch_take(&watch, now, NULL), 0);
	assert_false(look());
	assert_false(look());
}

static void the_folders_are_those_that_the_file_names_by_now(void **state)
{
	char text[256];

	(void)state;
	settings.path = conf;
	(void)snprintf(text, sizeof(text), "signatures = { \"%s\" }\n", other);
	put(folder, "conf", text);
	assert_int_equal(mkdir(other, 0700), 0);
	put(folder, "b.ndb", "x");
	assert_int_equal(watch_take(&watch, now, NULL), 0);
	put(folder, "c.ndb", "x");
	assert_false(look());
	assert_false(look());
	put(other, "a.ndb", "x");
	assert_false(look());
	assert_true(look());
	/* A file that cannot be read names nothing else. */
	put(folder, "conf", "nonsense");
	assert_int_equal(watch_take(&watch, now, NULL), 0);
	put(other, "b.ndb", "x");
	assert_false(look());
	assert_true(look());
}

#define WATCH_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WATCH_TEST(files_that_stay_are_no_change),
		WATCH_TEST(a_change_counts_once_it_has_settled),
		WATCH_TEST(what_goes_back_is_no_change),
		WATCH_TEST(every_kind_of_change_is_seen),
		WATCH_TEST(what_never_settles_is_tried_all_the_same),
		WATCH_TEST(what_is_taken_meanwhile_is_no_change_any_more),
		WATCH_TEST(the_folders_are_those_that_the_file_names_by_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
