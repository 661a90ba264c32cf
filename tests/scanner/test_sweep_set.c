/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"

#include "scanner/sweep_set.h"

static char dir[40];

static struct sweep_set *opened(void)
{
	struct sweep_set *set = NULL;
	struct err err = { 0 };

	if (sweep_set_open(dir, &set, &err) < 0)
		fail_msg("%s", err.text);
	return set;
}

static struct sweep_print print_of(const struct sweep_set *set, uint64_t inode)
{
	struct stat stat = { .st_ino = inode, .st_size = 7 };
	struct hash digest = { { 1 } };
	struct sweep_print print;
	struct err err = { 0 };

	assert_int_equal(sweep_set_print(set, &stat, &digest, false, &print, &err), 0);
	return print;
}

static enum sweep_kind found(
	struct sweep_set *set, uint64_t inode, uint32_t pass, bool *now_r)
{
	struct sweep_print print = print_of(set, inode);
	enum sweep_kind kind;
	struct err err = { 0 };

	assert_int_equal(sweep_set_find(set, &print, pass, &kind, now_r, &err), 0);
	return kind;
}

static void add(
	struct sweep_set *set, uint64_t inode, enum sweep_kind kind, uint32_t pass)
{
	struct sweep_print print = print_of(set, inode);
	struct err err = { 0 };

	if (sweep_set_add(set, &print, kind, pass, &err) < 0)
		fail_msg("%s", err.text);
}

static int start(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/test_sweep_set.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int end(void **state)
{
	struct err err;

	(void)state;
	return file_remove_tree(dir, true, &err);
}

static void what_was_added_is_found_and_nothing_else(void **state)
{
	auto_sweep_set struct sweep_set *set = opened();
	bool now = true;

	(void)state;
	assert_int_equal(found(set, 1, 1, &now), SWEEP_NONE);
	assert_false(now);
	add(set, 1, SWEEP_CLEAN, 1);
	add(set, 2, SWEEP_INFECTED, 1);
	assert_int_equal(found(set, 1, 1, &now), SWEEP_CLEAN);
	assert_true(now);
	assert_int_equal(found(set, 2, 2, &now), SWEEP_INFECTED);
	assert_false(now);
	assert_int_equal(found(set, 3, 1, &now), SWEEP_NONE);
	assert_int_equal(sweep_set_count(set), 2);
}

static void every_part_of_a_file_and_the_signatures_make_another_print(void **state)
{
	auto_sweep_set struct sweep_set *set = opened();
	struct stat base = { .st_ino = 1 }, other[7];
	struct hash digest = { { 1 } }, second = { { 2 } };
	struct sweep_print first, print;
	struct err err;

	(void)state;
	for (size_t i = 0; i < 7; i++)
		other[i] = base;
	other[0].st_dev = 9;
	other[1].st_ino = 9;
	other[2].st_size = 9;
	other[3].st_mtim.tv_sec = 9;
	other[4].st_mtim.tv_nsec = 9;
	other[5].st_ctim.tv_sec = 9;
	other[6].st_ctim.tv_nsec = 9;
	assert_int_equal(sweep_set_print(set, &base, &digest, false, &first, &err), 0);
	for (size_t i = 0; i < 7; i++) {
		assert_int_equal(
			sweep_set_print(set, &other[i], &digest, false, &print, &err), 0);
		assert_memory_not_equal(&print, &first, sizeof(print));
	}
	assert_int_equal(sweep_set_print(set, &base, &second, false, &print, &err), 0);
	assert_memory_not_equal(&print, &first, sizeof(print));
	assert_int_equal(sweep_set_print(set, &base, &digest, true, &print, &err), 0);
	assert_memory_not_equal(&print, &first, sizeof(print));
}

static void it_is_there_when_it_is_opened_again(void **state)
{
	struct sweep_set *set = opened();
	bool now;

	(void)state;
	add(set, 1, SWEEP_UNSCANNABLE, 3);
	sweep_set_close(set);
	set = opened();
	assert_int_equal(sweep_set_count(set), 1);
	assert_int_equal(found(set, 1, 3, &now), SWEEP_UNSCANNABLE);
	assert_true(now);
	sweep_set_close(set);
}

static void two_do_not_open_it_at_once(void **state)
{
	auto_sweep_set struct sweep_set *set = opened();
	struct sweep_set *second = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(sweep_set_open(dir, &second, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_null(second);
	assert_int_equal(sweep_set_count(set), 0);
}

static void it_grows_and_loses_none(void **state)
{
	auto_sweep_set struct sweep_set *set = opened();
	bool now;

	(void)state;
	for (uint64_t i = 1; i <= 20000; i++)
		add(set, i, SWEEP_CLEAN, 1);
	assert_int_equal(sweep_set_count(set), 20000);
	for (uint64_t i = 1; i <= 20000; i++)
		assert_int_equal(found(set, i, 1, &now), SWEEP_CLEAN);
	assert_int_equal(found(set, 20001, 1, &now), SWEEP_NONE);
}

static void those_not_seen_for_two_passes_make_way(void **state)
{
	auto_sweep_set struct sweep_set *set = opened();
	bool now;

	(void)state;
	for (uint64_t i = 1; i <= 1000; i++)
		add(set, i, SWEEP_CLEAN, 1);
	assert_int_equal(found(set, 1, 2, &now), SWEEP_CLEAN);
	/* Enough that it must make room. */
	for (uint64_t i = 1001; i <= 4000; i++)
		add(set, i, SWEEP_CLEAN, 3);
	assert_int_equal(found(set, 1, 3, &now), SWEEP_CLEAN);
	assert_int_equal(found(set, 2, 3, &now), SWEEP_NONE);
	assert_int_equal(sweep_set_count(set), 3001);
}

static void what_was_seen_is_written_when_it_is_flushed(void **state)
{
	struct err err = { 0 };
	bool now;

	(void)state;
	for (uint32_t flushed = 0; flushed < 2; flushed++) {
		uint32_t pass = 10 * (1 + flushed);
		uint64_t from = UINT64_C(100000) * (1 + flushed);
		struct sweep_set *set = opened();

		for (uint64_t i = 1; i <= 1000; i++)
			add(set, from + i, SWEEP_CLEAN, pass);
		for (uint32_t i = 1; i <= 3; i++) {
			for (uint64_t j = 1; j <= 1000; j++)
				assert_int_equal(found(set, from + j, pass + i, &now),
					SWEEP_CLEAN);
			if (flushed)
				assert_int_equal(sweep_set_flush(set, pass + i, &err), 0);
		}
		sweep_set_close(set);
		set = opened();
		/* Enough that it must make room. */
		for (uint64_t i = 1001; i <= 4500; i++)
			add(set, from + i, SWEEP_CLEAN, pass + 4);
		assert_int_equal(found(set, from + 1, pass + 4, &now),
			flushed ? SWEEP_CLEAN : SWEEP_NONE);
		assert_int_equal(found(set, from + 1000, pass + 4, &now),
			flushed ? SWEEP_CLEAN : SWEEP_NONE);
		sweep_set_close(set);
	}
}

/* A process that writes down one pass after another, until it is killed. */
static _Noreturn void end_passes(int ready)
{
	struct sweep_set *set = opened();
	struct err err = { 0 };
	bool now;

	for (uint32_t pass = 2;; pass++) {
		for (uint64_t i = 0; i < 500; i++)
			(void)found(set, i, pass, &now);
		if (pass == 3)
			(void)!write(ready, "", 1);
		if (sweep_set_flush(set, pass, &err) < 0)
			_exit(1);
	}
}

static void a_kill_at_the_end_of_a_pass_loses_nothing(void **state)
{
	struct sweep_set *set = opened();
	bool now;

	(void)state;
	for (uint64_t i = 0; i < 500; i++)
		add(set, i, i % 2 ? SWEEP_CLEAN : SWEEP_INFECTED, 1);
	sweep_set_close(set);
	for (int round = 0; round < 30; round++) {
		int ends[2], status;
		pid_t pid;
		char byte;

		assert_int_equal(pipe(ends), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			end_passes(ends[1]);
		/* It is somewhere in the next ones then. */
		assert_int_equal(read(ends[0], &byte, 1), 1);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, SIGKILL);
		(void)close(ends[0]);
		(void)close(ends[1]);
		set = opened();
		assert_int_equal(sweep_set_count(set), 500);
		for (uint64_t i = 0; i < 500; i++)
			assert_int_equal(found(set, i, 2, &now),
				i % 2 ? SWEEP_CLEAN : SWEEP_INFECTED);
		assert_int_equal(found(set, 501, 2, &now), SWEEP_NONE);
		sweep_set_close(set);
	}
}

/* As on a disk that is full. */
static void files_may_be(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void one_that_cannot_grow_says_so_tries_once_a_pass_and_leaves_nothing(
	void **state)
{
	auto_sweep_set struct sweep_set *set = opened();
	struct sweep_print print;
	char fresh[64];
	bool now;

	(void)state;
	(void)snprintf(fresh, sizeof(fresh), "%s/remembered.new", dir);
	for (uint64_t i = 0; i < 2048; i++)
		add(set, i, SWEEP_CLEAN, 1);
	files_may_be(81920);
	print = print_of(set, 5000);
	for (int i = 0; i < 3; i++) {
		struct err err = { 0 };

		assert_int_equal(sweep_set_add(set, &print, SWEEP_CLEAN, 1, &err), -1);
		assert_non_null(strstr(err.text, "File too large"));
		assert_int_equal(access(fresh, F_OK), -1);
		/* Not even tried: it would be there. */
		assert_int_equal(mkdir(fresh, 0700), 0);
		assert_int_equal(sweep_set_add(set, &print, SWEEP_CLEAN, 1, &err), -1);
		assert_non_null(strstr(err.text, "File too large"));
		assert_int_equal(rmdir(fresh), 0);
	}
	assert_int_equal(found(set, 1, 1, &now), SWEEP_CLEAN);
	files_may_be(RLIM_INFINITY);
	add(set, 5000, SWEEP_CLEAN, 2);
	assert_int_equal(found(set, 5000, 2, &now), SWEEP_CLEAN);
	assert_int_equal(found(set, 1, 2, &now), SWEEP_CLEAN);
}

static void what_is_damaged_is_begun_anew(void **state)
{
	static const char *const damages[] = { "", "MFSWEEP1",
		"something else, and longer" };
	char path[128];
	struct err err = { 0 };
	bool now;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/remembered", dir);
	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		struct sweep_set *set = opened();

		add(set, 1, SWEEP_CLEAN, 1);
		sweep_set_close(set);
		assert_int_equal(file_replace(path, span_str(damages[i]), 0600, &err), 0);
		set = opened();
		assert_int_equal(found(set, 1, 1, &now), SWEEP_NONE);
		sweep_set_close(set);
	}
}

static void one_cut_short_meanwhile_is_an_error_and_not_clean(void **state)
{
	auto_sweep_set struct sweep_set *set = opened();
	struct sweep_print print = print_of(set, 1);
	enum sweep_kind kind = SWEEP_NONE;
	struct err err = { 0 };
	char path[128];
	bool now;

	(void)state;
	add(set, 1, SWEEP_CLEAN, 1);
	(void)snprintf(path, sizeof(path), "%s/remembered", dir);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(sweep_set_find(set, &print, 1, &kind, &now, &err), -1);
	assert_int_equal(kind, SWEEP_NONE);
	assert_int_equal(err.kind, ERR_AGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_was_added_is_found_and_nothing_else, start, end),
		cmocka_unit_test_setup_teardown(
			every_part_of_a_file_and_the_signatures_make_another_print, start,
			end),
		cmocka_unit_test_setup_teardown(
			it_is_there_when_it_is_opened_again, start, end),
		cmocka_unit_test_setup_teardown(two_do_not_open_it_at_once, start, end),
		cmocka_unit_test_setup_teardown(it_grows_and_loses_none, start, end),
		cmocka_unit_test_setup_teardown(
			those_not_seen_for_two_passes_make_way, start, end),
		cmocka_unit_test_setup_teardown(
			what_was_seen_is_written_when_it_is_flushed, start, end),
		cmocka_unit_test_setup_teardown(
			a_kill_at_the_end_of_a_pass_loses_nothing, start, end),
		cmocka_unit_test_setup_teardown(
			one_that_cannot_grow_says_so_tries_once_a_pass_and_leaves_nothing,
			start, end),
		cmocka_unit_test_setup_teardown(
			what_is_damaged_is_begun_anew, start, end),
		cmocka_unit_test_setup_teardown(
			one_cut_short_meanwhile_is_an_error_and_not_clean, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
