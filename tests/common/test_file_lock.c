/* SPDX-License-Identifier: ISC */
#include "tests/common/filed.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static void lock_held_by_another_names_its_pid(void **state)
{
	struct place *place = *state;
	struct err err = { 0 };
	char pid[32];
	pid_t child;
	int fd = -1, status;

	assert_int_equal(file_lock(in(place, "lock"), &fd, &err), 0);
	assert_true(file_lock_pid(place->path, &child));
	assert_int_equal(child, getpid());
	assert_false(file_lock_pid(in(place, "none"), &child));
	put(in(place, "odd"), "-1\n");
	assert_false(file_lock_pid(place->path, &child));
	(void)in(place, "lock");
	(void)snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		int other = -1;

		if (file_lock(place->path, &other, &err) != -1 || err.kind != ERR_AGAIN)
			_exit(1);
		_exit(strstr(err.text, pid) ? 0 : 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	(void)close(fd);
	assert_int_equal(file_lock(place->path, &fd, &err), 0);
	(void)close(fd);
}

static void lock_of_a_killed_process_is_free(void **state)
{
	struct place *place = *state;
	struct err err = { 0 };
	int fd = -1, status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		if (file_lock(in(place, "lock"), &fd, &err) < 0)
			_exit(1);
		(void)raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(file_lock(in(place, "lock"), &fd, &err), 0);
	(void)close(fd);
}

static void lock_follows_no_link(void **state)
{
	struct place *place = *state;
	struct err err = { 0 };
	char victim[128];
	int fd = -1;

	(void)snprintf(victim, sizeof(victim), "%s", in(place, "victim"));
	put(victim, "precious");
	assert_int_equal(symlink(victim, in(place, "lock")), 0);
	assert_int_equal(file_lock(place->path, &fd, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	holds(victim, "precious");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lock_held_by_another_names_its_pid),
		TEST(lock_of_a_killed_process_is_free),
		TEST(lock_follows_no_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
