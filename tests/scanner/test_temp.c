/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
