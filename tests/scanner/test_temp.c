/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"

#include "scanner/signatures.h"
#include "scanner/temp.h"

static char folder[64], dir[80];

static int start(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/test-temp-XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(dir, sizeof(dir), "%s/tmp", folder);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	return file_remove_tree(folder, true, NULL);
}

static void check_makes_nothing(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(temp_check(dir, &err), 0);
	assert_int_equal(access(dir, F_OK), -1);
}

static void open_makes_it_for_us_alone(void **state)
{
	auto_close int lock = -1;
	struct err err = { 0 };
	struct stat info;

	(void)state;
	assert_int_equal(temp_open(dir, &lock, &err), 0);
	assert_int_equal(stat(dir, &info), 0);
	assert_int_equal(info.st_mode, S_IFDIR | 0700);
	assert_int_equal(temp_check(dir, &err), 0);
}

static void what_others_may_enter_is_refused(void **state)
{
	auto_close int lock = -1;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(chmod(dir, 0750), 0);
	assert_int_equal(temp_check(dir, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_non_null(strstr(err.text, "temp-dir"));
	assert_int_equal(temp_open(dir, &lock, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
}

static void what_is_no_folder_is_refused(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(symlink(folder, dir), 0);
	assert_int_equal(temp_check(dir, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
}

/* An administrator checks settings for the service's user, but does not serve in its folder. */
static void root_may_look_at_anothers_and_not_use_it(void **state)
{
	auto_close int lock = -1;
	struct err err = { 0 };

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(chown(dir, 12345, 12345), 0);
	assert_int_equal(temp_check(dir, &err), 0);
	assert_int_equal(temp_open(dir, &lock, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
}

static void a_second_one_is_told_who_holds_it(void **state)
{
	auto_close int lock = -1;
	auto_close int second = -1;
	struct err err = { 0 };
	char pid[16];

	(void)state;
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	assert_int_equal(temp_open(dir, &lock, &err), 0);
	assert_int_equal(temp_open(dir, &second, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_non_null(strstr(err.text, pid));
}

/* What an engine host that was killed while it loaded leaves, and what its worker left. */
static void leave_behind(pid_t host, pid_t worker)
{
	char path[TEMP_PATH_MAX], file[SIGNATURES_PATH_MAX];

	assert_int_equal(temp_make(temp_host_path(dir, host, path), NULL), 0);
	assert_int_equal(signatures_write(path, signatures_eicar, file, NULL), 0);
	assert_int_equal(temp_make(temp_worker_path(dir, host, worker, path), NULL), 0);
	assert_int_equal(signatures_write(path, signatures_eicar, file, NULL), 0);
}

static void sweep_removes_all_that_dead_hosts_left(void **state)
{
	const pid_t keep[] = { 12, 13 };
	char path[TEMP_PATH_MAX];

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	leave_behind(11, 21);
	leave_behind(12, 22);
	assert_int_equal(temp_sweep(dir, keep, 2, NULL), 0);
	assert_int_equal(access(temp_host_path(dir, 11, path), F_OK), -1);
	assert_int_equal(access(temp_worker_path(dir, 12, 22, path), F_OK), 0);
	assert_int_equal(temp_sweep(dir, NULL, 0, NULL), 0);
	/* That was all. */
	assert_int_equal(rmdir(dir), 0);
}

/* A worker that was taken over may leave anything. */
static void sweep_follows_no_link(void **state)
{
	char file[SIGNATURES_PATH_MAX], path[TEMP_PATH_MAX];

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(signatures_write(folder, signatures_eicar, file, NULL), 0);
	leave_behind(31, 41);
	(void)snprintf(path, sizeof(path), "%s/e.31/w.41/link", dir);
	assert_int_equal(symlink(folder, path), 0);
	assert_int_equal(temp_sweep(dir, NULL, 0, NULL), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(access(file, F_OK), 0);
}

/* What has the name of a folder of ours and is none goes, and what it points at stays. */
static void sweep_removes_a_link_itself(void **state)
{
	char file[SIGNATURES_PATH_MAX], path[TEMP_PATH_MAX];

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(signatures_write(folder, signatures_eicar, file, NULL), 0);
	assert_int_equal(symlink(folder, temp_host_path(dir, 51, path)), 0);
	assert_int_equal(symlink(file, temp_host_path(dir, 52, path)), 0);
	assert_int_equal(symlink("/no/such/place", temp_host_path(dir, 53, path)), 0);
	assert_int_equal(temp_sweep(dir, NULL, 0, NULL), 0);
	assert_int_equal(access(file, F_OK), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void what_was_there_before_makes_way(void **state)
{
	char file[SIGNATURES_PATH_MAX], path[TEMP_PATH_MAX];
	struct stat info;

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(signatures_write(folder, signatures_eicar, file, NULL), 0);
	assert_int_equal(symlink(folder, temp_host_path(dir, 51, path)), 0);
	assert_int_equal(temp_make(path, NULL), 0);
	assert_int_equal(lstat(path, &info), 0);
	assert_int_equal(info.st_mode, S_IFDIR | 0700);
	leave_behind(51, 61);
	assert_int_equal(temp_make(path, NULL), 0);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(access(file, F_OK), 0);
}

static void sizes_are_those_of_the_file_system(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_in_range(temp_size(folder), 1, UINT64_MAX - 1);
	assert_true(temp_size("/no/such/place") == UINT64_MAX);
	assert_int_equal(temp_check_size(folder, 1, 1, &err), 0);
	assert_int_equal(temp_check_size("/no/such/place", 1, UINT64_MAX - 1, &err), 0);
	assert_int_equal(temp_check_size(folder, 1, UINT64_MAX, &err), -1);
	assert_int_equal(temp_check_size(folder, UINT64_MAX / 4, 1, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_non_null(strstr(err.text, folder));
	assert_non_null(strstr(err.text, "scan-size-max"));
}

/* All that is in use may be our own, and what cannot be looked at is not free. */
static void free_is_what_nobody_else_uses(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_false(temp_is_free("/no/such/place", UINT64_MAX));
	assert_int_equal(temp_has_room("/no/such/place", 1, &err), -1);
	/* Everything there in inodes may be others', which this test cannot know. */
	if (temp_is_free(folder, 0))
		assert_true(temp_is_free(folder, UINT64_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_makes_nothing, start, stop),
		cmocka_unit_test_setup_teardown(open_makes_it_for_us_alone, start, stop),
		cmocka_unit_test_setup_teardown(
			what_others_may_enter_is_refused, start, stop),
		cmocka_unit_test_setup_teardown(
			what_is_no_folder_is_refused, start, stop),
		cmocka_unit_test_setup_teardown(
			root_may_look_at_anothers_and_not_use_it, start, stop),
		cmocka_unit_test_setup_teardown(
			a_second_one_is_told_who_holds_it, start, stop),
		cmocka_unit_test_setup_teardown(
			sweep_removes_all_that_dead_hosts_left, start, stop),
		cmocka_unit_test_setup_teardown(sweep_follows_no_link, start, stop),
		cmocka_unit_test_setup_teardown(
			sizes_are_those_of_the_file_system, start, stop),
		cmocka_unit_test_setup_teardown(
			free_is_what_nobody_else_uses, start, stop),
		cmocka_unit_test_setup_teardown(sweep_removes_a_link_itself, start, stop),
		cmocka_unit_test_setup_teardown(
			what_was_there_before_makes_way, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
