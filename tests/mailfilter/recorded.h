/* SPDX-License-Identifier: ISC
 *
 * A record in a folder of its own, and rows to put into it. */
#ifndef TESTS_RECORDED_H
#define TESTS_RECORDED_H

#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "common/file.h"

#include "mailfilter/record_look.h"

static char top[64], dir[80], db[96];

static inline int setup(void **state)
{
	(void)state;
	(void)strcpy(top, "/tmp/test_record.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	(void)snprintf(dir, sizeof(dir), "%s/account", top);
	(void)snprintf(db, sizeof(db), "%s/state.db", dir);
	return 0;
}

static inline int teardown(void **state)
{
	struct err err = { 0 };

	(void)state;
	return file_remove_tree(top, true, &err);
}

static inline struct record *open_record(bool read_only)
{
	struct record *record = NULL;
	struct err err = { 0 };

	if (record_open(dir, read_only, &record, &err) < 0)
		fail_msg("%s", err.text);
	return record;
}

static inline struct record_row a_row(
	const char *folder, unsigned uid, enum record_state state)
{
	struct record_row row = { .state = state, .key.uidvalidity = 7, .time_s = 1 };

	(void)snprintf(row.key.folder, sizeof(row.key.folder), "%s", folder);
	(void)snprintf(row.key.uid, sizeof(row.key.uid), "%u", uid);
	(void)snprintf(row.name, sizeof(row.name), "name-%u", uid);
	return row;
}

static inline void put(
	struct record *record, const char *folder, unsigned uid, enum record_state state)
{
	const struct record_row row = a_row(folder, uid, state);
	struct err err = { 0 };

	if (record_put(record, &row, &err) < 0)
		fail_msg("%s", err.text);
}

static inline int find(
	struct record *record, const char *folder, unsigned uid, struct record_row *row_r)
{
	const struct record_row row = a_row(folder, uid, RECORD_HELD);
	struct err err = { 0 };

	return record_find(record, &row.key, row_r, &err);
}

static inline uint64_t held(struct record *record)
{
	struct record_counts counts;
	struct err err = { 0 };

	assert_int_equal(record_count(record, &counts, &err), 0);
	return counts.held;
}

/* Nobody opens it, and is told so with this word. */
static inline void refused(const char *word)
{
	struct record *record = NULL;
	struct err err = { 0 };

	for (int read_only = 0; read_only < 2; read_only++) {
		assert_int_equal(record_open(dir, read_only, &record, &err), -1);
		assert_int_equal(err.kind, ERR_ACCOUNT);
		assert_non_null(strstr(err.text, db));
		if (!strstr(err.text, word))
			fail_msg("\"%s\" not in: %s", word, err.text);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
