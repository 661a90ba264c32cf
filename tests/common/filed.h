/* SPDX-License-Identifier: ISC
 *
 * A folder of a test's own, and the files in it. */
#ifndef TESTS_COMMON_FILED_H
#define TESTS_COMMON_FILED_H

#include "tests/test.h"

#include <stdio.h>

#include "common/file.h"

struct place {
	char dir[64];
	char path[128];
};

static inline const char *in(struct place *place, const char *name)
{
	(void)snprintf(place->path, sizeof(place->path), "%s/%s", place->dir, name);
	return place->path;
}

static inline int setup(void **state)
{
	static struct place place;

	place = (struct place){ .dir = "/tmp/test_file.XXXXXX" };
	*state = &place;
	return mkdtemp(place.dir) ? 0 : -1;
}

static inline int teardown(void **state)
{
	struct place *place = *state;
	struct err err = { 0 };

	return file_remove_tree(place->dir, true, &err);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static inline void put(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static inline void holds(const char *path, const char *text)
{
	struct err err = { 0 };
	auto_buf struct buf buf;

	buf_init(&buf, 65536);
	assert_int_equal(file_read(path, 65536, &buf, &err), 0);
	assert_true(span_equal(buf_span(&buf), span_str(text)));
}

#endif
