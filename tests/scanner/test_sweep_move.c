/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <unistd.h>

#include "scanner/quarantine_release.h"
#include "scanner/sweep_move.h"
#include "tests/scanner/quarantined.h"

static struct settings settings;

static int start_moving(void **state)
{
	(void)state;
	if (prepare(NULL) < 0)
		return -1;
	settings.sweep_quarantine = quarantine_path;
	return 0;
}

/* What is said of a file that is found as this. */
static const char *found(enum verdict_kind kind, bool is_mail, bool changed)
{
	static char *items[] = { folder };
	static const struct schema_list roots = { items, 1 }, none;
	static struct sweep_answer answer;
	auto_sweep_walk struct sweep_walk *walk = NULL;
	struct sweep_scanned scanned = {
		.is_mail = is_mail, .changed = changed, .digest = &set
	};
	auto_close int file = -1;
	auto_buf struct buf bytes;
	struct sweep_entry entry;
	struct stat stat_of;
	struct err err = { 0 };

	buf_init(&bytes, 4096);
	assert_int_equal(sweep_walk_new(&roots, &none, false, &walk, &err), 0);
	while (sweep_walk_next(walk, &entry) != SWEEP_FOUND)
		;
	assert_int_equal(sweep_walk_open(walk, &entry, &file, &stat_of), 0);
	scanned.path = entry.path;
	scanned.stat = &stat_of;
	answer = (struct sweep_answer){ .kind = kind, .signature = "Test.Find" };
	assert_int_equal(file_read(entry.path, 4096, &bytes, &err), 0);
	assert_int_equal(hash_span(buf_span(&bytes), &answer.hash, &err), 0);
	sweep_move(&settings, walk, &scanned, file, &answer);
	return answer.detail;
}

static void what_is_infected_is_moved(void **state)
{
	(void)state;
	put_file(path, BYTES);
	assert_memory_equal(found(VERDICT_INFECTED, false, false),
		"moved to quarantine as 20", strlen("moved to quarantine as 20"));
	assert_int_equal(names_in(folder), 0);
}

/* Of a directory behind a link. */
static void what_was_found_behind_a_link_goes_back_without_one(void **state)
{
	auto_quarantine struct quarantine quarantine = open_quarantine();
	auto_quarantine_ids struct quarantine_ids ids = { 0 };
	char elsewhere[64], was[64];
	struct quarantine_item item = { 0 };
	struct err err = { 0 };

	(void)state;
	quarantine_close(&quarantine);
	put_file(path, BYTES);
	(void)snprintf(elsewhere, sizeof(elsewhere), "%.40s/link", base);
	assert_int_equal(symlink(base, elsewhere), 0);
	(void)snprintf(was, sizeof(was), "%s", folder);
	(void)snprintf(folder, sizeof(folder), "%.48s/there", elsewhere);
	assert_non_null(strstr(found(VERDICT_INFECTED, false, false), "moved to"));
	(void)snprintf(folder, sizeof(folder), "%s", was);
	quarantine = open_quarantine();
	assert_int_equal(quarantine_ids(&quarantine, &ids, &err), 0);
	assert_int_equal(ids.count, 1);
	if (quarantine_release(&quarantine, ids.ids[0], NULL, &item, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(item.path, path);
	assert_true(has_file(path, BYTES));
}

static void what_is_in_quarantine_is_not_moved_there_again(void **state)
{
	char was[64];
	size_t names;

	(void)state;
	put_file(path, BYTES);
	(void)found(VERDICT_INFECTED, false, false);
	names = names_in(quarantine_path);
	(void)snprintf(was, sizeof(was), "%s", folder);
	(void)snprintf(folder, sizeof(folder), "%s", quarantine_path);
	assert_string_equal(found(VERDICT_INFECTED, false, false),
		"not moved: it is in the quarantine");
	(void)snprintf(folder, sizeof(folder), "%s", was);
	assert_int_equal(names_in(quarantine_path), names);
}

static void other_names_that_stay_are_said(void **state)
{
	char other[80];

	(void)state;
	(void)snprintf(other, sizeof(other), "%s/other", base);
	put_file(path, BYTES);
	assert_int_equal(link(path, other), 0);
	assert_non_null(strstr(
		found(VERDICT_INFECTED, false, false), "(other names of it stay: 1)"));
}

static void without_the_setting_nothing_happens(void **state)
{
	(void)state;
	settings.sweep_quarantine = NULL;
	put_file(path, BYTES);
	assert_string_equal(found(VERDICT_INFECTED, false, false), "");
	assert_true(has_file(path, BYTES));
	assert_int_equal(access(quarantine_path, F_OK), -1);
}

static void what_is_not_infected_stays(void **state)
{
	static const enum verdict_kind kinds[] = { VERDICT_CLEAN, VERDICT_UNSCANNABLE,
		VERDICT_RETRY };

	(void)state;
	put_file(path, BYTES);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		assert_string_equal(found(kinds[i], false, false), "");
	assert_true(has_file(path, BYTES));
}

static const struct {
	const char *bytes;
	bool is_mail, changed;
	const char *said;
} stays[] = {
	{ BYTES, true, false, "not moved: a mail: mailfilter rescan " },
	{ "From a@example.org\n\n" BYTES, false, false, "not moved: a mailbox" },
	{ "2 M1e C5f3a9b21\n\1\2N " BYTES, false, false, "not moved: a mailbox" },
	{ BYTES, false, true, "not moved: it changed lately" },
};

static void mail_and_what_changes_stays_and_that_is_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(stays) / sizeof(*stays); i++) {
		put_file(path, stays[i].bytes);
		assert_memory_equal(
			found(VERDICT_INFECTED, stays[i].is_mail, stays[i].changed),
			stays[i].said, strlen(stays[i].said));
		assert_true(has_file(path, stays[i].bytes));
	}
}

static void an_original_that_mailfilter_keeps_stays(void **state)
{
	char account[64], record[80];

	(void)state;
	(void)snprintf(account, sizeof(account), "%s/work", base);
	(void)snprintf(record, sizeof(record), "%s/state.db", account);
	(void)snprintf(folder, sizeof(folder), "%.48s/quarantine", account);
	(void)snprintf(path, sizeof(path), "%.60s/one.eml", folder);
	assert_int_equal(file_mkdirs(folder, 0700, NULL), 0);
	put_file(record, "SQLite format 3");
	put_file(path, BYTES);
	assert_non_null(strstr(found(VERDICT_INFECTED, false, false),
		"not moved: mailfilter keeps it: \"mailfilter quarantine\""));
	assert_true(has_file(path, BYTES));
	/* Any folder of that name is another thing. */
	assert_int_equal(unlink(record), 0);
	assert_non_null(strstr(found(VERDICT_INFECTED, false, false), "moved to"));
}

static void what_only_begins_as_a_mailbox_does_is_moved(void **state)
{
	static const char *const begins[] = { "2 M C5f\n", "2 M1e Cxyz\n", "2 M1e C5f",
		"2 M", "1 M1e C5f\n", "From" };

	(void)state;
	for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++) {
		put_file(path, begins[i]);
		if (!strstr(found(VERDICT_INFECTED, false, false), "moved to"))
			fail_msg("%s", begins[i]);
	}
}

static void what_was_released_stays_until_its_bytes_change(void **state)
{
	char id[QUARANTINE_ID_MAX];
	struct quarantine_item item;
	struct err err = { 0 };
	const char *said;

	(void)state;
	put_file(path, BYTES);
	said = found(VERDICT_INFECTED, false, false);
	(void)snprintf(id, sizeof(id), "%s", said + strlen("moved to quarantine as "));
	{
		auto_quarantine struct quarantine quarantine = open_quarantine();

		assert_int_equal(
			quarantine_release(&quarantine, id, NULL, &item, &err), 0);
	}
	said = found(VERDICT_INFECTED, false, false);
	assert_non_null(strstr(said, "not moved: released from quarantine as "));
	assert_non_null(strstr(said, id));
	assert_true(has_file(path, BYTES));
	put_file(path, BYTES ".");
	(void)found(VERDICT_INFECTED, false, false);
	assert_int_equal(names_in(folder), 0);
}

static void a_quarantine_that_may_not_be_used_is_said(void **state)
{
	(void)state;
	put_file(path, BYTES);
	assert_int_equal(mkdir(quarantine_path, 0755), 0);
	assert_int_equal(chmod(quarantine_path, 0755), 0);
	assert_non_null(strstr(
		found(VERDICT_INFECTED, false, false), "not moved: others may enter"));
	assert_true(has_file(path, BYTES));
}

static void one_that_is_at_work_in_it_is_not_waited_for(void **state)
{
	auto_quarantine struct quarantine quarantine = open_quarantine();

	(void)state;
	assert_true(quarantine.lock >= 0);
	put_file(path, BYTES);
	assert_non_null(strstr(
		found(VERDICT_INFECTED, false, false), "not moved: another is at work"));
	assert_true(has_file(path, BYTES));
}

#define MOVE_TEST(name) cmocka_unit_test_setup_teardown(name, start_moving, clean_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MOVE_TEST(what_is_infected_is_moved),
		MOVE_TEST(what_was_found_behind_a_link_goes_back_without_one),
		MOVE_TEST(what_is_in_quarantine_is_not_moved_there_again),
		MOVE_TEST(other_names_that_stay_are_said),
		MOVE_TEST(without_the_setting_nothing_happens),
		MOVE_TEST(what_is_not_infected_stays),
		MOVE_TEST(mail_and_what_changes_stays_and_that_is_said),
		MOVE_TEST(an_original_that_mailfilter_keeps_stays),
		MOVE_TEST(what_only_begins_as_a_mailbox_does_is_moved),
		MOVE_TEST(what_was_released_stays_until_its_bytes_change),
		MOVE_TEST(a_quarantine_that_may_not_be_used_is_said),
		MOVE_TEST(one_that_is_at_work_in_it_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
