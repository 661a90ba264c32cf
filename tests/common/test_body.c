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

#include "common/body.h"
#include "common/file.h"

#include "tests/deny.h"

enum {
	LARGE = BODY_MEMORY_MAX * 3 + 17
};

static char spool[64];

static int setup(void **state)
{
	(void)state;
	(void)strcpy(spool, "/tmp/test_body.XXXXXX");
	return mkdtemp(spool) ? 0 : -1;
}

/* Whatever a test did, nothing may be left in the folder: rmdir fails if there is. */
static int teardown(void **state)
{
	(void)state;
	return rmdir(spool);
}

static uint8_t byte_at(uint64_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

static int fill(struct body *body, size_t size, size_t step, struct err *err)
{
	auto_free uint8_t *chunk = malloc(step);

	assert_non_null(chunk);
	while (size > 0) {
		size_t len = step < size ? step : size;

		for (size_t i = 0; i < len; i++)
			chunk[i] = byte_at(body->size + i);
		if (body_add(body, (struct span){ chunk, len }, err) < 0)
			return -1;
		size -= len;
	}
	return 0;
}

static bool right(struct span span, size_t size)
{
	for (size_t i = 0; i < span.len; i++)
		if (span.data[i] != byte_at(i))
			return false;
	return span.len == size;
}

static void body_gives_back_what_was_added_at_any_size(void **state)
{
	static const size_t sizes[] = { 0, 1, BODY_MEMORY_MAX - 1, BODY_MEMORY_MAX,
		BODY_MEMORY_MAX + 1, LARGE };
	static const size_t steps[] = { 1000, BODY_MEMORY_MAX, LARGE };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) * 3; i++) {
		size_t size = sizes[i / 3];
		struct err err = { 0 };
		struct span span;
		auto_body struct body body;

		body_init(&body, spool, LARGE);
		assert_int_equal(fill(&body, size, steps[i % 3], &err), 0);
		assert_int_equal(body.size, size);
		assert_int_equal(body_span(&body, &span, &err), 0);
		assert_true(right(span, size));
		assert_int_equal(body.fd >= 0, size > BODY_MEMORY_MAX);
	}
}

static void so_much_stays_in_memory_as_its_owner_says(void **state)
{
	static const size_t maxima[] = { 0, 1, 5000, (size_t)BODY_MEMORY_MAX * 2 };

	(void)state;
	for (size_t i = 0; i < sizeof(maxima) / sizeof(maxima[0]); i++)
		for (size_t more = 0; more <= 1; more++) {
			struct err err = { 0 };
			struct span span;
			auto_body struct body body;

			body_init(&body, spool, LARGE);
			body_set_memory(&body, maxima[i]);
			assert_int_equal(fill(&body, maxima[i] + more, 4096, &err), 0);
			assert_int_equal(body.fd >= 0, more);
			assert_int_equal(body_span(&body, &span, &err), 0);
			assert_true(right(span, maxima[i] + more));
		}
}

static void add_after_span_goes_on_behind_it(void **state)
{
	struct err err = { 0 };
	struct span span;
	auto_body struct body body;

	(void)state;
	body_init(&body, spool, LARGE);
	assert_int_equal(fill(&body, BODY_MEMORY_MAX + 5, 4096, &err), 0);
	assert_int_equal(body_span(&body, &span, &err), 0);
	assert_int_equal(fill(&body, 5000, 777, &err), 0);
	assert_int_equal(body_span(&body, &span, &err), 0);
	assert_true(right(span, BODY_MEMORY_MAX + 5005));
}

static void add_beyond_max_fails_and_changes_nothing(void **state)
{
	static const uint64_t maxima[] = { 0, 10, LARGE };

	(void)state;
	for (size_t i = 0; i < sizeof(maxima) / sizeof(maxima[0]); i++) {
		struct err err = { 0 };
		struct span span;
		auto_body struct body body;

		body_init(&body, spool, maxima[i]);
		assert_int_equal(fill(&body, (size_t)maxima[i], 4096, &err), 0);
		assert_int_equal(fill(&body, 1, 1, &err), -1);
		assert_int_equal(err.kind, ERR_MESSAGE);
		assert_int_equal(
			body_add(&body, (struct span){ NULL, SIZE_MAX }, &err), -1);
		assert_int_equal(err.kind, ERR_MESSAGE);
		assert_int_equal(body_span(&body, &span, &err), 0);
		assert_true(right(span, (size_t)maxima[i]));
	}
}

static void nothing_is_left_or_seen_in_the_folder_meanwhile(void **state)
{
	struct err err = { 0 };
	auto_body struct body body;

	(void)state;
	body_init(&body, spool, LARGE);
	assert_int_equal(fill(&body, LARGE, 4096, &err), 0);
	assert_true(body.fd >= 0);
	assert_int_equal(rmdir(spool), 0);
	assert_int_equal(mkdir(spool, 0700), 0);
}

static void an_absent_folder_fails_and_keeps_what_is_in_memory(void **state)
{
	struct err err = { 0 };
	struct span span;
	auto_body struct body body;

	(void)state;
	body_init(&body, "/nonexistent", LARGE);
	assert_int_equal(fill(&body, BODY_MEMORY_MAX, 4096, &err), 0);
	assert_int_equal(fill(&body, 1, 1, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	assert_non_null(strstr(err.text, "/nonexistent"));
	assert_int_equal(body_span(&body, &span, &err), 0);
	assert_true(right(span, BODY_MEMORY_MAX));
}

static int without_space(void)
{
	const rlim_t half = LARGE / 2;
	struct rlimit limit = { half, RLIM_INFINITY };
	struct err err = { 0 };
	struct span span;
	auto_body struct body body;
	uint64_t before;

	(void)signal(SIGXFSZ, SIG_IGN);
	body_init(&body, spool, LARGE);
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0 || fill(&body, LARGE, 5000, &err) == 0)
		return 1;
	if (err.kind != ERR_AGAIN || body_span(&body, &span, &err) < 0 ||
		!right(span, body.size))
		return 2;
	before = body.size;
	limit.rlim_cur = RLIM_INFINITY;
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0 ||
		fill(&body, LARGE - body.size, 5000, &err) < 0)
		return 3;
	if (body_span(&body, &span, &err) < 0 || !right(span, LARGE))
		return 4;
	return before < LARGE ? 0 : 5;
}

/* As on a file system that has none: openat with O_TMPFILE fails. */
static int without_tmpfile(void)
{
	struct err err = { 0 };
	struct span span;
	struct stat st;
	auto_body struct body body;

	body_init(&body, spool, LARGE);
	if (!deny(SYS_openat, __O_TMPFILE, EOPNOTSUPP))
		return 1;
	if (open(spool, O_TMPFILE | O_RDWR, 0600) >= 0 || errno != EOPNOTSUPP)
		return 2;
	if (fill(&body, LARGE, 5000, &err) < 0 || body_span(&body, &span, &err) < 0)
		return 3;
	if (!right(span, LARGE) || fstat(body.fd, &st) < 0)
		return 4;
	return st.st_nlink == 0 && (st.st_mode & 0777) == 0600 ? 0 : 5;
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

static void a_full_disk_is_again_and_the_body_goes_on_when_there_is_space(void **state)
{
	(void)state;
	assert_int_equal(in_child(without_space), 0);
}

static void a_file_system_without_o_tmpfile_serves_as_well(void **state)
{
	(void)state;
	assert_int_equal(in_child(without_tmpfile), 0);
}

static void save_writes_all_bytes_where_the_file_stands(void **state)
{
	static const size_t sizes[] = { 0, 3, LARGE };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct err err = { 0 };
		auto_body struct body body;
		auto_buf struct buf buf;
		char path[128];
		auto_close int fd = -1;

		body_init(&body, spool, LARGE);
		buf_init(&buf, LARGE + 10);
		(void)snprintf(path, sizeof(path), "%s/out", spool);
		fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		assert_int_equal(file_write(fd, span_str("head"), path, &err), 0);
		assert_int_equal(fill(&body, sizes[i], 9999, &err), 0);
		assert_int_equal(body_save(&body, fd, path, &err), 0);
		assert_int_equal(file_read(path, LARGE + 10, &buf, &err), 0);
		assert_int_equal(buf.len, sizes[i] + 4);
		assert_true(right(span_part(buf_span(&buf), 4, buf.len), sizes[i]));
		assert_int_equal(unlink(path), 0);
	}
}

static void save_to_a_full_disk_is_again(void **state)
{
	struct err err = { 0 };
	auto_body struct body body;
	auto_close int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	body_init(&body, spool, LARGE);
	assert_int_equal(fill(&body, LARGE, 9999, &err), 0);
	assert_int_equal(body_save(&body, fd, "/dev/full", &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
}

static void move_leaves_the_giver_empty_and_usable(void **state)
{
	static const size_t sizes[] = { 10, LARGE };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct err err = { 0 };
		struct span span;
		auto_body struct body from, to;

		body_init(&from, spool, LARGE);
		body_init(&to, spool, 1);
		assert_int_equal(fill(&from, sizes[i], 9999, &err), 0);
		assert_int_equal(body_span(&from, &span, &err), 0);
		body_move(&to, &from);
		assert_int_equal(from.size, 0);
		assert_int_equal(fill(&from, LARGE, 9999, &err), 0);
		assert_int_equal(body_span(&to, &span, &err), 0);
		assert_true(right(span, sizes[i]));
		assert_int_equal(body_span(&from, &span, &err), 0);
		assert_true(right(span, LARGE));
	}
}

static void a_view_gives_all_of_it_in_pieces_without_mapping_it(void **state)
{
	static const size_t sizes[] = { 0, 1, BODY_MEMORY_MAX, BODY_MEMORY_MAX + 1,
		LARGE };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		auto_body struct body body;
		auto_body_view struct body_view view = { .body = &body };
		struct span piece = { 0 };
		struct err err = { 0 };
		struct hash hash, expected;

		body_init(&body, spool, LARGE);
		assert_int_equal(fill(&body, sizes[i], 5000, &err), 0);
		for (uint64_t at = 0; at < sizes[i]; at += piece.len) {
			assert_int_equal(body_view_at(&view, at, &piece, &err), 0);
			assert_true(piece.len > 0 && piece.len <= BODY_PIECE_MAX);
			for (size_t j = 0; j < piece.len; j++)
				assert_int_equal(piece.data[j], byte_at(at + j));
		}
		assert_int_equal(body_view_at(&view, sizes[i], &piece, &err), 0);
		assert_int_equal(piece.len, 0);
		assert_int_equal(body_view_at(&view, UINT64_MAX, &piece, &err), 0);
		assert_int_equal(piece.len, 0);
		assert_int_equal(body_hash(&body, &hash, &err), 0);
		assert_null(body.map);
		assert_int_equal(body_span(&body, &piece, &err), 0);
		assert_int_equal(hash_span(piece, &expected, &err), 0);
		assert_true(hash_equal(&hash, &expected));
	}
}

/* The spool's disk may lose what was written: no crash, and never other bytes. */
static void a_file_that_became_shorter_is_an_error(void **state)
{
	auto_body struct body body;
	struct err err = { 0 };
	struct hash hash;

	(void)state;
	body_init(&body, spool, LARGE);
	assert_int_equal(fill(&body, LARGE, 5000, &err), 0);
	assert_int_equal(ftruncate(body.fd, LARGE - 1), 0);
	assert_int_equal(body_hash(&body, &hash, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
}

static void done_accepts_a_zeroed_body_and_may_be_repeated(void **state)
{
	struct body body = { 0 };
	struct err err = { 0 };

	(void)state;
	body_done(&body);
	body_init(&body, spool, LARGE);
	assert_int_equal(fill(&body, LARGE, 9999, &err), 0);
	body_done(&body);
	body_done(&body);
	assert_true(fcntl(0, F_GETFD) >= 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(body_gives_back_what_was_added_at_any_size),
		TEST(so_much_stays_in_memory_as_its_owner_says),
		TEST(add_after_span_goes_on_behind_it),
		TEST(add_beyond_max_fails_and_changes_nothing),
		TEST(nothing_is_left_or_seen_in_the_folder_meanwhile),
		TEST(an_absent_folder_fails_and_keeps_what_is_in_memory),
		TEST(a_full_disk_is_again_and_the_body_goes_on_when_there_is_space),
		TEST(a_file_system_without_o_tmpfile_serves_as_well),
		TEST(save_writes_all_bytes_where_the_file_stands),
		TEST(save_to_a_full_disk_is_again),
		TEST(move_leaves_the_giver_empty_and_usable),
		TEST(a_view_gives_all_of_it_in_pieces_without_mapping_it),
		TEST(a_file_that_became_shorter_is_an_error),
		TEST(done_accepts_a_zeroed_body_and_may_be_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
