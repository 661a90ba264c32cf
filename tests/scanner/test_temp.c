/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"

#include "scanner/signatures.h"
#include "scanner/temp.h"

static char dir[64];

static int setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/test-temp-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return file_remove_tree(dir, true, NULL);
}

static const char *in_dir(const char *name, char path_r[static TEMP_PATH_MAX])
{
	(void)snprintf(path_r, TEMP_PATH_MAX, "%s/%s", dir, name);
	return path_r;
}

static bool exists(const char *path)
{
	struct stat info;

	return lstat(path, &info) == 0;
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
	int lock = -1;

	(void)state;
	assert_int_equal(temp_open(dir, &lock, NULL), 0);
	leave_behind(11, 21);
	leave_behind(12, 22);
	assert_int_equal(temp_sweep(dir, keep, 2, NULL), 0);
	assert_false(exists(temp_host_path(dir, 11, path)));
	assert_true(exists(temp_worker_path(dir, 12, 22, path)));
	assert_int_equal(temp_sweep(dir, NULL, 0, NULL), 0);
	assert_false(exists(temp_host_path(dir, 12, path)));
	assert_true(exists(in_dir("lock", path)));
	assert_int_equal(close(lock), 0);
	assert_int_equal(unlink(path), 0);
	/* That was all. */
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
}

/* A worker that was taken over may leave anything. */
static void sweep_follows_no_link(void **state)
{
	char kept[TEMP_PATH_MAX], file[SIGNATURES_PATH_MAX], path[TEMP_PATH_MAX];

	(void)state;
	assert_int_equal(mkdir(in_dir("kept", kept), 0700), 0);
	assert_int_equal(signatures_write(kept, signatures_eicar, file, NULL), 0);
	leave_behind(32, 42);
	assert_int_equal(symlink(kept, in_dir("e.32/w.42/link", path)), 0);
	assert_int_equal(temp_sweep(dir, NULL, 0, NULL), 0);
	assert_false(exists(in_dir("e.32", path)));
	assert_true(exists(file));
}

static void a_folder_open_to_others_is_refused(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(chmod(dir, 0750), 0);
	assert_int_equal(temp_check(dir, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_non_null(strstr(err.text, "chmod 0700"));
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(temp_check(dir, &err), 0);
}

static void one_scanner_has_the_folder(void **state)
{
	struct err err = { 0 };
	int lock = -1, second = -1;

	(void)state;
	assert_int_equal(temp_open(dir, &lock, &err), 0);
	assert_int_equal(temp_open(dir, &second, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_int_equal(second, -1);
	assert_int_equal(close(lock), 0);
}

static void room_that_no_disk_has_is_refused(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(temp_has_room(dir, 1, &err), 0);
	assert_int_equal(temp_has_room(dir, UINT64_MAX, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			sweep_removes_all_that_dead_hosts_left, setup, teardown),
		cmocka_unit_test_setup_teardown(sweep_follows_no_link, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_folder_open_to_others_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_scanner_has_the_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(
			room_that_no_disk_has_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
