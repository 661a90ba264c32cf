/* SPDX-License-Identifier: ISC
 *
 * Temp space and disks, in a file system that is small enough to be filled. */
#include "tests/scanner/checked.h"

#include <sched.h>
#include <sys/mount.h>

/* A file system of so many bytes and files, for this process alone. */
static bool mount_small(const char *path, const char *options)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("none", path, "tmpfs", 0, options) == 0;
}

static void fill(const char *path, size_t bytes)
{
	static const char zeros[65536];
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	for (size_t at = 0; at < bytes; at += sizeof(zeros))
		if (write(fd, zeros, sizeof(zeros)) <= 0)
			return;
}

static void temp_space_that_is_full_is_told_of_until_it_is_not(void **state)
{
	char path[CHECKED_PATH];
	struct checked at;

	(void)state;
	checked_start(&at);
	if (!mount_small(at.folder, "size=4m,nr_inodes=100")) {
		checked_stop(&at);
		skip();
	}
	limit_is(&at, "temp-left 3M 1M");
	says(&at, check_space, CHECK_CRITICAL, "files is left");
	at.settings.check_limits.count = 2;
	at.limits[1] = strdup("temp-files 50 20");
	assert_non_null(at.limits[1]);
	says(&at, check_space, CHECK_OK, "4 of 4 MB are left");
	fill(in_folder(&at, "a", path), 2 << 20);
	says(&at, check_space, CHECK_WARNING, "2 of 4 MB are left");
	fill(in_folder(&at, "b", path), 8 << 20);
	says(&at, check_space, CHECK_CRITICAL, "0 of 4 MB are left");
	assert_int_equal(unlink(in_folder(&at, "b", path)), 0);
	assert_int_equal(unlink(in_folder(&at, "a", path)), 0);
	says(&at, check_space, CHECK_OK, "4 of 4 MB are left");
	for (int i = 0; i < 90; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "%d", i);
		fill(in_folder(&at, name, path), 0);
		if (i == 60)
			says(&at, check_space, CHECK_WARNING, "files is left");
	}
	says(&at, check_space, CHECK_CRITICAL, "files is left");
	for (int i = 0; i < 90; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(unlink(in_folder(&at, name, path)), 0);
	}
	says(&at, check_space, CHECK_OK, "4 of 4 MB are left");
	free(at.limits[1]);
	assert_int_equal(umount(at.folder), 0);
	checked_stop(&at);
}

static void a_disk_that_is_full_is_told_of_until_it_is_not(void **state)
{
	char path[CHECKED_PATH], metrics[CHECKED_PATH];
	struct checked at;

	(void)state;
	checked_start(&at);
	if (!mount_small(at.folder, "size=4m")) {
		checked_stop(&at);
		skip();
	}
	limit_is(&at, "disk-left 3M 1M");
	says(&at, check_disk, CHECK_OK, "4 MB are left where least is");
	fill(in_folder(&at, "a", path), 2 << 20);
	says(&at, check_disk, CHECK_WARNING, "2 MB are left for new signatures");
	fill(in_folder(&at, "b", path), 8 << 20);
	says(&at, check_disk, CHECK_CRITICAL, "0 MB are left for new signatures");
	at.signatures[0] = at.test;
	says(&at, check_disk, CHECK_OK, "nothing is written");
	at.settings.sweep.count = 1;
	at.settings.sweep_state = at.folder;
	says(&at, check_disk, CHECK_CRITICAL, "for what the sweep remembers");
	at.settings.sweep.count = 0;
	at.settings.metrics_file = in_folder(&at, "x.prom", metrics);
	says(&at, check_disk, CHECK_CRITICAL, "0 MB are left for the metrics");
	assert_int_equal(unlink(in_folder(&at, "b", path)), 0);
	assert_int_equal(unlink(in_folder(&at, "a", path)), 0);
	says(&at, check_disk, CHECK_OK, "4 MB are left where least is");
	/* Nobody writes there. */
	assert_int_equal(mount("none", at.folder, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	says(&at, check_disk, CHECK_OK, "nothing is written");
	assert_int_equal(umount(at.folder), 0);
	checked_stop(&at);
}

static void a_temp_folder_that_is_gone_is_critical(void **state)
{
	char path[CHECKED_PATH];
	struct checked at;

	(void)state;
	checked_start(&at);
	at.settings.temp_dir = in_folder(&at, "gone", path);
	says(&at, check_space, CHECK_CRITICAL, "No such file or directory: mail waits");
	checked_stop(&at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(temp_space_that_is_full_is_told_of_until_it_is_not),
		cmocka_unit_test(a_disk_that_is_full_is_told_of_until_it_is_not),
		cmocka_unit_test(a_temp_folder_that_is_gone_is_critical),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
