/* SPDX-License-Identifier: ISC
 *
 * What was there before the account was (`since`). A folder with UIDs gets a mark: what has a UID up
 * to the highest of its first listing, and came before a date, is passed over, now and in all later
 * listings; mail that comes while it is first listed has a higher UID, or a later date, or both.
 * Without UIDs each message is written down, all in one transaction. */
#include "mailfilter/folder_inside.h"

#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/parse.h"

static uint32_t uid_of(const struct source_item *item)
{
	uint64_t uid = 0;

	/* A source of UIDs lists nothing else. */
	(void)parse_number(item->uid, 1, UINT32_MAX, &uid, NULL);
	return (uint32_t)uid;
}

static uint32_t last_uid(const struct folder *folder)
{
	return folder->count > 0 ? uid_of(&folder->items[folder->count - 1]) : 0;
}

/* What came before this is passed over. A folder that is new to an account which is not began with
 * it, or came into being since: what is older was there before. */
static int cutoff(
	struct folder *folder, int64_t now_s, int64_t *cutoff_s_r, struct err *err)
{
	const struct account_settings *account = folder_tools(folder)->account;
	int64_t began_s;

	if (record_began(folder_tools(folder)->record, &began_s, err) < 0)
		return -1;
	if (began_s < 0 || began_s > now_s)
		began_s = now_s;
	*cutoff_s_r = began_s - (int64_t)account->since_days * 24 * 3600;
	return 0;
}

/* Of a folder without UIDs. */
static bool is_old(
	const struct folder *folder, const struct source_item *item, int64_t cutoff_s)
{
	const struct account_settings *account = folder_tools(folder)->account;

	return account->since_kind == SINCE_NOW ||
	       (item->date_s > 0 && item->date_s < cutoff_s);
}

static void tell(const struct folder *folder, size_t count)
{
	char name[LOG_TEXT_MAX];

	if (count > 0)
		log_info("account=%s folder=%s passed over=%zu since=%s",
			folder_tools(folder)->account->name,
			log_value(span_str(folder->name), name), count,
			folder_tools(folder)->account->since);
}

static int write_down(
	struct folder *folder, const struct record_folder *row, struct err *err)
{
	struct record *record = folder_tools(folder)->record;
	size_t count = 0;

	for (size_t i = 0; row->passed_s > 0 && i < folder->count; i++) {
		struct record_row passed = { .state = RECORD_PASSED,
			.size = folder->items[i].size,
			.time_s = row->began_s };

		folder_key(folder, &folder->items[i], &passed.key);
		if (!is_old(folder, &folder->items[i], row->passed_s))
			continue;
		if (record_put(record, &passed, err) < 0)
			return -1;
		count++;
	}
	tell(folder, count);
	return record_put_folder(record, row, err);
}

static int put_first(
	struct folder *folder, const struct record_folder *row, struct err *err)
{
	struct record *record = folder_tools(folder)->record;

	if (record_begin(record, err) < 0)
		return -1;
	if (folder->uidvalidity > 0 ? record_put_folder(record, row, err) < 0
				    : write_down(folder, row, err) < 0) {
		record_rollback(record);
		return -1;
	}
	return record_commit(record, err);
}

/* Where the marks are, and on record before anything is fetched. */
static int set_marks(struct folder *folder, struct record_folder *row, struct err *err)
{
	const struct account_settings *account = folder_tools(folder)->account;

	if (account->since_kind != SINCE_ALL &&
		cutoff(folder, row->began_s, &row->passed_s, err) < 0)
		return -1;
	if (folder->uidvalidity > 0 && row->passed_s > 0) {
		row->passed_uid = last_uid(folder);
		if (account->since_kind == SINCE_NOW && folder->session->first_run)
			row->done_uid = row->passed_uid;
	}
	return folder_tools(folder)->dry_run ? 0 : put_first(folder, row, err);
}

/* 1: passed over. What is on record, as after it was told again, is not. */
static int passes(const struct folder *folder, const struct record_folder *row,
	const struct source_item *item, struct err *err)
{
	struct record_row known;
	int found;

	if (folder->uidvalidity == 0)
		return is_old(folder, item, row->passed_s);
	if (uid_of(item) <= row->done_uid)
		return 1;
	if (uid_of(item) > row->passed_uid || item->date_s <= 0 ||
		item->date_s >= row->passed_s)
		return 0;
	found = folder_known(folder, item, &known, err);
	return found < 0 ? -1 : !found;
}

/* Returns how many, or -1. */
static ssize_t take_out(
	struct folder *folder, const struct record_folder *row, struct err *err)
{
	size_t kept = 0, count = folder->count;

	for (size_t i = 0; i < count; i++) {
		int result = passes(folder, row, &folder->items[i], err);

		if (result < 0)
			return -1;
		if (result > 0 && kept == 0)
			folder->passed_to = uid_of(&folder->items[i]);
		if (result == 0)
			folder->items[kept++] = folder->items[i];
	}
	folder->count = folder->measured = kept;
	return (ssize_t)(count - kept);
}

int folder_pass_over(
	struct folder *folder, struct record_folder *row, bool first, struct err *err)
{
	bool dry = folder_tools(folder)->dry_run,
	     renumbered = row->passed_uid == UINT32_MAX;
	ssize_t passed;

	if (first && set_marks(folder, row, err) < 0)
		return -1;
	/* Numbered anew: this is the first listing of these UIDs. */
	if (renumbered) {
		row->passed_uid = last_uid(folder);
		if (record_put_folder(folder_tools(folder)->record, row, err) < 0)
			return -1;
	}
	/* What has no UIDs is on record by name, but for a dry run, which writes nothing. */
	if (row->passed_s == 0 || (folder->uidvalidity == 0 && !(dry && first)))
		return 0;
	if (folder_measure(folder, SIZE_MAX, err) < 0)
		return -1;
	passed = take_out(folder, row, err);
	if (first || renumbered)
		tell(folder, passed > 0 ? (size_t)passed : 0);
	return passed < 0 ? -1 : 0;
}
