/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "common/clock.h"
#include "common/file.h"

#include "mailfilter/mbox_lock.h"
#include "mailfilter/stream.h"

#include "tests/deny.h"

enum {
	SHORT_MS = 250
};

static char top[64], box[80], dotlock[96];

static int setup(void **state)
{
	(void)state;
	(void)strcpy(top, "/tmp/test_lock.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	(void)snprintf(box, sizeof(box), "%s/box", top);
	(void)snprintf(dotlock, sizeof(dotlock), "%s.lock", box);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return file_remove_tree(top, true, NULL);
}

static int lock_it(struct mbox_lock *lock, struct err *err)
{
	return mbox_lock_open(box, true, SHORT_MS, &stream_wait_plain, lock, err);
}

static void write_dotlock(const char *text)
{
	assert_int_equal(file_replace(dotlock, span_str(text), 0600, NULL), 0);
}

static unsigned others_than_box(void)
{
	auto_closedir DIR *list = opendir(top);
	struct dirent *entry;
	unsigned count = 0;

	assert_non_null(list);
	while ((entry = readdir(list)))
		count += entry->d_name[0] != '.' && strcmp(entry->d_name, "box") != 0;
	return count;
}

/* The pid of a process that has ended and was waited for. */
static pid_t dead_pid(void)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	return child;
}

static void both_locks_are_held_and_let_go(void **state)
{
	struct flock probe = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct mbox_lock lock;
	char expected[32];
	auto_buf struct buf text;
	pid_t child;
	int status = -1;

	(void)state;
	assert_int_equal(lock_it(&lock, NULL), 0);
	buf_init(&text, 100);
	assert_int_equal(file_read(dotlock, 100, &text, NULL), 0);
	(void)snprintf(expected, sizeof(expected), "%ld\n", (long)getpid());
	assert_true(span_equal(buf_span(&text), span_str(expected)));
	child = fork();
	if (child == 0) {
		int fd = open(box, O_RDWR | O_CLOEXEC);

		_exit(fcntl(fd, F_GETLK, &probe) == 0 && probe.l_type == F_WRLCK &&
					probe.l_pid == getppid()
				? 0
				: 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	mbox_lock_close(&lock);
	assert_int_equal(access(dotlock, F_OK), -1);
	assert_int_equal(lock_it(&lock, NULL), 0);
	mbox_lock_close(&lock);
	mbox_lock_close(&lock);
}

static void a_lock_that_others_hold_is_waited_for_and_named(void **state)
{
	struct mbox_lock lock;
	struct err err = { 0 };
	const int64_t from_ms = clock_ms();
	char says[64];

	(void)state;
	(void)snprintf(says, sizeof(says), "%ld\n", (long)getppid());
	write_dotlock(says);
	assert_int_equal(lock_it(&lock, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	(void)snprintf(says, sizeof(says), "its .lock (process %ld)", (long)getppid());
	assert_non_null(strstr(err.text, says));
	assert_in_range(clock_ms() - from_ms, SHORT_MS - 10, 20 * SHORT_MS);
	/* It is theirs still. */
	assert_int_equal(access(dotlock, F_OK), 0);
}

static void a_process_with_the_fcntl_lock_is_waited_for(void **state)
{
	struct mbox_lock lock;
	struct err err = { 0 };
	int ready[2], go[2];
	char says[64], byte = 0;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	child = fork();
	if (child == 0) {
		bool done = lock_it(&lock, NULL) == 0;

		/* Without the other lock, so that this one is met. */
		done = done && unlink(dotlock) == 0 && write(ready[1], &byte, 1) == 1 &&
		       read(go[0], &byte, 1) == 1;
		_exit(done ? 0 : 1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(lock_it(&lock, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	(void)snprintf(says, sizeof(says), "is locked by process %ld", (long)child);
	assert_non_null(strstr(err.text, says));
	assert_int_equal(access(dotlock, F_OK), -1);
	assert_int_equal(write(go[1], &byte, 1), 1);
	/* It ends, and its lock with it. */
	assert_int_equal(
		mbox_lock_open(box, true, 20000, &stream_wait_plain, &lock, NULL), 0);
	mbox_lock_close(&lock);
	assert_int_equal(waitpid(child, NULL, 0), child);
	for (int i = 0; i < 2; i++) {
		(void)close(ready[i]);
		(void)close(go[i]);
	}
}

static void a_stale_lock_is_removed_by_the_rules_and_no_other(void **state)
{
	static const struct {
		const char *text;
		int64_t age_s;
		bool stale;
	} cases[] = {
		{ "", 0, false },
		{ "", 2000, true },
		{ "0", 0, false },
		{ "0", 2000, true },
		{ "host 17", 0, false },
		{ "99999999999999999999", 0, false },
		{ "1\n", 0, false },
		{ "1\n", 1000, false },
		{ "1\n", 1030, true },
	};
	struct mbox_lock lock;
	char text[32];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct timespec times[2] = { { .tv_sec = clock_wall_s() -
							 cases[i].age_s },
			{ .tv_sec = clock_wall_s() - cases[i].age_s } };

		write_dotlock(cases[i].text);
		assert_int_equal(utimensat(AT_FDCWD, dotlock, times, 0), 0);
		assert_int_equal(lock_it(&lock, NULL), cases[i].stale ? 0 : -1);
		if (cases[i].stale)
			mbox_lock_close(&lock);
	}
	(void)snprintf(text, sizeof(text), "%ld\n", (long)dead_pid());
	write_dotlock(text);
	assert_int_equal(lock_it(&lock, NULL), 0);
	mbox_lock_close(&lock);
	/* One of our own, which a disk in trouble did not let us remove. */
	(void)snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	write_dotlock(text);
	assert_int_equal(lock_it(&lock, NULL), 0);
	mbox_lock_close(&lock);
	assert_int_equal(others_than_box(), 0);
}

/* Lock it in a process where writing a file fails, or kills. How it ended. */
static int lock_where_writing_fails(bool kills)
{
	const struct rlimit none = { 0 };
	int status = -1;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct mbox_lock lock;
		struct err err = { 0 };

		(void)signal(SIGXFSZ, kills ? SIG_DFL : SIG_IGN);
		_exit(setrlimit(RLIMIT_CORE, &none) == 0 &&
					setrlimit(RLIMIT_FSIZE, &none) == 0 &&
					lock_it(&lock, &err) < 0 && err.kind == ERR_AGAIN
				? 0
				: 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void a_process_killed_before_it_wrote_its_pid_holds_no_lock(void **state)
{
	struct mbox_lock lock;
	int status;

	(void)state;
	status = lock_where_writing_fails(true);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
	assert_int_equal(access(dotlock, F_OK), -1);
	assert_int_equal(lock_it(&lock, NULL), 0);
	mbox_lock_close(&lock);
	assert_int_equal(others_than_box(), 0);
}

static void a_lock_whose_pid_cannot_be_written_leaves_nothing(void **state)
{
	int status;

	(void)state;
	status = lock_where_writing_fails(false);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(others_than_box(), 0);
}

static void a_process_killed_with_both_names_of_its_lock_holds_none(void **state)
{
	struct mbox_lock lock;
	char text[32], half[112];

	(void)state;
	(void)snprintf(text, sizeof(text), "%ld\n", (long)dead_pid());
	(void)snprintf(half, sizeof(half), "%s.new", dotlock);
	write_dotlock(text);
	assert_int_equal(link(dotlock, half), 0);
	assert_int_equal(lock_it(&lock, NULL), 0);
	assert_int_equal(access(half, F_OK), -1);
	mbox_lock_close(&lock);
	assert_int_equal(others_than_box(), 0);
}

static void where_there_are_no_hard_links_it_is_locked_all_the_same(void **state)
{
	int status = -1;
	pid_t child = fork();

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		struct mbox_lock lock, second;
		char text[32];
		bool done = deny(SYS_linkat, 0, EPERM) && lock_it(&lock, NULL) == 0 &&
			    access(dotlock, F_OK) == 0 && others_than_box() == 1;

		mbox_lock_close(&lock);
		done = done && others_than_box() == 0;
		/* And not over another's. */
		(void)snprintf(text, sizeof(text), "%ld\n", (long)getppid());
		write_dotlock(text);
		done = done && lock_it(&second, NULL) < 0 && others_than_box() == 1;
		_exit(done ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void without_make_a_missing_mailbox_stays_missing(void **state)
{
	struct mbox_lock lock = { .fd = -1 };

	(void)state;
	assert_int_equal(
		mbox_lock_open(box, false, SHORT_MS, &stream_wait_plain, &lock, NULL), 1);
	assert_int_equal(access(box, F_OK), -1);
	assert_int_equal(access(dotlock, F_OK), -1);
}

static void a_lock_made_by_another_meanwhile_is_not_removed(void **state)
{
	struct mbox_lock lock;

	(void)state;
	assert_int_equal(lock_it(&lock, NULL), 0);
	write_dotlock("1\n");
	mbox_lock_close(&lock);
	assert_int_equal(access(dotlock, F_OK), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(both_locks_are_held_and_let_go),
		TEST(a_lock_that_others_hold_is_waited_for_and_named),
		TEST(a_process_with_the_fcntl_lock_is_waited_for),
		TEST(a_stale_lock_is_removed_by_the_rules_and_no_other),
		TEST(a_process_killed_before_it_wrote_its_pid_holds_no_lock),
		TEST(a_lock_whose_pid_cannot_be_written_leaves_nothing),
		TEST(a_process_killed_with_both_names_of_its_lock_holds_none),
		TEST(where_there_are_no_hard_links_it_is_locked_all_the_same),
		TEST(without_make_a_missing_mailbox_stays_missing),
		TEST(a_lock_made_by_another_meanwhile_is_not_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
