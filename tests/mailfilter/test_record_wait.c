/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include "mailfilter/record_wait.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/file.h"

static char top[64];
static struct record *record;

static int setup(void **state)
{
	(void)state;
	(void)snprintf(top, sizeof(top), "/tmp/test_record_wait.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	return record_open(top, false, &record, NULL);
}

static int teardown(void **state)
{
	(void)state;
	record_close(record);
	return file_remove_tree(top, true, NULL);
}

static void put(
	const char *folder, uint32_t uidvalidity, unsigned uid, enum record_state state)
{
	struct record_row row = { .state = state, .key.uidvalidity = uidvalidity };

	(void)snprintf(row.key.folder, sizeof(row.key.folder), "%s", folder);
	(void)snprintf(row.key.uid, sizeof(row.key.uid), "%u", uid);
	assert_int_equal(record_put(record, &row, NULL), 0);
}

/* "1 2 ", and the row of the last. */
static const char *held(const char *folder, uint32_t uidvalidity, int64_t *id_r)
{
	auto_buf struct buf list;
	const struct record_held *items;
	static char text[200];
	size_t used = 0;

	buf_init(&list, 100 * sizeof(struct record_held));
	assert_int_equal(record_list_held(record, folder, uidvalidity, &list, NULL), 0);
	items = (const struct record_held *)(const void *)list.data;
	text[0] = '\0';
	for (size_t i = 0; i < list.len / sizeof(*items); i++) {
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "%s ", items[i].uid);
		*id_r = items[i].id;
	}
	return text;
}

static void what_is_held_in_a_folder_is_listed_and_nothing_else(void **state)
{
	int64_t id = 0;

	(void)state;
	for (unsigned i = 1; i <= 6; i++)
		put("A", 7, i, (enum record_state)i);
	put("A", 7, 10, RECORD_HELD);
	put("A", 8, 11, RECORD_HELD);
	put("B", 7, 12, RECORD_HELD);
	put("", 0, 13, RECORD_HELD);
	assert_int_equal(RECORD_HELD, 1);
	assert_string_equal(held("A", 7, &id), "1 10 ");
	assert_string_equal(held("", 0, &id), "13 ");
	assert_string_equal(held("C", 7, &id), "");
}

/* The folder was numbered anew: whether it is there still nobody knows yet. */
static void a_stray_is_not_listed(void **state)
{
	int64_t id = 0;

	(void)state;
	put("A", 7, 1, RECORD_HELD);
	assert_int_equal(record_stray_all(record, "A", 1000, NULL), 0);
	assert_string_equal(held("A", 7, &id), "");
	assert_string_equal(held("A", 0, &id), "");
}

static void what_is_dropped_is_gone_unless_it_is_held_no_longer(void **state)
{
	struct record_counts counts;
	int64_t id = 0;

	(void)state;
	put("A", 7, 1, RECORD_HELD);
	(void)held("A", 7, &id);
	assert_int_equal(record_drop_held(record, id, NULL), 0);
	assert_string_equal(held("A", 7, &id), "");
	put("A", 7, 2, RECORD_HELD);
	(void)held("A", 7, &id);
	put("A", 7, 2, RECORD_SETTLED);
	assert_int_equal(record_drop_held(record, id, NULL), 0);
	assert_int_equal(record_count(record, &counts, NULL), 0);
	assert_int_equal(counts.held, 0);
	assert_int_equal(counts.done, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_held_in_a_folder_is_listed_and_nothing_else),
		TEST(a_stray_is_not_listed),
		TEST(what_is_dropped_is_gone_unless_it_is_held_no_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
