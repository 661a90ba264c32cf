/* SPDX-License-Identifier: ISC */
#include "tests/common/filed.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void remove_tree_removes_all_and_follows_nothing(void **state)
{
	struct place *place = *state;
	struct err err = { 0 };
	struct stat st;
	char outside[128];

	(void)snprintf(outside, sizeof(outside), "%s", in(place, "outside"));
	assert_int_equal(mkdir(outside, 0700), 0);
	put(in(place, "outside/kept"), "x");
	assert_int_equal(file_mkdirs(in(place, "t/a/b/c"), 0700, &err), 0);
	assert_int_equal(file_mkdirs(in(place, "t/d/b/.removed-1-0"), 0700, &err), 0);
	put(in(place, "t/a/b/f"), "x");
	put(in(place, "t/g"), "x");
	assert_int_equal(symlink(outside, in(place, "t/a/link")), 0);
	assert_int_equal(symlink(outside, in(place, "t/link")), 0);
	assert_int_equal(mkfifo(in(place, "t/a/b/c/fifo"), 0600), 0);
	assert_int_equal(chmod(in(place, "t/a/b"), 0000), 0);
	assert_int_equal(file_remove_tree(in(place, "t"), false, &err), 0);
	assert_int_equal(rmdir(place->path), 0);
	holds(in(place, "outside/kept"), "x");
	assert_int_equal(file_remove_tree(outside, true, &err), 0);
	assert_int_equal(stat(outside, &st), -1);
}

static void remove_tree_survives_any_depth(void **state)
{
	enum {
		DEPTH = 3000
	};
	struct place *place = *state;
	struct err err = { 0 };
	auto_close int fd = open(place->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i < DEPTH; i++) {
		int next;

		assert_int_equal(mkdirat(fd, "directory", 0700), 0);
		next = openat(fd, "directory", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		(void)close(fd);
		fd = next;
	}
	assert_int_equal(file_remove_tree(place->dir, false, &err), 0);
	assert_int_equal(rmdir(place->dir), 0);
	assert_int_equal(mkdir(place->dir, 0700), 0);
}

static void remove_tree_of_a_link_or_nothing_is_refused(void **state)
{
	struct place *place = *state;
	struct err err = { 0 };

	assert_int_equal(symlink("/tmp", in(place, "link")), 0);
	assert_int_equal(file_remove_tree(place->path, true, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	assert_int_equal(file_remove_tree(in(place, "none"), true, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
}

/* As an ordinary user, whom modes stop: in a child, since the way back is barred. */
static void remove_tree_opens_what_its_owner_closed(void **state)
{
	struct place *place = *state;
	struct err err = { 0 };
	pid_t child;
	int status;

	assert_int_equal(chmod(place->dir, 0777), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (getuid() == 0 && setuid(65534) < 0)
			_exit(1);
		if (file_mkdirs(in(place, "t/a/b/c"), 0700, &err) < 0)
			_exit(2);
		put(in(place, "t/a/b/f"), "x");
		(void)chmod(in(place, "t/a/b"), 0000);
		(void)chmod(in(place, "t/a"), 0400);
		_exit(file_remove_tree(in(place, "t"), true, &err) == 0 ? 0 : 3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(remove_tree_removes_all_and_follows_nothing),
		TEST(remove_tree_survives_any_depth),
		TEST(remove_tree_of_a_link_or_nothing_is_refused),
		TEST(remove_tree_opens_what_its_owner_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
