/* SPDX-License-Identifier: ISC */
#include "tests/mailfilter/recorded.h"

static void the_folders_of_what_was_begun_and_is_not_done_are_told(void **state)
{
	static const struct {
		const char *target;
		enum record_state state;
	} rows[] = { { "A", RECORD_INTENT }, { "B", RECORD_DONE }, { "", RECORD_INTENT },
		{ "C", RECORD_INTENT }, { "A", RECORD_INTENT }, { "D", RECORD_HELD } };
	struct record *record = open_record(false);
	char(*targets)[MESSAGE_TARGET_MAX] = NULL;
	size_t count = 0;

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct record_row row = a_row("INBOX", i, rows[i].state);

		(void)snprintf(row.target, sizeof(row.target), "%s", rows[i].target);
		row.target_known = true;
		assert_int_equal(record_put(record, &row, NULL), 0);
	}
	assert_int_equal(record_targets(record, &targets, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_string_equal(targets[0], "A");
	assert_string_equal(targets[1], "C");
	free(targets);
	record_close(record);
}

static void note_reason(const struct record_reason *reason, void *arg)
{
	char *text = arg;
	const size_t used = strlen(text);

	(void)snprintf(text + used, 500 - used, "%d:%s:%d:%d:%d|", (int)reason->state,
		reason->reason, (int)reason->waits, (int)reason->count,
		(int)reason->since_s);
}

static void put_because(struct record *record, const char *folder, unsigned uid,
	enum record_state state, const char *reason, const char *judged)
{
	struct record_row row = a_row(folder, uid, state);

	row.since_s = 100 + uid;
	(void)snprintf(row.reason, sizeof(row.reason), "%s", reason);
	(void)snprintf(row.judged, sizeof(row.judged), "%s", judged);
	row.waits = judged[0] ? WAITS_SCANNER : WAITS_VISIT;
	assert_int_equal(record_put(record, &row, NULL), 0);
}

static void reasons_are_counted_with_the_oldest_first_seen(void **state)
{
	struct record *record = open_record(false);
	char text[500] = "";

	(void)state;
	put_because(record, "A", 5, RECORD_HELD, "no scanner", "link");
	put_because(record, "A", 3, RECORD_HELD, "no scanner", "link");
	put_because(record, "B", 9, RECORD_HELD, "disk full", "");
	put_because(record, "B", 7, RECORD_PARKED, "too large", "");
	put_because(record, "B", 8, RECORD_SETTLED, "ignored", "");
	assert_int_equal(record_each_reason(record, note_reason, text, NULL), 0);
	assert_string_equal(
		text, "1:no scanner:1:2:103|1:disk full:0:1:109|2:too large:0:1:107|");
	record_close(record);
}

static void count_uid(const struct record_row *row, void *arg)
{
	int *sum = arg;

	*sum = *sum * 10 + (row->key.folder[0] - 'A' + 1);
}

static void a_uid_is_found_in_each_folder_that_has_it(void **state)
{
	struct record *record = open_record(false);
	int sum = 0;

	(void)state;
	put(record, "B", 5, RECORD_HELD);
	put(record, "A", 5, RECORD_SETTLED);
	put(record, "A", 55, RECORD_SETTLED);
	assert_int_equal(record_each_uid(record, NULL, "5", count_uid, &sum, NULL), 0);
	assert_int_equal(sum, 12);
	sum = 0;
	assert_int_equal(record_each_uid(record, "B", "5", count_uid, &sum, NULL), 0);
	assert_int_equal(sum, 2);
	sum = 0;
	assert_int_equal(record_each_uid(record, "C", "5", count_uid, &sum, NULL), 0);
	assert_int_equal(sum, 0);
	record_close(record);
}

static void what_is_unparked_is_listed_again_and_nothing_else(void **state)
{
	struct record *record = open_record(false);
	struct record_row row = { 0 };
	struct record_folder folder = { .name = "A", .uidvalidity = 7, .done_uid = 10 };
	uint32_t done = 10;
	uint64_t count = 9;

	(void)state;
	put(record, "A", 4, RECORD_PARKED);
	put(record, "A", 6, RECORD_PARKED);
	put(record, "A", 8, RECORD_SETTLED);
	put(record, "B", 6, RECORD_PARKED);
	assert_int_equal(record_put_folder(record, &folder, NULL), 0);
	assert_int_equal(record_take_unparked(record, "A", 7, &done, NULL), 0);
	assert_int_equal(done, 10);
	assert_int_equal(record_unpark(record, "A", "8", &count, NULL), 0);
	assert_int_equal(count, 0);
	assert_int_equal(record_unpark(record, "A", "6", &count, NULL), 0);
	assert_int_equal(count, 1);
	row = a_row("A", 6, RECORD_HELD);
	assert_int_equal(record_find(record, &row.key, &row, NULL), 1);
	assert_int_equal(row.state, RECORD_HELD);
	assert_int_equal(row.attempts, 0);
	/* Another UIDVALIDITY's UIDs are others. */
	assert_int_equal(record_take_unparked(record, "A", 8, &done, NULL), 0);
	assert_int_equal(done, 10);
	assert_int_equal(record_take_unparked(record, "A", 7, &done, NULL), 0);
	assert_int_equal(done, 5);
	done = 10;
	assert_int_equal(record_take_unparked(record, "A", 7, &done, NULL), 0);
	assert_int_equal(done, 10);
	assert_int_equal(record_find_folder(record, "A", &folder, NULL), 1);
	assert_int_equal(folder.done_uid, 5);
	assert_int_equal(record_unpark(record, NULL, NULL, &count, NULL), 0);
	assert_int_equal(count, 2);
	assert_int_equal(record_take_unparked(record, "A", 7, &done, NULL), 0);
	assert_int_equal(done, 3);
	record_close(record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_folders_of_what_was_begun_and_is_not_done_are_told),
		TEST(reasons_are_counted_with_the_oldest_first_seen),
		TEST(a_uid_is_found_in_each_folder_that_has_it),
		TEST(what_is_unparked_is_listed_again_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
