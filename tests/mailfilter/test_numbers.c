/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "common/file.h"

#include "mailfilter/numbers.h"

static const char *text_of(struct metrics *metrics)
{
	const char *text = NULL;

	assert_int_equal(metrics->err.kind, ERR_NONE);
	assert_int_equal(buf_text(&metrics->out, &text, NULL), 0);
	return text;
}

static void put(struct record *record, const char *uid, enum record_state state,
	const char *verdict)
{
	struct record_row row = { .state = state };
	struct err err = { 0 };

	(void)snprintf(row.key.folder, sizeof(row.key.folder), "INBOX");
	(void)snprintf(row.key.uid, sizeof(row.key.uid), "%s", uid);
	(void)snprintf(row.verdict, sizeof(row.verdict), "%s", verdict);
	row.key.uidvalidity = 1;
	assert_int_equal(record_put(record, &row, &err), 0);
}

static void what_is_on_record_is_counted(void **state)
{
	char dir[] = "/tmp/test_numbers.XXXXXX";
	struct record_quarantined items[] = {
		{ .id = "20260101T000000-0123456789abcdef",
			.time_s = 1767225601,
			.size = 500 },
		{ .id = "20260101T000000-0123456789abcde0",
			.time_s = 1767225600,
			.size = 70 },
		/* by a clock that was not set */
		{ .id = "19700101T000000-0123456789abcde1", .time_s = 100, .size = 3 },
	};
	const struct record_rescan rescan = {
		.generation = 7, .scanned = 412, .infected = 2
	};
	struct record *record = NULL;
	struct numbers numbers = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(record_open(dir, false, &record, &err), 0);
	assert_int_equal(record_begin(record, &err), 0);
	put(record, "1", RECORD_SETTLED, "clean");
	put(record, "2", RECORD_DONE, "infected");
	put(record, "3", RECORD_HELD, "");
	put(record, "4", RECORD_PARKED, "");
	put(record, "5", RECORD_PASSED, "");
	for (size_t i = 0; i < sizeof(items) / sizeof(*items); i++)
		assert_int_equal(record_put_quarantined(record, &items[i], &err), 0);
	assert_int_equal(record_commit(record, &err), 0);
	assert_int_equal(numbers_take(record, &numbers, &err), 0);
	assert_true(numbers.known);
	assert_int_equal(numbers.counts.done, 2);
	assert_int_equal(numbers.counts.infected, 1);
	assert_int_equal(numbers.counts.held, 1);
	assert_int_equal(numbers.counts.parked, 1);
	assert_int_equal(numbers.quarantine.count, 3);
	assert_int_equal(numbers.quarantine.bytes, 573);
	assert_int_equal(numbers.quarantine.oldest_s, 1767225600);
	assert_false(numbers.rescanned);
	assert_int_equal(record_put_rescan(record, &rescan, &err), 0);
	assert_int_equal(numbers_take(record, &numbers, &err), 0);
	assert_true(numbers.rescanned);
	assert_int_equal(numbers.rescan.generation, 7);
	assert_int_equal(numbers.rescan.scanned, 412);
	assert_int_equal(numbers.rescan.infected, 2);
	record_close(record);
	assert_int_equal(file_remove_tree(dir, true, &err), 0);
}

static const char expected[] =
	"# HELP mailfilter_account_last_run_timestamp_seconds When the account was served last; 0: never.\n"
	"# TYPE mailfilter_account_last_run_timestamp_seconds gauge\n"
	"mailfilter_account_last_run_timestamp_seconds{account=\"work\"} 1767225600\n"
	"mailfilter_account_last_run_timestamp_seconds{account=\"home\"} 0\n"
	"# HELP mailfilter_account_failed 1 where the last run did not serve the account to its end.\n"
	"# TYPE mailfilter_account_failed gauge\n"
	"mailfilter_account_failed{account=\"work\"} 0\n"
	"mailfilter_account_failed{account=\"home\"} 1\n"
	"# HELP mailfilter_account_messages Messages on record, by what became of them.\n"
	"# TYPE mailfilter_account_messages gauge\n"
	"mailfilter_account_messages{account=\"work\",state=\"done\"} 10\n"
	"mailfilter_account_messages{account=\"work\",state=\"held\"} 3\n"
	"mailfilter_account_messages{account=\"work\",state=\"parked\"} 2\n"
	"mailfilter_account_messages{account=\"work\",state=\"pending\"} 1\n"
	"# HELP mailfilter_account_infected_messages Messages on record that were infected.\n"
	"# TYPE mailfilter_account_infected_messages gauge\n"
	"mailfilter_account_infected_messages{account=\"work\"} 4\n"
	"# HELP mailfilter_account_quarantined_messages Originals in quarantine.\n"
	"# TYPE mailfilter_account_quarantined_messages gauge\n"
	"mailfilter_account_quarantined_messages{account=\"work\"} 5\n"
	"# HELP mailfilter_account_quarantined_bytes Their size.\n"
	"# TYPE mailfilter_account_quarantined_bytes gauge\n"
	"mailfilter_account_quarantined_bytes{account=\"work\"} 600\n"
	"# HELP mailfilter_account_quarantined_oldest_timestamp_seconds When the oldest of them was put there; 0: there is none.\n"
	"# TYPE mailfilter_account_quarantined_oldest_timestamp_seconds gauge\n"
	"mailfilter_account_quarantined_oldest_timestamp_seconds{account=\"work\"} 1767225600\n"
	"# HELP mailfilter_account_quarantine_check Is that too much, or too old: 0 ok, 1 a warning, 2 critical.\n"
	"# TYPE mailfilter_account_quarantine_check gauge\n"
	"mailfilter_account_quarantine_check{account=\"work\"} 1\n"
	"# HELP mailfilter_account_rescan_timestamp_seconds When delivered mail was scanned again to its end; 0: it is not yet.\n"
	"# TYPE mailfilter_account_rescan_timestamp_seconds gauge\n"
	"mailfilter_account_rescan_timestamp_seconds{account=\"work\"} 1767225700\n"
	"# HELP mailfilter_account_rescan_generation The number of the signatures that did it.\n"
	"# TYPE mailfilter_account_rescan_generation gauge\n"
	"mailfilter_account_rescan_generation{account=\"work\"} 7\n"
	"# HELP mailfilter_account_rescan_messages Delivered messages that were scanned again, and those of them that were infected.\n"
	"# TYPE mailfilter_account_rescan_messages gauge\n"
	"mailfilter_account_rescan_messages{account=\"work\",result=\"scanned\"} 412\n"
	"mailfilter_account_rescan_messages{account=\"work\",result=\"infected\"} 2\n";

static void an_account_of_which_nothing_is_known_has_no_counts(void **state)
{
	const struct numbers_account list[] = {
		{ .name = "work",
			.numbers = { .known = true,
				.counts = { .held = 3,
					.parked = 2,
					.pending = 1,
					.done = 10,
					.infected = 4 },
				.rescanned = true,
				.quarantine = { 5, 600, 1767225600 },
				.quarantine_level = CHECK_WARNING,
				.rescan = { .done_s = 1767225700,
					.generation = 7,
					.scanned = 412,
					.infected = 2 } },
			.last_s = 1767225600 },
		{ .name = "home", .failed = true },
	};
	struct metrics metrics DEFER(metrics_done);

	(void)state;
	metrics_init(&metrics);
	numbers_add(&metrics, list, 2);
	assert_string_equal(text_of(&metrics), expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_on_record_is_counted),
		cmocka_unit_test(an_account_of_which_nothing_is_known_has_no_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
