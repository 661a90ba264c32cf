/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/file.h"

#include "mailfilter/record_look.h"

enum {
	ALL_STATES = ~0U >> 1
};

static char top[64], dir[80], db[96];

static int setup(void **state)
{
	(void)state;
	(void)strcpy(top, "/tmp/test_record.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	(void)snprintf(dir, sizeof(dir), "%s/account", top);
	(void)snprintf(db, sizeof(db), "%s/state.db", dir);
	return 0;
}

static int teardown(void **state)
{
	struct err err = { 0 };

	(void)state;
	return file_remove_tree(top, true, &err);
}

static struct record *open_record(bool read_only)
{
	struct record *record = NULL;
	struct err err = { 0 };

	if (record_open(dir, read_only, &record, &err) < 0)
		fail_msg("%s", err.text);
	return record;
}

static struct record_row a_row(const char *folder, unsigned uid, enum record_state state)
{
	struct record_row row = { .state = state, .key.uidvalidity = 7, .time_s = 1 };

	(void)snprintf(row.key.folder, sizeof(row.key.folder), "%s", folder);
	(void)snprintf(row.key.uid, sizeof(row.key.uid), "%u", uid);
	(void)snprintf(row.name, sizeof(row.name), "name-%u", uid);
	return row;
}

static void put(
	struct record *record, const char *folder, unsigned uid, enum record_state state)
{
	const struct record_row row = a_row(folder, uid, state);
	struct err err = { 0 };

	if (record_put(record, &row, &err) < 0)
		fail_msg("%s", err.text);
}

static int find(
	struct record *record, const char *folder, unsigned uid, struct record_row *row_r)
{
	const struct record_row row = a_row(folder, uid, RECORD_HELD);
	struct err err = { 0 };

	return record_find(record, &row.key, row_r, &err);
}

static uint64_t held(struct record *record)
{
	struct record_counts counts;
	struct err err = { 0 };

	assert_int_equal(record_count(record, &counts, &err), 0);
	return counts.held;
}

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

static int see_item(const struct record_quarantined *item, void *arg)
{
	struct seen *seen = arg;

	seen->uids[seen->count++] = (unsigned)item->size;
	return seen->count == seen->stop_at ? -1 : 0;
}

static void quarantined_items_are_found_and_walked_by_id(void **state)
{
	struct record *record = open_record(false);
	struct record_quarantined found, item = {
		.key = { "INBOX", 1, "9" },
		.time_s = 77,
		.why = "Eicar-Test-Signature",
		.subject = "\xff'\"",
		.sender = "a@example.org",
	};
	struct seen seen = { 0 };
	struct err err = { 0 };

	(void)state;
	memset(item.hash.bytes, 0xa5, HASH_SIZE);
	for (unsigned i = 300; i-- > 0;) {
		/* From none to all there is room for. */
		item.found_count = i ? i % RECORD_FOUND_MAX : RECORD_FOUND_MAX;
		for (size_t n = 0; n < RECORD_FOUND_MAX; n++) {
			item.found[n] = (struct record_found){ 0 };
			if (n >= item.found_count)
				continue;
			(void)snprintf(item.found[n].part, FINDING_PART_MAX, "1.%zu", n);
			memset(item.found[n].name, 0xff, FINDING_NAME_MAX - 1);
			memset(item.found[n].signature, 'x', FINDING_SIGNATURE_MAX - 1);
			item.found[n].hash.bytes[0] = (uint8_t)n;
		}
		(void)snprintf(item.id, sizeof(item.id), "id-%05u", i);
		item.size = i;
		assert_int_equal(record_put_quarantined(record, &item, &err), 0);
	}
	assert_int_equal(record_put_quarantined(record, &item, &err), 0);
	assert_int_equal(record_find_quarantined(record, "none", &found, &err), 0);
	assert_int_equal(record_find_quarantined(record, "id-00000", &found, &err), 1);
	assert_memory_equal(&found, &item, sizeof(item));
	assert_int_equal(record_each_quarantined(record, see_item, &seen, &err), 0);
	assert_int_equal(seen.count, 300);
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(seen.uids[i], i);
	seen = (struct seen){ .stop_at = 7 };
	assert_int_equal(record_each_quarantined(record, see_item, &seen, &err), 0);
	assert_int_equal(seen.count, 7);
	record_close(record);
}

static void rollback_leaves_what_was_before(void **state)
{
	struct record *record = open_record(false);
	struct err err = { 0 };

	(void)state;
	put(record, "A", 1, RECORD_HELD);
	record_rollback(record);
	assert_int_equal(record_begin(record, &err), 0);
	put(record, "A", 2, RECORD_HELD);
	assert_int_equal(held(record), 2);
	record_rollback(record);
	assert_int_equal(held(record), 1);
	assert_int_equal(record_begin(record, &err), 0);
	put(record, "A", 3, RECORD_HELD);
	assert_int_equal(record_commit(record, &err), 0);
	assert_int_equal(held(record), 2);
	record_close(record);
}

static void close_rolls_back_and_accepts_null(void **state)
{
	struct record *record = open_record(false);
	struct err err = { 0 };

	(void)state;
	record_close(NULL);
	assert_int_equal(record_begin(record, &err), 0);
	put(record, "A", 1, RECORD_HELD);
	record_close(record);
	record = open_record(false);
	assert_int_equal(held(record), 0);
	record_close(record);
}

static void commit_without_begin_is_refused(void **state)
{
	struct record *record = open_record(false);
	struct err err = { 0 };

	(void)state;
	assert_int_equal(record_commit(record, &err), -1);
	assert_int_equal(record_begin(record, &err), 0);
	assert_int_equal(record_begin(record, &err), -1);
	/* The mistake dooms the transaction it was made in. */
	assert_int_equal(record_commit(record, &err), -1);
	assert_int_equal(record_begin(record, &err), 0);
	assert_int_equal(record_commit(record, &err), 0);
	record_close(record);
}

static void a_killed_writer_leaves_its_commits_and_no_more(void **state)
{
	struct record *record;
	struct err err = { 0 };
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0) {
		record = open_record(false);
		(void)record_begin(record, &err);
		put(record, "A", 1, RECORD_HELD);
		(void)record_commit(record, &err);
		(void)record_begin(record, &err);
		put(record, "A", 2, RECORD_HELD);
		(void)raise(SIGKILL);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	record = open_record(true);
	assert_int_equal(held(record), 1);
	record_close(record);
	record = open_record(false);
	assert_int_equal(held(record), 1);
	put(record, "A", 3, RECORD_HELD);
	record_close(record);
}

static void a_reader_sees_what_is_committed_while_a_writer_works(void **state)
{
	struct record *writer = open_record(false), *reader;
	struct err err = { 0 };

	(void)state;
	put(writer, "A", 1, RECORD_HELD);
	assert_int_equal(record_begin(writer, &err), 0);
	put(writer, "A", 2, RECORD_HELD);
	reader = open_record(true);
	assert_int_equal(held(reader), 1);
	assert_int_equal(record_commit(writer, &err), 0);
	assert_int_equal(held(reader), 2);
	record_close(writer);
	assert_int_equal(held(reader), 2);
	record_close(reader);
	reader = open_record(true);
	assert_int_equal(held(reader), 2);
	record_close(reader);
}

static void a_reader_may_not_write(void **state)
{
	struct record_row row = a_row("A", 1, RECORD_HELD);
	struct record *record = open_record(false);
	struct err err = { 0 };

	(void)state;
	record_close(record);
	record = open_record(true);
	assert_int_equal(record_put(record, &row, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	record_close(record);
}

static void a_reader_of_nothing_sees_nothing_and_makes_nothing(void **state)
{
	struct record *record = open_record(true);
	struct stat st;

	(void)state;
	assert_int_equal(held(record), 0);
	record_close(record);
	assert_int_equal(stat(dir, &st), -1);
	/* A worker that was killed before its first table. */
	assert_int_equal(mkdir(dir, 0700), 0);
	(void)close(open(db, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	record = open_record(true);
	assert_int_equal(held(record), 0);
	record_close(record);
	record = open_record(false);
	put(record, "A", 1, RECORD_HELD);
	record_close(record);
}

static void nobody_else_may_read_whatever_the_umask(void **state)
{
	static const char *const files[] = { "state.db", "state.db-wal", "state.db-shm" };
	mode_t old = umask(0);
	struct record *record = open_record(false);
	struct stat st;

	(void)state;
	put(record, "A", 1, RECORD_HELD);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[128];

		(void)snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	record_close(record);
	(void)umask(old);
}

static void sql(const char *text)
{
	sqlite3 *connection = NULL;

	assert_int_equal(sqlite3_open(db, &connection), SQLITE_OK);
	assert_int_equal(sqlite3_exec(connection, text, NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(connection);
}

static int user_version(void)
{
	sqlite3 *connection = NULL;
	sqlite3_stmt *statement = NULL;
	int version;

	assert_int_equal(sqlite3_open(db, &connection), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(
				 connection, "PRAGMA user_version", -1, &statement, NULL),
		SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	version = sqlite3_column_int(statement, 0);
	(void)sqlite3_finalize(statement);
	(void)sqlite3_close(connection);
	return version;
}

static void refused(const char *word)
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

/* As the first version of the program made it. */
static const char first_form[] =
	"CREATE TABLE message (change INTEGER PRIMARY KEY, folder TEXT NOT NULL,"
	" uidvalidity INTEGER NOT NULL, uid TEXT NOT NULL, state INTEGER NOT NULL,"
	" action INTEGER NOT NULL, name TEXT NOT NULL, quarantine_id TEXT NOT NULL,"
	" verdict TEXT NOT NULL, reason TEXT NOT NULL, judged TEXT NOT NULL,"
	" size INTEGER NOT NULL, attempts INTEGER NOT NULL, time_s INTEGER NOT NULL,"
	" UNIQUE (folder, uidvalidity, uid));"
	"CREATE TABLE folder (folder TEXT PRIMARY KEY, uidvalidity INTEGER NOT NULL,"
	" done_uid INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE run (id INTEGER PRIMARY KEY CHECK (id = 1),"
	" time_s INTEGER NOT NULL, summary TEXT NOT NULL);"
	"CREATE TABLE quarantined (id TEXT PRIMARY KEY, folder TEXT NOT NULL,"
	" uidvalidity INTEGER NOT NULL, uid TEXT NOT NULL, time_s INTEGER NOT NULL,"
	" size INTEGER NOT NULL, why TEXT NOT NULL, subject TEXT NOT NULL,"
	" sender TEXT NOT NULL, hash BLOB NOT NULL) WITHOUT ROWID;"
	"INSERT INTO message VALUES (4, 'A', 7, '1', 5, 1, 'n', '', '', '', '', 20, 0, 9);"
	"INSERT INTO message VALUES (5, '', 0, 'x', 5, 1, 'n', '', '', '', '', 20, 0, 9);"
	"INSERT INTO folder VALUES ('A', 7, 1);"
	"PRAGMA application_id = 0x6d666c74; PRAGMA user_version = 1;";

static void a_database_of_an_older_version_is_brought_up_to_date(void **state)
{
	struct record *record = NULL;
	struct record_folder folder;
	struct record_row row;
	struct err err = { 0 };
	int64_t began_s = -1;
	struct record_quarantined quarantined;
	uint64_t untold = 0;

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	sql(first_form);
	/* Who only reads cannot do it. */
	assert_int_equal(record_open(dir, true, &record, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_non_null(strstr(err.text, "older mailfilter"));
	for (int i = 0; i < 2; i++) {
		record = open_record(false);
		assert_int_equal(find(record, "A", 1, &row), 1);
		assert_int_equal(row.size, 20);
		assert_false(row.head.known);
		assert_int_equal(record_find_folder(record, "A", &folder, &err), 1);
		assert_int_equal(folder.done_uid, 1);
		assert_int_equal(record_find_folder(record, "", &folder, &err), 1);
		assert_int_equal(record_began(record, &began_s, &err), 0);
		assert_int_equal(began_s, 0);
		assert_int_equal(record_untold(record, "A", 0, &untold, &err), 0);
		assert_int_equal(untold, 1);
		assert_int_equal(
			record_find_quarantined(record, "none", &quarantined, &err), 0);
		assert_int_equal(record_set_fate(record, "an-id", RECORD_RELEASED, "name",
					 1, &err),
			0);
		record_close(record);
	}
	record = open_record(true);
	record_close(record);
}

/* As the third version made it, with the intent of a delivery. */
static const char third_form[] =
	"CREATE TABLE message (change INTEGER PRIMARY KEY, folder TEXT NOT NULL,"
	" uidvalidity INTEGER NOT NULL, uid TEXT NOT NULL, state INTEGER NOT NULL,"
	" action INTEGER NOT NULL, name TEXT NOT NULL, quarantine_id TEXT NOT NULL,"
	" verdict TEXT NOT NULL, reason TEXT NOT NULL, judged TEXT NOT NULL,"
	" size INTEGER NOT NULL, attempts INTEGER NOT NULL, time_s INTEGER NOT NULL,"
	" rule TEXT NOT NULL DEFAULT '', since_s INTEGER NOT NULL DEFAULT 0,"
	" listed_size INTEGER NOT NULL DEFAULT 0, head BLOB NOT NULL DEFAULT x'',"
	" stray_s INTEGER NOT NULL DEFAULT 0, UNIQUE (folder, uidvalidity, uid));"
	"CREATE TABLE folder (folder TEXT PRIMARY KEY, uidvalidity INTEGER NOT NULL,"
	" done_uid INTEGER NOT NULL, since_s INTEGER NOT NULL DEFAULT 0,"
	" changes INTEGER NOT NULL DEFAULT 0, began_s INTEGER NOT NULL DEFAULT 0,"
	" passed_uid INTEGER NOT NULL DEFAULT 0, passed_s INTEGER NOT NULL DEFAULT 0)"
	" WITHOUT ROWID;"
	"CREATE TABLE run (id INTEGER PRIMARY KEY CHECK (id = 1),"
	" time_s INTEGER NOT NULL, summary TEXT NOT NULL);"
	"CREATE TABLE quarantined (id TEXT PRIMARY KEY, folder TEXT NOT NULL,"
	" uidvalidity INTEGER NOT NULL, uid TEXT NOT NULL, time_s INTEGER NOT NULL,"
	" size INTEGER NOT NULL, why TEXT NOT NULL, subject TEXT NOT NULL,"
	" sender TEXT NOT NULL, hash BLOB NOT NULL, found BLOB NOT NULL DEFAULT x'')"
	" WITHOUT ROWID;"
	"CREATE TABLE fate (id TEXT PRIMARY KEY, fate INTEGER NOT NULL,"
	" fate_s INTEGER NOT NULL, name TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE unparked (folder TEXT NOT NULL, uidvalidity INTEGER NOT NULL,"
	" uid INTEGER NOT NULL, PRIMARY KEY (folder, uidvalidity, uid)) WITHOUT ROWID;"
	"INSERT INTO message VALUES (4, 'A', 7, '1', 3, 1, 'n', '', '', '', '', 20, 0, 9,"
	" 'lists', 8, 20, x'', 0);"
	"PRAGMA application_id = 0x6d666c74; PRAGMA user_version = 3;";

static void of_a_delivery_begun_by_an_older_version_no_folder_is_known(void **state)
{
	char(*targets)[MESSAGE_TARGET_MAX] = NULL;
	struct record_row row;
	size_t count = 1;

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	sql(third_form);
	for (int i = 0; i < 2; i++) {
		struct record *record = open_record(false);

		assert_int_equal(find(record, "A", 1, &row), 1);
		assert_int_equal(row.state, RECORD_INTENT);
		assert_int_equal(row.waits, WAITS_VISIT);
		assert_int_equal(row.since_s, 8);
		assert_false(row.target_known);
		assert_string_equal(row.target, "");
		assert_int_equal(record_targets(record, &targets, &count, NULL), 0);
		assert_int_equal(count, 0);
		free(take_ptr(&targets));
		record_close(record);
	}
	assert_int_equal(user_version(), 8);
}

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

static void a_database_of_a_newer_version_is_refused_and_untouched(void **state)
{
	struct record *record = open_record(false);
	char mark[64];
	int version;

	(void)state;
	put(record, "A", 1, RECORD_HELD);
	record_close(record);
	version = user_version();
	(void)snprintf(mark, sizeof(mark), "PRAGMA user_version = %d", version);
	sql("PRAGMA user_version = 1000");
	refused("newer mailfilter");
	sql("PRAGMA user_version = 0");
	refused("no form");
	sql(mark);
	record = open_record(false);
	assert_int_equal(held(record), 1);
	record_close(record);
}

static struct record_quarantined an_item(const char *id, uint8_t digest)
{
	struct record_quarantined item = { .size = 100, .time_s = 5 };

	(void)snprintf(item.id, sizeof(item.id), "%s", id);
	memset(item.hash.bytes, digest, sizeof(item.hash.bytes));
	return item;
}

static void the_fate_of_an_original_is_told_with_it_and_dropped_with_it(void **state)
{
	const struct record_quarantined first = an_item("id-1", 1),
					second = an_item("id-2", 2);
	struct record *record = open_record(false);
	struct record_quarantined got;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(record_put_quarantined(record, &first, &err), 0);
	assert_int_equal(record_put_quarantined(record, &second, &err), 0);
	assert_int_equal(record_find_quarantined(record, "id-1", &got, &err), 1);
	assert_int_equal(got.fate, RECORD_KEPT);
	assert_int_equal(got.fate_s, 0);
	assert_string_equal(got.name, "");
	assert_int_equal(record_is_released(record, 0, NULL, &err), 0);
	assert_int_equal(
		record_set_fate(record, "id-1", RECORD_RELEASING, "name", 77, &err), 0);
	assert_int_equal(record_is_released(record, 0, NULL, &err), 1);
	assert_int_equal(
		record_set_fate(record, "id-1", RECORD_RELEASED, "name", 78, &err), 0);
	assert_int_equal(record_find_quarantined(record, "id-1", &got, &err), 1);
	assert_int_equal(got.fate, RECORD_RELEASED);
	assert_int_equal(got.fate_s, 78);
	assert_string_equal(got.name, "name");
	assert_int_equal(record_is_released(record, 0, NULL, &err), 1);
	assert_int_equal(record_is_released(record, 100, NULL, &err), 1);
	assert_int_equal(record_is_released(record, 101, NULL, &err), 0);
	assert_int_equal(record_is_released(record, 100, &first.hash, &err), 1);
	/* In quarantine, too, but not released. */
	assert_int_equal(record_is_released(record, 100, &second.hash, &err), 0);
	/* Kept again under its id, as by a try that was repeated. */
	assert_int_equal(record_put_quarantined(record, &first, &err), 0);
	assert_int_equal(record_is_released(record, 100, &first.hash, &err), 1);
	assert_int_equal(record_drop_quarantined(record, "id-1", &err), 0);
	assert_int_equal(record_find_quarantined(record, "id-1", &got, &err), 0);
	assert_int_equal(record_is_released(record, 0, NULL, &err), 0);
	assert_int_equal(record_find_quarantined(record, "id-2", &got, &err), 1);
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

static void a_database_of_another_program_is_refused(void **state)
{
	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	sql("CREATE TABLE theirs (x)");
	refused("not made by mailfilter");
}

static void damage(off_t offset, size_t len)
{
	auto_close int fd = open(db, O_WRONLY | O_CLOEXEC);
	char junk[4096];

	memset(junk, 0x5a, sizeof(junk));
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, junk, len, offset), (ssize_t)len);
}

static void a_file_that_is_no_database_says_what_to_do(void **state)
{
	(void)state;
	record_close(open_record(false));
	damage(0, 100);
	refused("move it away");
}

static void reads_between_begin_and_end_see_what_stood_at_the_begin(void **state)
{
	const struct record_row old = a_row("A", 1, RECORD_HELD),
				new = a_row("A", 2, RECORD_HELD);
	struct record *record = open_record(false), *other = open_record(false);
	enum record_state found = 0;
	struct err err = { 0 };

	(void)state;
	put(record, "A", 1, RECORD_PARKED);
	assert_int_equal(record_begin_reading(record, &err), 0);
	assert_int_equal(record_find_state(record, &old.key, &found, &err), 1);
	assert_int_equal(found, RECORD_PARKED);
	put(other, "A", 2, RECORD_DONE);
	assert_int_equal(record_find_state(record, &new.key, &found, &err), 0);
	assert_int_equal(found, RECORD_PARKED);
	record_end_reading(record);
	assert_int_equal(record_find_state(record, &new.key, &found, &err), 1);
	assert_int_equal(found, RECORD_DONE);
	put(record, "A", 3, RECORD_HELD);
	record_close(other);
	record_close(record);
}

static void damaged_pages_are_an_error_and_not_an_unknown_message(void **state)
{
	struct record *record = open_record(false);
	struct record_row row;
	struct stat st;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(record_begin(record, &err), 0);
	for (unsigned i = 0; i < 2000; i++)
		put(record, "A", i, RECORD_HELD);
	assert_int_equal(record_commit(record, &err), 0);
	record_close(record);
	assert_int_equal(stat(db, &st), 0);
	for (off_t page = 4096; page < st.st_size; page += 4096)
		damage(page, 4096);
	record = open_record(false);
	row = a_row("A", 5, RECORD_HELD);
	assert_int_equal(record_find(record, &row.key, &row, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	assert_non_null(strstr(err.text, "move it away"));
	record_close(record);
}

static void put_many(struct record *record, unsigned count, struct err *err)
{
	for (unsigned i = 0; i < count; i++) {
		const struct record_row row = a_row("A", 1000 + i, RECORD_HELD);

		if (record_put(record, &row, err) < 0)
			return;
	}
}

static int on_a_full_disk(void)
{
	struct rlimit limit = { 0, RLIM_INFINITY };
	struct record *record = open_record(false);
	struct err err = { 0 };
	struct stat st;
	char wal[128];

	(void)signal(SIGXFSZ, SIG_IGN);
	for (unsigned i = 0; i < 10; i++)
		put(record, "A", i, RECORD_HELD);
	(void)snprintf(wal, sizeof(wal), "%s-wal", db);
	if (stat(wal, &st) < 0)
		return 1;
	limit.rlim_cur = (rlim_t)st.st_size + 20000;
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0 || record_begin(record, &err) < 0)
		return 2;
	put_many(record, 10000, &err);
	if (record_commit(record, &err) == 0 || err.kind != ERR_AGAIN)
		return 3;
	if (held(record) != 10)
		return 4;
	limit.rlim_cur = RLIM_INFINITY;
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0 || record_begin(record, &err) < 0)
		return 5;
	put_many(record, 100, &err);
	if (record_commit(record, &err) < 0 || held(record) != 110)
		return 6;
	record_close(record);
	return 0;
}

static void a_full_disk_is_again_and_nothing_is_half_written(void **state)
{
	struct record *record;
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(on_a_full_disk());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	record = open_record(true);
	assert_int_equal(held(record), 110);
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

static void a_folder_that_cannot_be_made_is_the_owners_to_mend(void **state)
{
	struct record *record = NULL;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(record_open("/proc/none", false, &record, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	(void)close(open(dir, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	assert_int_equal(record_open(dir, false, &record, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

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
		TEST(folders_keep_what_was_put),
		TEST(strays_are_found_by_what_tells_them_and_by_no_key),
		TEST(strays_of_a_folder_that_is_no_more_are_anybodys),
		TEST(strays_that_are_only_kept_do_not_count),
		TEST(the_last_run_is_kept_and_cut_to_the_room_given),
		TEST(quarantined_items_are_found_and_walked_by_id),
		TEST(rollback_leaves_what_was_before),
		TEST(close_rolls_back_and_accepts_null),
		TEST(commit_without_begin_is_refused),
		TEST(a_killed_writer_leaves_its_commits_and_no_more),
		TEST(a_reader_sees_what_is_committed_while_a_writer_works),
		TEST(a_reader_may_not_write),
		TEST(a_reader_of_nothing_sees_nothing_and_makes_nothing),
		TEST(nobody_else_may_read_whatever_the_umask),
		TEST(a_database_of_an_older_version_is_brought_up_to_date),
		TEST(of_a_delivery_begun_by_an_older_version_no_folder_is_known),
		TEST(the_folders_of_what_was_begun_and_is_not_done_are_told),
		TEST(a_database_of_a_newer_version_is_refused_and_untouched),
		TEST(reasons_are_counted_with_the_oldest_first_seen),
		TEST(a_uid_is_found_in_each_folder_that_has_it),
		TEST(what_is_unparked_is_listed_again_and_nothing_else),
		TEST(the_fate_of_an_original_is_told_with_it_and_dropped_with_it),
		TEST(a_database_of_another_program_is_refused),
		TEST(a_file_that_is_no_database_says_what_to_do),
		TEST(reads_between_begin_and_end_see_what_stood_at_the_begin),
		TEST(damaged_pages_are_an_error_and_not_an_unknown_message),
		TEST(a_full_disk_is_again_and_nothing_is_half_written),
		TEST(ten_thousand_rows_take_no_time),
		TEST(a_folder_that_cannot_be_made_is_the_owners_to_mend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
