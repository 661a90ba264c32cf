/* SPDX-License-Identifier: ISC
 *
 * The rows of folders, and strays: what is recorded of messages that have lost their UID. */
#include "tests/mailfilter/recorded.h"

static void folders_keep_what_was_put(void **state)
{
	struct record_folder folder = { "INBOX", 9, UINT32_MAX, 4102444800, 2, 50, 77,
		4102444801 };
	struct record_folder other = { "Other", 8, 3, 1, 0, 40, 0, 0 };
	struct record *record = open_record(false);
	struct record_folder found = { 0 };
	struct err err = { 0 };
	int64_t began_s = 0;

	(void)state;
	assert_int_equal(record_find_folder(record, "INBOX", &found, &err), 0);
	assert_int_equal(record_began(record, &began_s, &err), 0);
	assert_int_equal(began_s, -1);
	assert_int_equal(record_put_folder(record, &folder, &err), 0);
	assert_int_equal(record_put_folder(record, &other, &err), 0);
	assert_int_equal(record_find_folder(record, "INBOX", &found, &err), 1);
	assert_memory_equal(&found, &folder, sizeof(found));
	assert_int_equal(record_began(record, &began_s, &err), 0);
	assert_int_equal(began_s, 40);
	/* It stays known when that folder is gone. */
	assert_int_equal(record_lose_folder(record, "Other", 1, &err), 0);
	assert_int_equal(record_began(record, &began_s, &err), 0);
	assert_int_equal(began_s, 40);
	folder.uidvalidity = 10;
	folder.done_uid = 0;
	assert_int_equal(record_put_folder(record, &folder, &err), 0);
	assert_int_equal(record_find_folder(record, "INBOX", &found, &err), 1);
	assert_memory_equal(&found, &folder, sizeof(found));
	record_close(record);
}

/* A row that can be told again, if it has a head. */
static void put_told(struct record *record, const char *folder, unsigned uid, int head,
	uint64_t size, enum record_state state)
{
	struct record_row row = a_row(folder, uid, state);
	struct err err = { 0 };

	row.listed_size = size;
	row.head.known = head > 0;
	memset(row.head.hash.bytes, head, HASH_SIZE);
	if (record_put(record, &row, &err) < 0)
		fail_msg("%s", err.text);
}

/* "SIZE:FIRST BYTE OF THE HEAD;" of each stray. */
static const char *strays(struct record *record, const char *folder, int64_t ids[8])
{
	static char text[256];
	auto_free struct record_stray *found = NULL;
	size_t count = 0, used = 0;
	struct err err = { 0 };

	assert_int_equal(record_strays(record, folder, &found, &count, &err), 0);
	assert_true(count <= 8);
	text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		ids[i] = found[i].id;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%u:%u;",
			(unsigned)found[i].listed_size, found[i].head.bytes[0]);
	}
	return text;
}

static void strays_are_found_by_what_tells_them_and_by_no_key(void **state)
{
	struct message_key key = { "A", 8, "1" };
	struct record *record = open_record(false);
	struct record_row row;
	struct err err = { 0 };
	uint64_t untold = 0;
	int64_t ids[8] = { 0 };

	(void)state;
	put_told(record, "A", 1, 9, 300, RECORD_DONE);
	put_told(record, "A", 2, 5, 300, RECORD_SETTLED);
	put_told(record, "A", 3, 5, 100, RECORD_PARKED);
	put_told(record, "A", 4, 0, 100, RECORD_HELD);
	put_told(record, "B", 1, 7, 300, RECORD_DONE);
	put_told(record, "", 1, 7, 300, RECORD_DONE);
	assert_string_equal(strays(record, "A", ids), "");
	assert_int_equal(record_stray_all(record, "A", 1000, &err), 0);
	assert_string_equal(strays(record, "A", ids), "100:5;300:5;300:9;");
	assert_int_equal(find(record, "A", 1, &row), 0);
	assert_int_equal(find(record, "B", 1, &row), 1);
	assert_int_equal(record_claim(record, ids[2], &key, &err), 0);
	assert_string_equal(strays(record, "A", ids), "100:5;300:5;");
	assert_int_equal(record_find(record, &key, &row, &err), 1);
	assert_int_equal(row.state, RECORD_DONE);
	assert_string_equal(row.name, "name-1");
	assert_int_equal(row.listed_size, 300);
	assert_true(row.head.known);
	/* The old number comes back, and is numbered anew with it: two strays, not one. */
	put_told(record, "A", 2, 6, 300, RECORD_SETTLED);
	assert_int_equal(record_stray_all(record, "A", 2000, &err), 0);
	assert_string_equal(strays(record, "A", ids), "100:5;300:5;300:6;300:9;");
	assert_int_equal(record_drop_strays(record, "A", 2000, &err), 0);
	assert_string_equal(strays(record, "A", ids), "300:6;300:9;");
	assert_int_equal(record_untold(record, "A", 0, &untold, &err), 0);
	assert_int_equal(untold, 0);
	record_close(record);
}

static void strays_of_a_folder_that_is_no_more_are_anybodys(void **state)
{
	struct record_folder folders[] = { { "A", 7, 3, 1, 0, 9, 0, 0 },
		{ "B", 7, 0, 1, 0, 8, 0, 0 } };
	struct message_key key = { "B", 7, "50" };
	struct record *record = open_record(false);
	char(*names)[MESSAGE_FOLDER_MAX];
	struct record_row row;
	struct err err = { 0 };
	int64_t ids[8] = { 0 };
	size_t count;

	(void)state;
	put_told(record, "A", 1, 1, 100, RECORD_DONE);
	assert_int_equal(record_stray_all(record, "A", 10, &err), 0);
	put_told(record, "A", 2, 2, 100, RECORD_DONE);
	put_told(record, "B", 1, 3, 100, RECORD_DONE);
	put_told(record, "", 1, 4, 100, RECORD_DONE);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(record_put_folder(record, &folders[i], &err), 0);
	assert_int_equal(record_lose_folder(record, "A", 20, &err), 0);
	assert_int_equal(record_folder_names(record, &names, &count, &err), 0);
	assert_int_equal(count, 1);
	assert_string_equal(names[0], "B");
	free(names);
	assert_string_equal(strays(record, "B", ids), "100:1;100:2;");
	assert_string_equal(strays(record, "C", ids), "100:1;100:2;");
	assert_int_equal(record_claim(record, ids[1], &key, &err), 0);
	assert_int_equal(find(record, "B", 50, &row), 1);
	assert_string_equal(row.name, "name-2");
	/* Since when it has been one does not change with its folder's end. */
	assert_int_equal(record_drop_strays(record, "C", 20, &err), 0);
	assert_string_equal(strays(record, "C", ids), "");
	key.folder[0] = '\0';
	key.uid[1] = '\0';
	key.uid[0] = '1';
	assert_int_equal(record_find(record, &key, &row, &err), 1);
	record_close(record);
}

static void strays_that_are_only_kept_do_not_count(void **state)
{
	struct record *record = open_record(false);
	struct record_counts counts;
	struct err err = { 0 };
	uint64_t untold = 0;

	(void)state;
	put_told(record, "A", 1, 1, 1, RECORD_DONE);
	put_told(record, "A", 2, 1, 1, RECORD_PARKED);
	put_told(record, "A", 3, 1, 1, RECORD_INTENT);
	put_told(record, "A", 4, 1, 1, RECORD_HELD);
	put_told(record, "A", 5, 0, 1, RECORD_HELD);
	assert_int_equal(record_untold(record, "A", 0, &untold, &err), 0);
	assert_int_equal(untold, 0);
	put_told(record, "A", 6, 0, 1, RECORD_SETTLED);
	assert_int_equal(record_untold(record, "A", 0, &untold, &err), 0);
	assert_int_equal(untold, 1);
	put_told(record, "A", 7, 0, 1, RECORD_PASSED);
	assert_int_equal(record_untold(record, "A", 0, &untold, &err), 0);
	assert_int_equal(untold, 2);
	assert_int_equal(record_untold(record, "A", 7, &untold, &err), 0);
	assert_int_equal(untold, 0);
	assert_int_equal(record_untold(record, "A", 8, &untold, &err), 0);
	assert_int_equal(untold, 2);
	assert_int_equal(record_stray_all(record, "A", 1, &err), 0);
	assert_int_equal(record_count(record, &counts, &err), 0);
	assert_int_equal(counts.done, 2);
	assert_int_equal(counts.parked + counts.pending + counts.held, 0);
	record_close(record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(folders_keep_what_was_put),
		TEST(strays_are_found_by_what_tells_them_and_by_no_key),
		TEST(strays_of_a_folder_that_is_no_more_are_anybodys),
		TEST(strays_that_are_only_kept_do_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
