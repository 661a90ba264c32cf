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

#include "common/file.h"
#include "common/filebatch.h"

#include "tests/deny.h"

static char dir[64];
static struct filebatch batch;

static int setup(void **state)
{
	struct err err = { 0 };
	int fd = -1;

	(void)state;
	(void)strcpy(dir, "/tmp/test_filebatch.XXXXXX");
	if (!mkdtemp(dir) || file_open_dir(dir, &fd, &err) < 0)
		return -1;
	filebatch_init(&batch, fd, dir);
	return 0;
}

static int teardown(void **state)
{
	struct err err = { 0 };

	(void)state;
	filebatch_done(&batch);
	(void)close(batch.dirfd);
	return file_remove_tree(dir, true, &err);
}

static int add(const char *name, const char *text, struct err *err)
{
	auto_body struct body body;

	body_init(&body, dir, 1000);
	assert_int_equal(body_add(&body, span_str(text), err), 0);
	return filebatch_add(&batch, name, &body, err);
}

static void add_many(unsigned count)
{
	struct err err = { 0 };
	char name[32];

	for (unsigned i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "file-%u", i);
		assert_int_equal(add(name, name, &err), 0);
	}
}

static unsigned files(void)
{
	auto_closedir DIR *list = opendir(dir);
	struct dirent *entry;
	unsigned count = 0;

	while ((entry = readdir(list)))
		if (entry->d_name[0] != '.')
			count++;
	return count;
}

/* Descriptors open in this process. */
static unsigned descriptors(void)
{
	auto_closedir DIR *list = opendir("/proc/self/fd");
	unsigned count = 0;

	while (readdir(list))
		count++;
	return count;
}

static const unsigned sizes[] = { 0, 1, FILEBATCH_SINGLY_MAX - 1, FILEBATCH_SINGLY_MAX,
	100 };

static void synced_files_hold_their_bytes_and_no_descriptor(void **state)
{
	const unsigned before = descriptors();

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct err err = { 0 };
		auto_buf struct buf content;
		char path[128];
		struct stat st;

		buf_init(&content, 100);
		add_many(sizes[i]);
		assert_true(descriptors() < before + FILEBATCH_SINGLY_MAX);
		assert_int_equal(filebatch_sync(&batch, &err), 0);
		assert_int_equal(descriptors(), before);
		assert_int_equal(batch.count, sizes[i]);
		assert_int_equal(files(), sizes[i]);
		if (sizes[i] == 0)
			continue;
		(void)snprintf(path, sizeof(path), "%s/file-%u", dir, sizes[i] - 1);
		assert_int_equal(file_read(path, 100, &content, &err), 0);
		assert_true(
			span_equal(buf_span(&content), span_str(strrchr(path, '/') + 1)));
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		filebatch_discard(&batch);
		assert_int_equal(files(), 0);
	}
}

static void a_name_that_is_there_is_refused_and_left_alone(void **state)
{
	struct err err = { 0 };
	auto_buf struct buf content;
	char path[128], victim[128];

	(void)state;
	buf_init(&content, 100);
	(void)snprintf(path, sizeof(path), "%s/link", dir);
	(void)snprintf(victim, sizeof(victim), "%s/victim", dir);
	assert_int_equal(file_replace(victim, span_str("precious"), 0600, &err), 0);
	assert_int_equal(symlink(victim, path), 0);
	assert_int_equal(add("link", "x", &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_int_equal(add("victim", "x", &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_int_equal(batch.count, 0);
	filebatch_discard(&batch);
	assert_int_equal(file_read(victim, 100, &content, &err), 0);
	assert_true(span_equal(buf_span(&content), span_str("precious")));
}

static void one_may_be_taken_back_and_the_others_stay(void **state)
{
	struct err err = { 0 };

	(void)state;
	for (size_t i = 1; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		add_many(sizes[i]);
		filebatch_remove(&batch, "file-0");
		filebatch_remove(&batch, "none");
		assert_int_equal(batch.count, sizes[i] - 1);
		assert_int_equal(filebatch_sync(&batch, &err), 0);
		assert_int_equal(files(), sizes[i] - 1);
		filebatch_discard(&batch);
	}
}

static void a_cleared_batch_leaves_its_files(void **state)
{
	struct err err = { 0 };

	(void)state;
	add_many(3);
	assert_int_equal(filebatch_sync(&batch, &err), 0);
	filebatch_clear(&batch);
	filebatch_discard(&batch);
	assert_int_equal(files(), 3);
}

static void too_long_a_name_is_refused(void **state)
{
	char name[FILEBATCH_NAME_MAX + 1];
	struct err err = { 0 };

	(void)state;
	memset(name, 'x', FILEBATCH_NAME_MAX);
	name[FILEBATCH_NAME_MAX] = '\0';
	assert_int_equal(add(name, "x", &err), -1);
	name[FILEBATCH_NAME_MAX - 1] = '\0';
	assert_int_equal(add(name, "x", &err), 0);
}

static int without_space(void)
{
	struct rlimit limit = { 5, RLIM_INFINITY };
	struct err err = { 0 };

	(void)signal(SIGXFSZ, SIG_IGN);
	if (add("before", "12345", &err) < 0 || setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return 1;
	if (add("long", "123456", &err) == 0 || err.kind != ERR_AGAIN || files() != 1)
		return 2;
	if (add("after", "1", &err) < 0 || filebatch_sync(&batch, &err) < 0)
		return 3;
	return files() == 2 ? 0 : 4;
}

static int on_a_bad_disk(unsigned count)
{
	struct err err = { 0 };

	if (!deny(SYS_fdatasync, 0, EIO) || !deny(SYS_syncfs, 0, EIO))
		return 1;
	add_many(count);
	if (filebatch_sync(&batch, &err) == 0 || err.kind != ERR_AGAIN)
		return 2;
	filebatch_discard(&batch);
	return files() == 0 ? 0 : 3;
}

static int with_few_on_a_bad_disk(void)
{
	return on_a_bad_disk(2);
}

static int with_many_on_a_bad_disk(void)
{
	return on_a_bad_disk(FILEBATCH_SINGLY_MAX);
}

/* A file server that reports a full disk only when the file is closed. */
static int when_close_fails(void)
{
	struct err err = { 0 };

	add_many(FILEBATCH_SINGLY_MAX - 1);
	if (!deny(SYS_close, 0, ENOSPC))
		return 1;
	if (add("last", "x", &err) < 0)
		return 2;
	return filebatch_sync(&batch, &err) < 0 && err.kind == ERR_AGAIN ? 0 : 3;
}

static int in_child(int (*run)(void))
{
	pid_t child = fork();
	int status = -1;

	assert_true(child >= 0);
	if (child == 0)
		_exit(run());
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void a_full_disk_costs_only_the_file_that_met_it(void **state)
{
	(void)state;
	assert_int_equal(in_child(without_space), 0);
}

static void a_failed_sync_fails_the_batch(void **state)
{
	(void)state;
	assert_int_equal(in_child(with_few_on_a_bad_disk), 0);
	assert_int_equal(in_child(with_many_on_a_bad_disk), 0);
}

static void a_failed_close_fails_the_next_sync(void **state)
{
	(void)state;
	assert_int_equal(in_child(when_close_fails), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(synced_files_hold_their_bytes_and_no_descriptor),
		TEST(a_name_that_is_there_is_refused_and_left_alone),
		TEST(one_may_be_taken_back_and_the_others_stay),
		TEST(a_cleared_batch_leaves_its_files),
		TEST(too_long_a_name_is_refused),
		TEST(a_full_disk_costs_only_the_file_that_met_it),
		TEST(a_failed_sync_fails_the_batch),
		TEST(a_failed_close_fails_the_next_sync),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
