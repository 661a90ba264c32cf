/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/defer.h"
#include "common/file.h"

#include "mailfilter/room.h"

static char top[64];

static int setup(void **state)
{
	(void)state;
	(void)snprintf(top, sizeof(top), "/tmp/test_room.XXXXXX");
	return mkdtemp(top) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return file_remove_tree(top, true, NULL);
}

static size_t files(void)
{
	DIR *dir = opendir(top);
	size_t count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	(void)closedir(dir);
	return count - 2; /* "." and ".." */
}

static int ask(const char *path, uint64_t *room_r, struct err *err)
{
	auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return room_ask(fd, path, "probe", room_r, err);
}

static void a_folder_with_room_is_left_as_it_was(void **state)
{
	uint64_t room = 0;

	(void)state;
	assert_int_equal(ask(top, &room, NULL), 0);
	assert_true(room > 0);
	assert_int_equal(files(), 0);
}

static void a_probe_that_a_crash_left_is_in_nobodys_way(void **state)
{
	auto_close int fd = -1;
	char path[100];
	uint64_t room;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/probe", top);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ask(top, &room, NULL), 0);
	assert_int_equal(files(), 0);
}

static void where_nothing_can_be_made_there_is_no_room(void **state)
{
	struct err err = { 0 };
	uint64_t room = 7;

	(void)state;
	/* A folder that takes no file from anybody. */
	assert_int_equal(ask("/proc/self", &room, &err), -1);
	assert_int_equal(room, 7);
	assert_non_null(strstr(err.text, "/proc/self"));
}

static void of_a_file_that_is_not_there_yet_its_folder_is_asked(void **state)
{
	char path[100];
	uint64_t room = 0;
	struct err err = { 0 };

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/mbox", top);
	assert_int_equal(room_of_file(path, &room, NULL), 0);
	assert_true(room > 0);
	assert_int_equal(files(), 0);
	(void)snprintf(path, sizeof(path), "%s/gone/mbox", top);
	assert_int_equal(room_of_file(path, &room, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_folder_with_room_is_left_as_it_was, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_probe_that_a_crash_left_is_in_nobodys_way, setup, teardown),
		cmocka_unit_test_setup_teardown(
			where_nothing_can_be_made_there_is_no_room, setup, teardown),
		cmocka_unit_test_setup_teardown(
			of_a_file_that_is_not_there_yet_its_folder_is_asked, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
