/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"

#include "mailfilter/record_look.h"
#include "mailfilter/record_rescan.h"

static char top[64];
static struct record *record;

static int setup(void **state)
{
	(void)state;
	(void)snprintf(top, sizeof(top), "/tmp/test_record_rescan.XXXXXX");
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

static struct record_row put(
	unsigned uid, enum record_state state, enum action action, int64_t time_s)
{
	struct record_row row = { .state = state,
		.action = action,
		.key = { .folder = "INBOX", .uidvalidity = 7 },
		.time_s = time_s };

	(void)snprintf(row.key.uid, sizeof(row.key.uid), "%u", uid);
	(void)snprintf(row.name, sizeof(row.name), "name-%u", uid);
	assert_int_equal(record_put(record, &row, NULL), 0);
	return row;
}

/* "1 2 5 " */
static const char *delivered(int64_t since_s)
{
	static char text[200];
	struct record_row row;
	int64_t position = 0;
	size_t used = 0;

	text[0] = '\0';
	while (record_next_delivered(record, since_s, &position, &row, NULL) > 0)
		used += (size_t)snprintf(
			text + used, sizeof(text) - used, "%s ", row.key.uid);
	return text;
}

static void what_was_delivered_with_its_content_is_told_in_its_order(void **state)
{
	(void)state;
	(void)put(3, RECORD_SETTLED, ACTION_DELIVER, 100);
	(void)put(1, RECORD_DONE, ACTION_CLEAN, 101);
	(void)put(2, RECORD_SETTLED, ACTION_TAG, 102);
	(void)put(4, RECORD_SETTLED, ACTION_QUARANTINE, 103);
	(void)put(5, RECORD_PARKED, ACTION_PARK, 103);
	(void)put(6, RECORD_HELD, ACTION_HOLD, 103);
	(void)put(7, RECORD_INTENT, ACTION_DELIVER, 103);
	(void)put(8, RECORD_PASSED, ACTION_NONE, 103);
	assert_string_equal(delivered(0), "3 1 2 ");
	assert_string_equal(delivered(101), "1 2 ");
	assert_string_equal(delivered(200), "");
}

static void how_far_it_came_is_kept(void **state)
{
	struct record_rescan rescan = { .since_s = 5,
		.position = 6,
		.done_s = 7,
		.generation = 8,
		.scanned = 9,
		.infected = 10 },
			     got;

	(void)state;
	memset(rescan.digest.bytes, 0xa5, sizeof(rescan.digest.bytes));
	assert_int_equal(record_find_rescan(record, &got, NULL), 0);
	for (int i = 0; i < 2; i++) {
		rescan.position++;
		assert_int_equal(record_put_rescan(record, &rescan, NULL), 0);
		assert_int_equal(record_find_rescan(record, &got, NULL), 1);
		assert_true(hash_equal(&got.digest, &rescan.digest));
		assert_int_equal(got.since_s, 5);
		assert_int_equal(got.position, 7 + i);
		assert_int_equal(got.done_s, 7);
		assert_int_equal(got.generation, 8);
		assert_int_equal(got.scanned, 9);
		assert_int_equal(got.infected, 10);
	}
}

static void which_signatures_scanned_it_is_told_with_a_delivery(void **state)
{
	struct hash digest = { { 0 } };
	struct record_row row = put(1, RECORD_SETTLED, ACTION_DELIVER, 100), got;
	int64_t position = 0;

	(void)state;
	assert_int_equal(record_signatures(&digest), 0);
	memset(digest.bytes, 0xff, sizeof(digest.bytes));
	row.signatures = record_signatures(&digest);
	assert_int_equal(row.signatures, UINT64_MAX);
	assert_int_equal(record_put(record, &row, NULL), 0);
	assert_int_equal(record_next_delivered(record, 0, &position, &got, NULL), 1);
	assert_true(got.signatures == UINT64_MAX);
	digest.bytes[0] = 0;
	assert_true(record_signatures(&digest) != got.signatures);
}

static void a_message_goes_on_under_the_name_that_replaced_it(void **state)
{
	const struct record_row row = put(1, RECORD_SETTLED, ACTION_DELIVER, 100);
	const struct record_replacing replacing = { .name = "name-1",
		.new_name = "name-2",
		.quarantine_id = "an-id",
		.action = ACTION_CLEAN,
		.verdict = "infected",
		.reason = "infected: X" };
	struct record_replacing got;
	struct record_row after;

	(void)state;
	assert_int_equal(record_find_replacing(record, NULL, "", &got, NULL), 0);
	assert_int_equal(record_begin_replacing(record, &replacing, NULL), 0);
	assert_int_equal(record_begin_replacing(record, &replacing, NULL), 0);
	assert_int_equal(record_find_replacing(record, NULL, "", &got, NULL), 1);
	assert_string_equal(got.new_name, "name-2");
	assert_string_equal(got.quarantine_id, "an-id");
	assert_int_equal(got.action, ACTION_CLEAN);
	assert_int_equal(record_find_replacing(record, NULL, "name-1", &got, NULL), 0);
	assert_int_equal(record_find_replacing(record, "name-1", NULL, &got, NULL), 1);
	assert_int_equal(record_find_replacing(record, "name", NULL, &got, NULL), 0);
	assert_int_equal(record_end_replacing(record, &replacing, NULL), 0);
	assert_int_equal(record_find_replacing(record, NULL, "", &got, NULL), 0);
	assert_int_equal(record_find(record, &row.key, &after, NULL), 1);
	assert_string_equal(after.name, "name-2");
	assert_string_equal(after.quarantine_id, "an-id");
	assert_string_equal(after.verdict, "infected");
	assert_int_equal(after.action, ACTION_CLEAN);
	assert_int_equal(after.state, RECORD_SETTLED);
}

static void what_is_not_replaced_after_all_stays_as_it_was(void **state)
{
	const struct record_row row = put(1, RECORD_SETTLED, ACTION_DELIVER, 100);
	const struct record_replacing replacing = { .name = "name-1",
		.new_name = "name-2" };
	struct record_replacing got;
	struct record_row after;

	(void)state;
	assert_int_equal(record_begin_replacing(record, &replacing, NULL), 0);
	assert_int_equal(record_drop_replacing(record, "name-1", NULL), 0);
	assert_int_equal(record_find_replacing(record, NULL, "", &got, NULL), 0);
	assert_int_equal(record_find(record, &row.key, &after, NULL), 1);
	assert_string_equal(after.name, "name-1");
}

static void a_suspect_is_listed_and_fetched_again(void **state)
{
	const struct record_row row = put(5, RECORD_SETTLED, ACTION_DELIVER, 100);
	const struct record_row done = put(6, RECORD_DONE, ACTION_CLEAN, 100);
	struct record_folder folder = {
		.name = "INBOX", .uidvalidity = 7, .done_uid = 9
	};
	struct record_row after;
	uint32_t done_uid = 9;
	uint64_t count = 0;

	(void)state;
	assert_int_equal(record_put_folder(record, &folder, NULL), 0);
	assert_int_equal(record_suspect(record, &row.key, "found", NULL), 0);
	assert_int_equal(record_suspect(record, &done.key, "found", NULL), 0);
	assert_int_equal(record_find(record, &row.key, &after, NULL), 1);
	assert_int_equal(after.state, RECORD_HELD);
	assert_int_equal(after.waits, WAITS_SCANNER);
	assert_string_equal(after.judged, MESSAGE_JUDGED_AGAIN);
	assert_string_equal(after.reason, "found");
	assert_int_equal(record_find(record, &done.key, &after, NULL), 1);
	assert_int_equal(after.state, RECORD_DONE);
	assert_int_equal(record_count_suspects(record, &count, NULL), 0);
	assert_int_equal(count, 1);
	assert_int_equal(record_take_unparked(record, "INBOX", 7, &done_uid, NULL), 0);
	assert_int_equal(done_uid, 4);
	assert_string_equal(delivered(0), "6 ");
	(void)put(5, RECORD_SETTLED, ACTION_CLEAN, 100);
	assert_int_equal(record_count_suspects(record, &count, NULL), 0);
	assert_int_equal(count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_was_delivered_with_its_content_is_told_in_its_order),
		TEST(how_far_it_came_is_kept),
		TEST(which_signatures_scanned_it_is_told_with_a_delivery),
		TEST(a_message_goes_on_under_the_name_that_replaced_it),
		TEST(what_is_not_replaced_after_all_stays_as_it_was),
		TEST(a_suspect_is_listed_and_fetched_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
