/* SPDX-License-Identifier: ISC */
#include "tests/common/filed.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void errno_says_what_the_caller_should_do(void **state)
{
	static const struct {
		int errnum;
		enum err_kind kind;
	} cases[] = {
		{ ENOSPC, ERR_AGAIN },
		{ EDQUOT, ERR_AGAIN },
		{ EMFILE, ERR_AGAIN },
		{ ENFILE, ERR_AGAIN },
		{ EIO, ERR_AGAIN },
		{ EFBIG, ERR_AGAIN },
		{ ENOMEM, ERR_FATAL },
		{ EACCES, ERR_ACCOUNT },
		{ EROFS, ERR_ACCOUNT },
		{ ENOENT, ERR_ACCOUNT },
		{ ELOOP, ERR_ACCOUNT },
		{ 0, ERR_ACCOUNT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(file_err_kind(cases[i].errnum), cases[i].kind);
}

static void read_gives_all_bytes_and_adds_them(void **state)
{
	struct place *place = *state;
	struct err err = { 0 };
	auto_buf struct buf buf;

	buf_init(&buf, 100);
	put(in(place, "f"), "world");
	assert_int_equal(buf_add_str(&buf, "hello ", &err), 0);
	assert_int_equal(file_read(place->path, 5, &buf, &err), 0);
	assert_true(span_equal(buf_span(&buf), span_str("hello world")));
}

static void read_refuses_more_than_max_and_leaves_the_buf(void **state)
{
	struct place *place = *state;
	struct err err = { 0 };
	auto_buf struct buf buf;

	buf_init(&buf, 100);
	put(in(place, "f"), "world!");
	assert_int_equal(file_read(place->path, 5, &buf, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	assert_non_null(strstr(err.text, place->path));
	assert_int_equal(buf.len, 0);
	assert_int_equal(file_read("/dev/zero", 50000, &buf, &err), -1);
	assert_int_equal(buf.len, 0);
}

static void read_of_an_absent_file_or_a_folder_names_it(void **state)
{
	struct place *place = *state;
	struct err err = { 0 };
	auto_buf struct buf buf;

	buf_init(&buf, 100);
	assert_int_equal(file_read(in(place, "none"), 5, &buf, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	assert_non_null(strstr(err.text, place->path));
	assert_int_equal(file_read(place->dir, 5, &buf, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
}

static void write_to_a_full_disk_is_again(void **state)
{
	struct err err = { 0 };
	auto_close int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(file_write(fd, span_str("x"), "the file", &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_non_null(strstr(err.text, "the file"));
}

static void write_goes_on_after_short_writes(void **state)
{
	struct err err = { 0 };
	size_t size = (size_t)1024 * 1024, got = 0;
	auto_free uint8_t *bytes = malloc(size);
	int pipes[2];
	pid_t child;
	int status;

	(void)state;
	assert_non_null(bytes);
	memset(bytes, 'x', size);
	assert_int_equal(pipe(pipes), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		uint8_t chunk[777];
		ssize_t n;

		(void)close(pipes[1]);
		while ((n = read(pipes[0], chunk, sizeof(chunk))) > 0)
			got += (size_t)n;
		_exit(got == size ? 0 : 1);
	}
	(void)close(pipes[0]);
	assert_int_equal(
		file_write(pipes[1], (struct span){ bytes, size }, "pipe", &err), 0);
	(void)close(pipes[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void sync_close_closes_even_when_sync_fails(void **state)
{
	struct err err = { 0 };
	int pipes[2];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(file_sync_close(&pipes[1], "pipe", &err), -1);
	assert_int_equal(pipes[1], -1);
	(void)close(pipes[0]);
}

static void replace_makes_and_replaces_with_the_exact_mode(void **state)
{
	struct place *place = *state;
	struct err err = { 0 };
	struct stat st;
	mode_t old = umask(0);

	assert_int_equal(file_replace(in(place, "f"), span_str("one"), 0600, &err), 0);
	holds(place->path, "one");
	assert_int_equal(stat(place->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	(void)umask(0077);
	assert_int_equal(file_replace(place->path, span_str("two"), 0644, &err), 0);
	holds(place->path, "two");
	assert_int_equal(stat(place->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	(void)umask(old);
}

static void replace_takes_no_link_for_its_temporary_file(void **state)
{
	struct place *place = *state;
	struct err err = { 0 };
	struct stat st;
	char victim[128];

	(void)snprintf(victim, sizeof(victim), "%s", in(place, "victim"));
	put(victim, "precious");
	assert_int_equal(symlink(victim, in(place, "f.tmp")), 0);
	assert_int_equal(file_replace(in(place, "f"), span_str("new"), 0600, &err), 0);
	holds(place->path, "new");
	holds(victim, "precious");
	assert_int_equal(lstat(in(place, "f.tmp"), &st), -1);
}

/* A child's write ends at limit bytes, as on a disk that is full. */
static int replace_below_limit(const char *path, rlim_t limit)
{
	struct err err = { 0 };
	struct rlimit rlimit = { limit, limit };
	pid_t child = fork();
	int status;

	if (child == 0) {
		(void)signal(SIGXFSZ, SIG_IGN);
		(void)setrlimit(RLIMIT_FSIZE, &rlimit);
		if (file_replace(path, span_str("a long text"), 0600, &err) == 0)
			_exit(100);
		_exit((int)err.kind);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static void replace_without_space_keeps_the_old_and_leaves_no_rest(void **state)
{
	struct place *place = *state;
	struct stat st;

	put(in(place, "f"), "old");
	assert_int_equal(replace_below_limit(place->path, 4), ERR_AGAIN);
	holds(place->path, "old");
	assert_int_equal(lstat(in(place, "f.tmp"), &st), -1);
}

static void mkdirs_makes_all_and_may_be_repeated(void **state)
{
	static const char *const forms[] = { "a/b/c", "a/b/c", "d//e///", "a/b/../f" };
	struct place *place = *state;
	struct err err = { 0 };
	struct stat st;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		assert_int_equal(file_mkdirs(in(place, forms[i]), 0700, &err), 0);
		assert_int_equal(stat(place->path, &st), 0);
		assert_true(S_ISDIR(st.st_mode));
		assert_int_equal(st.st_mode & 07777, 0700);
	}
	assert_int_equal(file_mkdirs("/", 0700, &err), 0);
	assert_int_equal(file_mkdirs(".", 0700, &err), 0);
}

static void a_path_too_long_is_refused(void **state)
{
	char path[10000];
	struct err err = { 0 };
	int fd;

	(void)state;
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(file_mkdirs(path, 0700, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	assert_int_equal(file_open_dir(path, &fd, &err), -1);
	assert_int_equal(file_replace(path, span_str("x"), 0600, &err), -1);
	assert_int_equal(file_lock(path, &fd, &err), -1);
}

static void mkdirs_refuses_a_file_in_the_way(void **state)
{
	struct place *place = *state;
	struct err err = { 0 };

	put(in(place, "f"), "");
	assert_int_equal(file_mkdirs(place->path, 0700, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	assert_int_equal(file_mkdirs(in(place, "f/g"), 0700, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
}

static void open_dir_refuses_links_and_files(void **state)
{
	static const char *const bad[] = { "link", "link/", "link//", "file", "none" };
	struct place *place = *state;
	struct err err = { 0 };
	char real[128];
	int fd = -1;

	(void)snprintf(real, sizeof(real), "%s", in(place, "real"));
	assert_int_equal(mkdir(real, 0700), 0);
	assert_int_equal(symlink(real, in(place, "link")), 0);
	put(in(place, "file"), "");
	assert_int_equal(file_open_dir(real, &fd, &err), 0);
	(void)close(fd);
	assert_int_equal(file_open_dir(in(place, "real//"), &fd, &err), 0);
	(void)close(fd);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(file_open_dir(in(place, bad[i]), &fd, &err), -1);
		assert_int_equal(err.kind, ERR_ACCOUNT);
	}
	assert_int_equal(file_open_dir(in(place, "link"), &fd, &err), -1);
	assert_non_null(strstr(err.text, "symbolic link"));
}

static void open_own_dir_refuses_what_everybody_may_write_to(void **state)
{
	struct place *place = *state;
	struct err err = { 0 };
	int fd = -1;

	assert_int_equal(file_open_own_dir(place->dir, &fd, &err), 0);
	(void)close(fd);
	assert_int_equal(chmod(place->dir, 0702), 0);
	assert_int_equal(file_open_own_dir(place->dir, &fd, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	assert_non_null(strstr(err.text, "chmod 700"));
	assert_int_equal(file_open_own_dir(in(place, "none"), &fd, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errno_says_what_the_caller_should_do),
		TEST(read_gives_all_bytes_and_adds_them),
		TEST(read_refuses_more_than_max_and_leaves_the_buf),
		TEST(read_of_an_absent_file_or_a_folder_names_it),
		cmocka_unit_test(write_to_a_full_disk_is_again),
		cmocka_unit_test(write_goes_on_after_short_writes),
		cmocka_unit_test(sync_close_closes_even_when_sync_fails),
		TEST(replace_makes_and_replaces_with_the_exact_mode),
		TEST(replace_takes_no_link_for_its_temporary_file),
		TEST(replace_without_space_keeps_the_old_and_leaves_no_rest),
		TEST(mkdirs_makes_all_and_may_be_repeated),
		cmocka_unit_test(a_path_too_long_is_refused),
		TEST(mkdirs_refuses_a_file_in_the_way),
		TEST(open_dir_refuses_links_and_files),
		TEST(open_own_dir_refuses_what_everybody_may_write_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
