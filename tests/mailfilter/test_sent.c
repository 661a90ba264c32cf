/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/file.h"

#include "mailfilter/sent.h"

#include "tests/deny.h"

static char top[64], path[96];

static int setup(void **state)
{
	(void)state;
	(void)strcpy(top, "/tmp/test_sent.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/sent.journal", top);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return file_remove_tree(top, true, NULL);
}

static void open_it(struct sent *sent)
{
	struct err err = { 0 };

	if (sent_open(top, sent, &err) < 0)
		fail_msg("%s", err.text);
}

static void what_was_noted_is_known_to_the_next_run(void **state)
{
	struct sent sent;
	struct stat st;

	(void)state;
	open_it(&sent);
	assert_int_equal(sent_note(&sent, "one", NULL), 0);
	assert_int_equal(sent_note(&sent, "two", NULL), 0);
	assert_int_equal(sent_note_doubt(&sent, "three", 1000, NULL), 0);
	assert_int_equal(sent_note_doubt(&sent, "three", 2000, NULL), 0);
	assert_int_equal(sent_note_doubt(&sent, "four", 3000, NULL), 0);
	assert_int_equal(sent_note(&sent, "four", NULL), 0);
	sent_forget(&sent, "one");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	sent_close(&sent);
	/* One that was forgotten may come back: the record knows it. */
	open_it(&sent);
	assert_true(names_have(&sent.names, "two"));
	assert_true(names_have(&sent.names, "four"));
	assert_null(sent_find_doubt(&sent, "four"));
	assert_int_equal(sent_find_doubt(&sent, "three")->count, 2);
	assert_int_equal(sent_find_doubt(&sent, "three")->last_s, 2000);
	sent_close(&sent);
}

/* As long as one is in doubt the file is never empty, and what was forgotten stays in it. */
static void a_file_that_grows_is_written_anew_before_it_is_too_long_to_read(void **state)
{
	static const char line[] = "sent of-yesterday\n";
	struct sent sent;
	struct stat st;
	FILE *file;

	(void)state;
	open_it(&sent);
	assert_int_equal(sent_note_doubt(&sent, "three", 1000, NULL), 0);
	file = fopen(path, "a");
	assert_non_null(file);
	for (size_t i = 0; i < SENT_BYTES_MAX - 100; i += sizeof(line) - 1)
		assert_true(fputs(line, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(sent_note(&sent, "one", NULL), 0);
	assert_int_equal(sent_note_doubt(&sent, "three", 2000, NULL), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_in_range(st.st_size, 1, 1000);
	sent_close(&sent);
	open_it(&sent);
	assert_true(names_have(&sent.names, "one"));
	assert_false(names_have(&sent.names, "of-yesterday"));
	assert_int_equal(sent_find_doubt(&sent, "three")->count, 2);
	sent_close(&sent);
}

static void with_the_last_one_forgotten_the_file_is_empty(void **state)
{
	struct sent sent;
	struct stat st;

	(void)state;
	open_it(&sent);
	assert_int_equal(sent_note(&sent, "one", NULL), 0);
	assert_int_equal(sent_note(&sent, "two", NULL), 0);
	sent_forget(&sent, "two");
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > 0);
	sent_forget(&sent, "one");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 0);
	sent_close(&sent);
}

static void what_is_torn_or_foreign_counts_for_nothing(void **state)
{
	static const char text[] =
		"sent\nsent \n\nbogus name\ndoubt d\ndoubt d x 1\n"
		"doubt d 5 0\ndoubt d 5 -1\nsent a\ndoubt e 7 3\nsent tor";
	struct sent sent;

	(void)state;
	assert_int_equal(file_replace(path, span_str(text), 0600, NULL), 0);
	open_it(&sent);
	assert_int_equal(sent.names.count, 1);
	assert_true(names_have(&sent.names, "a"));
	assert_int_equal(sent.doubt_count, 1);
	assert_int_equal(sent_note(&sent, "b", NULL), 0);
	sent_close(&sent);
	/* The torn line is gone, not joined with the next one. */
	open_it(&sent);
	assert_int_equal(sent.names.count, 2);
	assert_true(names_have(&sent.names, "b"));
	sent_close(&sent);
}

static void a_long_line_does_not_become_two(void **state)
{
	char text[1000];
	struct sent sent;

	(void)state;
	(void)snprintf(text, sizeof(text), "sent %0500d sent x\n", 7);
	assert_int_equal(file_replace(path, span_str(text), 0600, NULL), 0);
	open_it(&sent);
	assert_int_equal(sent.names.count, 0);
	sent_close(&sent);
}

static void the_oldest_doubts_are_forgotten_first(void **state)
{
	struct sent sent;
	char name[32];

	(void)state;
	open_it(&sent);
	(void)close(sent.fd);
	/* Without a sync each: the file is looked at after the next start. */
	for (int i = 0; i < SENT_DOUBTS_MAX + 5; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		sent.fd = -1;
		(void)sent_note_doubt(&sent, name, i, NULL);
	}
	assert_int_equal(sent.doubt_count, SENT_DOUBTS_MAX);
	assert_null(sent_find_doubt(&sent, "4"));
	assert_non_null(sent_find_doubt(&sent, "5"));
	assert_int_equal(sent_catch_up(&sent, NULL), 0);
	sent_close(&sent);
	open_it(&sent);
	assert_int_equal(sent.doubt_count, SENT_DOUBTS_MAX);
	sent_close(&sent);
}

static void what_could_not_be_written_is_made_good_later(void **state)
{
	struct rlimit old, none;
	struct sent sent;
	struct err err = { 0 };

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	open_it(&sent);
	assert_int_equal(sent_note(&sent, "one", NULL), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	none = (struct rlimit){ 11, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(sent_note(&sent, "two", &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_true(names_have(&sent.names, "two"));
	assert_int_equal(sent_catch_up(&sent, &err), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(sent_catch_up(&sent, &err), 0);
	sent_close(&sent);
	open_it(&sent);
	assert_true(names_have(&sent.names, "one"));
	assert_true(names_have(&sent.names, "two"));
	sent_close(&sent);
}

static void a_failed_sync_is_an_error(void **state)
{
	pid_t child = fork();
	int status = -1;

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		struct sent sent;
		struct err err = { 0 };

		open_it(&sent);
		if (!deny(SYS_fdatasync, 0, EIO))
			_exit(1);
		_exit(sent_note(&sent, "one", &err) < 0 && err.kind == ERR_AGAIN &&
					sent.behind
				? 0
				: 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_noted_is_known_to_the_next_run),
		TEST(a_file_that_grows_is_written_anew_before_it_is_too_long_to_read),
		TEST(with_the_last_one_forgotten_the_file_is_empty),
		TEST(what_is_torn_or_foreign_counts_for_nothing),
		TEST(a_long_line_does_not_become_two),
		TEST(the_oldest_doubts_are_forgotten_first),
		TEST(what_could_not_be_written_is_made_good_later),
		TEST(a_failed_sync_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
