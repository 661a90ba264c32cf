/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/file.h"

#include "mailfilter/account_dir.h"

static char top[64], state_dir[80];

static int setup(void **state)
{
	(void)state;
	(void)strcpy(top, "/tmp/test_account_dir.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	(void)snprintf(state_dir, sizeof(state_dir), "%s/a/state", top);
	return 0;
}

static int teardown(void **state)
{
	struct err err = { 0 };

	(void)state;
	return file_remove_tree(top, true, &err);
}

static void open_makes_the_folders_for_their_owner_alone(void **state)
{
	mode_t old = umask(0);
	struct account_dir dir;
	struct err err = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(account_dir_open(state_dir, "work", &dir, &err), 0);
	assert_int_equal(stat(dir.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(dir.tmp, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	account_dir_close(&dir);
	account_dir_close(&dir);
	(void)umask(old);
}

static void its_sign_stays_however_the_path_is_written_and_differs_from_others(
	void **state)
{
	char links[80], dotted[128];
	const char *const same[] = { state_dir, links, dotted };
	struct account_dir dir;
	struct err err = { 0 };
	char sign[ACCOUNT_SIGN_MAX];

	(void)state;
	(void)snprintf(links, sizeof(links), "%s/link", top);
	(void)snprintf(dotted, sizeof(dotted), "%s/.//", state_dir);
	assert_int_equal(account_dir_open(state_dir, "home", &dir, &err), 0);
	assert_int_equal(strspn(dir.sign, "0123456789abcdef"), 8);
	(void)snprintf(sign, sizeof(sign), "%s", dir.sign);
	account_dir_close(&dir);
	assert_int_equal(symlink(state_dir, links), 0);
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		assert_int_equal(account_dir_open(same[i], "home", &dir, &err), 0);
		assert_string_equal(dir.sign, sign);
		account_dir_close(&dir);
	}
	assert_int_equal(account_dir_open(state_dir, "work", &dir, &err), 0);
	assert_string_not_equal(dir.sign, sign);
	account_dir_close(&dir);
}

static void what_a_killed_worker_left_in_tmp_is_gone(void **state)
{
	struct account_dir dir;
	struct err err = { 0 };
	char path[128];
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		if (account_dir_open(state_dir, "work", &dir, &err) < 0)
			_exit(1);
		(void)snprintf(path, sizeof(path), "%s/spool.x", dir.tmp);
		if (file_replace(path, span_str("x"), 0600, &err) < 0)
			_exit(2);
		(void)raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(account_dir_open(state_dir, "work", &dir, &err), 0);
	assert_int_equal(rmdir(dir.tmp), 0);
	account_dir_close(&dir);
}

static void a_second_instance_is_told_the_pid_and_touches_nothing(void **state)
{
	struct account_dir dir, other;
	struct err err = { 0 };
	char path[128], pid[32];
	struct stat st;

	(void)state;
	assert_int_equal(account_dir_open(state_dir, "work", &dir, &err), 0);
	(void)snprintf(path, sizeof(path), "%s/spool.x", dir.tmp);
	assert_int_equal(file_replace(path, span_str("x"), 0600, &err), 0);
	assert_int_equal(account_dir_open(state_dir, "work", &other, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	(void)snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
	assert_non_null(strstr(err.text, pid));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(account_dir_open(state_dir, "home", &other, &err), 0);
	account_dir_close(&other);
	account_dir_close(&dir);
}

static void names_that_leave_the_state_dir_are_refused(void **state)
{
	static const char *const bad[] = { "", ".", "..", "a/b", "/etc", ".hidden" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct account_dir dir;
		struct err err = { 0 };

		assert_int_equal(account_dir_open(state_dir, bad[i], &dir, &err), -1);
		assert_int_equal(err.kind, ERR_SETTINGS);
	}
}

static void links_and_open_folders_are_refused(void **state)
{
	struct account_dir dir;
	struct err err = { 0 };
	char path[128];

	(void)state;
	assert_int_equal(file_mkdirs(state_dir, 0700, &err), 0);
	(void)snprintf(path, sizeof(path), "%s/work", state_dir);
	assert_int_equal(symlink(top, path), 0);
	assert_int_equal(account_dir_open(state_dir, "work", &dir, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(account_dir_open(state_dir, "work", &dir, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	assert_int_equal(chmod(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/work/tmp", state_dir);
	assert_int_equal(symlink("/etc", path), 0);
	assert_int_equal(account_dir_open(state_dir, "work", &dir, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
}

static void a_folder_in_memory_is_warned_of(void **state)
{
	struct account_dir dir;
	struct err err = { 0 };
	char place[64] = "/dev/shm/test_account_dir.XXXXXX", text[512] = "";

	(void)state;
	if (!mkdtemp(place))
		skip();
	assert_int_equal(account_dir_open(place, "work", &dir, &err), 0);
	assert_true(account_dir_is_volatile(&dir, text, sizeof(text)));
	assert_non_null(strstr(text, "state-dir"));
	account_dir_close(&dir);
	assert_int_equal(file_remove_tree(place, true, &err), 0);
}

static void another_file_system_is_not_warned_of(void **state)
{
	struct account_dir dir = { .path = (char[]){ "/proc" }, .lock = -1 };
	char text[512] = "before";

	(void)state;
	assert_false(account_dir_is_volatile(&dir, text, sizeof(text)));
	assert_string_equal(text, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void one_at_work_is_seen_without_its_lock(void **state)
{
	static const struct {
		const char *lock;
		bool busy;
	} cases[] = { { "", false }, { "nonsense\n", false }, { "0\n", false },
		{ "-1\n", false }, { "99999999999999999999\n", false } };
	struct account_dir dir;
	struct err err = { 0 };
	char path[160], text[32];
	pid_t ended;

	(void)state;
	assert_false(account_dir_is_busy("/nonexistent"));
	assert_int_equal(account_dir_open(state_dir, "busy", &dir, &err), 0);
	assert_true(account_dir_is_busy(dir.path));
	(void)snprintf(path, sizeof(path), "%s/lock", dir.path);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(
			file_replace(path, span_str(cases[i].lock), 0600, &err), 0);
		assert_int_equal(account_dir_is_busy(dir.path), cases[i].busy);
	}
	ended = fork();
	if (ended == 0)
		_exit(0);
	assert_int_equal(waitpid(ended, NULL, 0), ended);
	(void)snprintf(text, sizeof(text), "%ld\n", (long)ended);
	assert_int_equal(file_replace(path, span_str(text), 0600, &err), 0);
	assert_false(account_dir_is_busy(dir.path));
	account_dir_close(&dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(its_sign_stays_however_the_path_is_written_and_differs_from_others),
		TEST(open_makes_the_folders_for_their_owner_alone),
		TEST(what_a_killed_worker_left_in_tmp_is_gone),
		TEST(a_second_instance_is_told_the_pid_and_touches_nothing),
		TEST(names_that_leave_the_state_dir_are_refused),
		TEST(links_and_open_folders_are_refused),
		cmocka_unit_test(a_folder_in_memory_is_warned_of),
		cmocka_unit_test(another_file_system_is_not_warned_of),
		cmocka_unit_test(one_at_work_is_seen_without_its_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
