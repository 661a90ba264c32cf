/* SPDX-License-Identifier: ISC
 *
 * The rows of messages: found by key, counted, and walked. */
#include "tests/mailfilter/recorded.h"

#include "common/clock.h"

enum {
	ALL_STATES = ~0U >> 1
};

static void find_gives_back_every_field_that_was_put(void **state)
{
	struct record *record = open_record(false);
	struct err err = { 0 };
	struct record_row found;
	struct record_row row = {
		.key = { "Bücher/'; DROP TABLE message; --", 4294967295U, "x\"y\\z" },
		.state = RECORD_DONE,
		.action = ACTION_QUARANTINE,
		.name = "1.M2P3.host",
		.quarantine_id = "20260101-1",
		.verdict = "unscannable (limit)",
		.reason = "\x1b[31m\r\n\xff\xfe not UTF-8",
		.judged = "attachment,link",
		.target = "Lists.'; --",
		.target_known = true,
		.size = UINT64_MAX / 2,
		.attempts = UINT32_MAX,
		.time_s = 4102444800,
		.listed_size = UINT64_MAX / 2,
		.head = { .known = true, .hash = { { 0, 1, 2, 255 } } },
	};

	(void)state;
	assert_int_equal(record_find(record, &row.key, &found, &err), 0);
	assert_int_equal(record_put(record, &row, &err), 0);
	assert_int_equal(record_find(record, &row.key, &found, &err), 1);
	assert_string_equal(found.key.folder, row.key.folder);
	assert_string_equal(found.key.uid, row.key.uid);
	assert_int_equal(found.key.uidvalidity, row.key.uidvalidity);
	assert_int_equal(found.state, row.state);
	assert_int_equal(found.action, row.action);
	assert_string_equal(found.name, row.name);
	assert_string_equal(found.quarantine_id, row.quarantine_id);
	assert_string_equal(found.verdict, row.verdict);
	assert_string_equal(found.reason, row.reason);
	assert_string_equal(found.judged, row.judged);
	assert_string_equal(found.target, row.target);
	assert_true(found.target_known);
	assert_int_equal(found.size, row.size);
	assert_int_equal(found.attempts, row.attempts);
	assert_int_equal(found.time_s, row.time_s);
	assert_int_equal(found.listed_size, row.listed_size);
	assert_true(head_equal(&found.head, &row.head));
	record_close(record);
}

static void each_part_of_the_key_tells_messages_apart(void **state)
{
	static const struct message_key keys[] = {
		{ "INBOX", 1, "10" },
		{ "INBOX", 1, "11" },
		{ "INBOX", 2, "10" },
		{ "inbox", 1, "10" },
		{ "", 0, "10" },
		{ "", 0, "010" },
	};
	struct record *record = open_record(false);
	struct record_row row = { .state = RECORD_HELD };
	struct err err = { 0 };

	(void)state;
	for (uint32_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		row.key = keys[i];
		row.attempts = i;
		assert_int_equal(record_put(record, &row, &err), 0);
	}
	for (uint32_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		assert_int_equal(record_find(record, &keys[i], &row, &err), 1);
		assert_int_equal(row.attempts, i);
	}
	record_close(record);
}

static void put_replaces_and_leaves_one_row(void **state)
{
	struct record *record = open_record(false);
	struct record_counts counts;
	struct err err = { 0 };

	(void)state;
	put(record, "INBOX", 1, RECORD_HELD);
	put(record, "INBOX", 1, RECORD_INTENT);
	put(record, "INBOX", 1, RECORD_DONE);
	assert_int_equal(record_count(record, &counts, &err), 0);
	assert_int_equal(counts.held, 0);
	assert_int_equal(counts.pending, 0);
	assert_int_equal(counts.done, 1);
	record_close(record);
}

static void only_what_was_delivered_is_known_by_its_name(void **state)
{
	static const struct {
		enum record_state state;
		int delivered;
	} cases[] = { { RECORD_HELD, 0 }, { RECORD_PARKED, 1 }, { RECORD_INTENT, 0 },
		{ RECORD_DONE, 1 }, { RECORD_SETTLED, 1 } };
	struct record *record = open_record(false);
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put(record, "INBOX", 7, cases[i].state);
		assert_int_equal(
			record_is_delivered(record, "name-7", &err), cases[i].delivered);
		assert_int_equal(record_is_delivered(record, "name-8", &err), 0);
	}
	record_close(record);
}

static void counts_tell_the_states_and_the_infected(void **state)
{
	static const enum record_state states[] = { RECORD_HELD, RECORD_PARKED,
		RECORD_INTENT, RECORD_DONE, RECORD_SETTLED };
	struct record *record = open_record(false);
	struct record_counts counts;
	struct err err = { 0 };

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		struct record_row row = a_row("INBOX", i, states[i]);

		(void)snprintf(row.verdict, sizeof(row.verdict), "%s",
			i % 2 ? "infected, unscannable (limit)" : "clean");
		assert_int_equal(record_put(record, &row, &err), 0);
	}
	assert_int_equal(record_count(record, &counts, &err), 0);
	assert_int_equal(counts.held, 1);
	assert_int_equal(counts.parked, 1);
	assert_int_equal(counts.pending, 1);
	assert_int_equal(counts.done, 2);
	assert_int_equal(counts.infected, 2);
	record_close(record);
}

struct seen {
	struct record *record; /* to put each row again, NULL: only look */
	unsigned count, stop_at;
	unsigned uids[1000];
};

static int see(const struct record_row *row, void *arg)
{
	struct seen *seen = arg;
	struct err err = { 0 };

	assert_true(seen->count < 1000);
	seen->uids[seen->count++] = (unsigned)strtoul(row->key.uid, NULL, 10);
	if (seen->record)
		assert_int_equal(record_put(seen->record, row, &err), 0);
	return seen->count == seen->stop_at ? -1 : 0;
}

static void each_goes_by_the_last_change_through_all_pages(void **state)
{
	struct record *record = open_record(false);
	struct seen seen = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(record_begin(record, &err), 0);
	for (unsigned i = 0; i < 300; i++)
		put(record, "INBOX", i, RECORD_HELD);
	/* The first ones once more: now they are the last. */
	for (unsigned i = 0; i < 10; i++)
		put(record, "INBOX", i, RECORD_HELD);
	assert_int_equal(record_commit(record, &err), 0);
	assert_int_equal(record_each(record, NULL, 0, ALL_STATES, see, &seen, &err), 0);
	assert_int_equal(seen.count, 300);
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(seen.uids[i], (i + 10) % 300);
	record_close(record);
}

static void each_may_put_what_it_is_shown_and_still_ends(void **state)
{
	struct record *record = open_record(false);
	struct seen seen = { .record = record };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(record_begin(record, &err), 0);
	for (unsigned i = 0; i < 200; i++)
		put(record, "INBOX", i, RECORD_HELD);
	assert_int_equal(record_each(record, NULL, 0, ALL_STATES, see, &seen, &err), 0);
	assert_int_equal(record_commit(record, &err), 0);
	assert_int_equal(seen.count, 200);
	assert_int_equal(held(record), 200);
	record_close(record);
}

static void each_picks_folder_uidvalidity_and_states(void **state)
{
	static const struct {
		const char *folder;
		uint32_t uidvalidity;
		unsigned states, count;
	} cases[] = {
		{ NULL, 0, ALL_STATES, 5 },
		{ "A", 7, ALL_STATES, 3 },
		{ "A", 8, ALL_STATES, 0 },
		{ "B", 7, ALL_STATES, 1 },
		{ "", 7, ALL_STATES, 1 },
		{ "A", 7, 1U << RECORD_HELD, 1 },
		{ NULL, 0, 1U << RECORD_DONE | 1U << RECORD_SETTLED, 3 },
		{ NULL, 0, 0, 0 },
	};
	struct record *record = open_record(false);
	struct err err = { 0 };

	(void)state;
	put(record, "A", 1, RECORD_HELD);
	put(record, "A", 2, RECORD_DONE);
	put(record, "A", 3, RECORD_SETTLED);
	put(record, "B", 1, RECORD_DONE);
	put(record, "", 1, RECORD_PARKED);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct seen seen = { 0 };

		assert_int_equal(
			record_each(record, cases[i].folder, cases[i].uidvalidity,
				cases[i].states, see, &seen, &err),
			0);
		assert_int_equal(seen.count, cases[i].count);
	}
	record_close(record);
}

static void each_stops_when_told_and_that_is_no_error(void **state)
{
	struct record *record = open_record(false);
	struct seen seen = { .stop_at = 2 };
	struct err err = { 0 };

	(void)state;
	for (unsigned i = 0; i < 5; i++)
		put(record, "A", i, RECORD_HELD);
	assert_int_equal(record_each(record, NULL, 0, ALL_STATES, see, &seen, &err), 0);
	assert_int_equal(seen.count, 2);
	record_close(record);
}

static void the_last_run_is_kept_and_cut_to_the_room_given(void **state)
{
	struct record *record = open_record(false);
	char summary[8] = "before";
	int64_t last = 5;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(record_run(record, &last, summary, sizeof(summary), &err), 0);
	assert_int_equal(last, 0);
	assert_string_equal(summary, "");
	assert_int_equal(record_set_run(record, 1, "nothing new", &err), 0);
	assert_int_equal(record_set_run(record, 2, "3 new, 1 infected", &err), 0);
	assert_int_equal(record_run(record, &last, summary, sizeof(summary), &err), 0);
	assert_int_equal(last, 2);
	assert_string_equal(summary, "3 new, ");
	record_close(record);
}

static void ten_thousand_rows_take_no_time(void **state)
{
	struct record *record = open_record(false);
	const int64_t start = clock_ms();
	struct record_row row;
	struct err err = { 0 };

	(void)state;
	for (unsigned batch = 0; batch < 100; batch++) {
		assert_int_equal(record_begin(record, &err), 0);
		for (unsigned i = 0; i < 100; i++)
			put(record, "INBOX", batch * 100 + i, RECORD_SETTLED);
		assert_int_equal(record_commit(record, &err), 0);
	}
	for (unsigned i = 0; i < 10000; i++) {
		row = a_row("INBOX", i, RECORD_HELD);
		assert_int_equal(record_find(record, &row.key, &row, &err), 1);
		assert_int_equal(row.state, RECORD_SETTLED);
	}
	/* About 0.5 s here; a search through all rows each time would take minutes. */
	assert_true(clock_ms() - start < 20000);
	record_close(record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(find_gives_back_every_field_that_was_put),
		TEST(each_part_of_the_key_tells_messages_apart),
		TEST(put_replaces_and_leaves_one_row),
		TEST(only_what_was_delivered_is_known_by_its_name),
		TEST(counts_tell_the_states_and_the_infected),
		TEST(each_goes_by_the_last_change_through_all_pages),
		TEST(each_may_put_what_it_is_shown_and_still_ends),
		TEST(each_picks_folder_uidvalidity_and_states),
		TEST(each_stops_when_told_and_that_is_no_error),
		TEST(the_last_run_is_kept_and_cut_to_the_room_given),
		TEST(ten_thousand_rows_take_no_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
