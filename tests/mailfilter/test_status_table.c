/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "mailfilter/status_table.h"

enum {
	ROOM = 64 * 1024,
	COLUMNS_MAX = 80,
	NOW_S = 1800000000
};

static const char *text_of(struct buf *out)
{
	const char *text = NULL;

	assert_int_equal(buf_text(out, &text, NULL), 0);
	return text;
}

/* No line is too long, but for one that is a single word. */
static void check_columns(const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		const char *word = text + strspn(text, " -");

		if (len > COLUMNS_MAX && strcspn(word, " \n") + 2 < len)
			fail_msg("%.*s", (int)len, text);
		text += len + (text[len] != '\0');
	}
}

static void rows_stand_below_their_headings(void **state)
{
	static const char expected[] =
		"ACCOUNT               LAST RUN     DONE INFECTED    HELD  PARKED  STATE\n"
		"work                     3 min     1234       12       5       1  idle\n"
		"home                     never        -        -       -       -  failed\n"
		"a-name-of-more-than-twenty-letters\n"
		"                           9 d      10M        0       0       0  fetching\n"
		"SCANNER                     STATE       BUSY  QUEUE SIGNATURES      AGE    SET\n"
		"ipc:///run/scanner.sock     ready        3/4      7    8700000      5 h      2\n"
		"ipc:///run/mailfilter-scanner/scanner.sock\n"
		"                            absent         -      -          -        -      -\n";
	const struct status_account accounts[] = {
		{ .numbers = { .name = "work",
			  .last_s = NOW_S - 200,
			  .numbers = { .known = true,
				  .counts = { .done = 1234,
					  .infected = 12,
					  .held = 5,
					  .parked = 1 } } } },
		{ .numbers.name = "home", .state = STATUS_FAILED },
		{ .numbers = { .name = "a-name-of-more-than-twenty-letters",
			  .last_s = NOW_S - 9 * 86400 - 5,
			  .numbers = { .known = true, .counts.done = 10000000 } },
			.state = STATUS_FETCHING },
	};
	const struct status_scanner scanners[] = {
		{ .said = { .scanner = "ipc:///run/scanner.sock",
			  .alive = true,
			  .state = { .state = WIRE_READY,
				  .workers = 4,
				  .busy = 3,
				  .queued = 7,
				  .signatures = 8700000,
				  .dated_s = NOW_S - 5 * 3600 - 7,
				  .generation = 2 } } },
		{ .said.scanner = "ipc:///run/mailfilter-scanner/scanner.sock" },
	};
	auto_buf struct buf out;

	(void)state;
	buf_init(&out, ROOM);
	assert_int_equal(status_table_accounts_head(&out, NULL), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(
			status_table_account(&out, &accounts[i], NOW_S, NULL), 0);
	assert_int_equal(status_table_scanners_head(&out, NULL), 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(
			status_table_scanner(&out, &scanners[i], NOW_S, NULL), 0);
	assert_string_equal(text_of(&out), expected);
	check_columns(text_of(&out));
}

static void what_was_scanned_again_is_told_below_its_account(void **state)
{
	static const char expected[] =
		"work                     never        0        0       0       0  idle\n"
		"  scanned again 2 h ago with set 7: 412 messages, 1 infected\n"
		"work                     never        0        0       0       0  idle\n"
		"  being scanned again with set 8: 3 messages, 0 infected\n";
	struct status_account account = {
		.numbers = { .name = "work",
			.numbers = { .known = true, .rescanned = true } }
	};
	struct record_rescan *const rescan = &account.numbers.numbers.rescan;
	auto_buf struct buf out;

	(void)state;
	buf_init(&out, ROOM);
	*rescan = (struct record_rescan){ .done_s = NOW_S - 2 * 3600 - 9,
		.generation = 7,
		.scanned = 412,
		.infected = 1 };
	assert_int_equal(status_table_account(&out, &account, NOW_S, NULL), 0);
	*rescan = (struct record_rescan){ .generation = 8, .scanned = 3 };
	assert_int_equal(status_table_account(&out, &account, NOW_S, NULL), 0);
	assert_string_equal(text_of(&out), expected);
	check_columns(text_of(&out));
}

static void the_largest_numbers_fit(void **state)
{
	struct status_account account = {
		.numbers = { .name = "work", .last_s = NOW_S + 5, .numbers.known = true },
		.state = STATUS_FETCHING
	};
	struct status_scanner scanner = { .said = { .scanner = "ipc:///s",
						  .alive = true } };
	auto_buf struct buf out;

	(void)state;
	account.numbers.numbers.counts =
		(struct record_counts){ .done = 99999999, .held = 9999999 };
	scanner.said.state = (struct wire_state){ .state = WIRE_STOPPING,
		.workers = 256,
		.busy = 256,
		.queued = 10000,
		.signatures = 9999999,
		.dated_s = 1,
		.generation = 999999 };
	buf_init(&out, ROOM);
	assert_int_equal(status_table_account(&out, &account, NOW_S, NULL), 0);
	assert_int_equal(status_table_scanner(&out, &scanner, NOW_S, NULL), 0);
	check_columns(text_of(&out));
	/* A clock that was set back makes no age below nothing. */
	assert_non_null(strstr(text_of(&out), " 0 s "));
}

static void what_is_well_needs_no_advice(void **state)
{
	const struct status_account account = { .numbers.name = "work" };
	const struct status_scanner scanner = {
		.said = { .scanner = "ipc:///s",
			.alive = true,
			.state = { .state = WIRE_READY, .dated_s = NOW_S - 86400 } }
	};
	auto_buf struct buf out;

	(void)state;
	buf_init(&out, ROOM);
	assert_int_equal(status_table_advise_account(&out, &account, false, NULL), 0);
	assert_int_equal(status_table_advise_scanner(&out, &scanner, NOW_S, NULL), 0);
	assert_int_equal(out.len, 0);
}

static void scanners_are_advised_of_once_each(void **state)
{
	static const char expected[] =
		"- ipc:///a: no answer; mail that must be scanned waits: start the scanner, or\n"
		"  correct `scanners` in the settings\n"
		"- ipc:///b: no answer; mail that must be scanned waits: it has another key\n"
		"- ipc:///c: the settings are wrong\n"
		"- ipc:///c: NOT PROTECTED: no\\x1bvirus is found\n"
		"- ipc:///c: the newest signatures are 8 d old, and new viruses are not found:\n"
		"  see that freshclam runs (systemctl status clamav-freshclam)\n";
	const struct status_scanner scanners[] = {
		{ .said.scanner = "ipc:///a" },
		{ .said.scanner = "ipc:///b", .why = "it has another key" },
		{ .said = { .scanner = "ipc:///c",
			  .alive = true,
			  .state = { .trouble = "the settings are wrong",
				  .unprotected = "no\x1bvirus is found",
				  .dated_s = NOW_S - 8 * 86400 } } },
	};
	auto_buf struct buf out;

	(void)state;
	buf_init(&out, ROOM);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(
			status_table_advise_scanner(&out, &scanners[i], NOW_S, NULL), 0);
	assert_string_equal(text_of(&out), expected);
}

static struct status_account *with_held(void)
{
	struct status_account *account = calloc(1, sizeof(*account));

	assert_non_null(account);
	account->numbers.name = "work";
	account->held.count = 3;
	account->held.reasons[0] = (struct record_reason){ .state = RECORD_HELD,
		.reason = "no scanner answers",
		.count = 3,
		.since_s = NOW_S,
		.waits = WAITS_SCANNER };
	account->held.reasons[1] = (struct record_reason){
		.state = RECORD_HELD, .reason = "the disk is full", .count = 2
	};
	account->held.reasons[2] = (struct record_reason){
		.state = RECORD_PARKED, .reason = "it is too large", .count = 2
	};
	account->held.parked_count = 1;
	account->held.parked[0].key =
		(struct message_key){ .folder = "Old mail", .uid = "7" };
	(void)snprintf(account->held.parked[0].reason,
		sizeof(account->held.parked[0].reason), "it is too large");
	return account;
}

static void an_account_says_why_mail_is_not_there(void **state)
{
	static const char expected[] =
		"- work: the login was refused\n"
		"- work: 3 held, the oldest since 2027-01-15T08:00:00Z, again once a scanner is\n"
		"  ready\n"
		"- work: 2 held, again with the next visit: the disk is full\n"
		"- work: parked \"Old mail\"/7: it is too large\n"
		"- work: 2 parked, of which these are the first; to have them tried again:\n"
		"  mailfilter unpark work\n";
	struct status_account *account DEFER(defer_free) = with_held();
	auto_buf struct buf out;

	(void)state;
	(void)snprintf(account->reason, sizeof(account->reason), "the login was refused");
	buf_init(&out, ROOM);
	assert_int_equal(status_table_advise_account(&out, account, true, NULL), 0);
	assert_string_equal(text_of(&out), expected);
}

static void why_mail_waits_is_told_where_no_scanner_says_so(void **state)
{
	struct status_account *account DEFER(defer_free) = with_held();
	auto_buf struct buf out;

	(void)state;
	buf_init(&out, ROOM);
	account->held.count = 1;
	assert_int_equal(status_table_advise_account(&out, account, false, NULL), 0);
	assert_non_null(strstr(text_of(&out), "ready: no scanner answers\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_stand_below_their_headings),
		cmocka_unit_test(what_was_scanned_again_is_told_below_its_account),
		cmocka_unit_test(the_largest_numbers_fit),
		cmocka_unit_test(what_is_well_needs_no_advice),
		cmocka_unit_test(scanners_are_advised_of_once_each),
		cmocka_unit_test(an_account_says_why_mail_is_not_there),
		cmocka_unit_test(why_mail_waits_is_told_where_no_scanner_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
