/* SPDX-License-Identifier: ISC */
#include "mailfilter/keeper.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/file.h"

#include "mailfilter/account_dir.h"
#include "mailfilter/deliver.h"
#include "mailfilter/placed.h"
#include "mailfilter/quarantine.h"
#include "mailfilter/stream.h"

struct keeper {
	const struct account_settings *account; /* borrowed */
	char *dir;
	char *own; /* a folder in it, for the lock and what deliveries need */
	int lock;
	struct record *record;
};

static int take_lock(struct keeper *keeper, struct err *err)
{
	auto_free char *path = NULL;

	if (asprintf(&keeper->own, "%s/keeper", keeper->dir) < 0) {
		keeper->own = NULL;
		return err_memory(err);
	}
	if (asprintf(&path, "%s/lock", keeper->own) < 0) {
		path = NULL;
		return err_memory(err);
	}
	if (file_mkdirs(keeper->own, S_IRWXU, err) < 0)
		return -1;
	if (file_lock(path, &keeper->lock, err) < 0)
		return errno == EWOULDBLOCK
			       ? err_wrap(err, "another is at work in the quarantine")
			       : -1;
	return 0;
}

/* What is done for each of many, and its first error. */
struct each {
	struct keeper *keeper;
	int64_t before_s;
	uint64_t count, left;
	struct err *err;
	int result;
};

static int remove_file(const struct record_quarantined *item, void *arg)
{
	struct each *each = arg;

	if (item->fate != RECORD_DELETING)
		return 0;
	each->count++;
	each->result = quarantine_remove(each->keeper->dir, item->id, each->err);
	return each->result;
}

static int drop_row(const struct record_quarantined *item, void *arg)
{
	struct each *each = arg;

	if (item->fate == RECORD_DELETING)
		each->result = record_drop_quarantined(
			each->keeper->record, item->id, each->err);
	return each->result;
}

/* Call for every row, in one transaction. */
static int change_rows(struct each *each,
	int (*change)(const struct record_quarantined *item, void *arg), struct err *err)
{
	struct record *record = each->keeper->record;

	if (record_begin(record, err) < 0)
		return -1;
	if (record_each_quarantined(record, change, each, err) < 0 || each->result < 0) {
		record_rollback(record);
		return -1;
	}
	return record_commit(record, err);
}

/* Files first, then the rows that say that they have to go. */
static int end_deletions(struct keeper *keeper, struct err *err)
{
	struct each each = { .keeper = keeper, .err = err };

	if (record_each_quarantined(keeper->record, remove_file, &each, err) < 0 ||
		each.result < 0)
		return -1;
	if (each.count == 0)
		return 0;
	if (quarantine_sync_removed(keeper->dir, err) < 0)
		return -1;
	return change_rows(&each, drop_row, err);
}

int keeper_open(const char *state_dir, const struct account_settings *account,
	struct keeper **keeper_r, struct err *err)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));

	if (!keeper)
		return err_memory(err);
	keeper->account = account;
	keeper->lock = -1;
	if (account_dir_path(state_dir, account->name, &keeper->dir, err) < 0 ||
		take_lock(keeper, err) < 0 ||
		record_open(keeper->dir, false, &keeper->record, err) < 0 ||
		end_deletions(keeper, err) < 0) {
		keeper_close(keeper);
		return -1;
	}
	*keeper_r = keeper;
	return 0;
}

void keeper_close(struct keeper *keeper)
{
	if (!keeper)
		return;
	record_close(keeper->record);
	if (keeper->lock >= 0)
		(void)close(keeper->lock);
	free(keeper->dir);
	free(keeper->own);
	free(keeper);
}

/* The original as a message at the end of its way. */
static int load(const struct keeper *keeper, const struct record_quarantined *item,
	struct message *message, struct err *err)
{
	auto_close int fd = -1;
	struct hash hash;
	struct stat st;

	if (quarantine_original(keeper->dir, item->id, &fd, err) < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return err_errno(err, ERR_AGAIN, "cannot read %s", item->id);
	body_take_file(&message->body, &fd, (uint64_t)st.st_size);
	if (body_hash(&message->body, &hash, err) < 0)
		return -1;
	if (!hash_equal(&hash, &item->hash))
		return err_set(err, ERR_MESSAGE,
			"%s: the file is not what was kept, its checksum differs: it is not "
			"delivered; \"quarantine show\" prints it",
			item->id);
	message->key = item->key;
	message->size = message->body.size;
	message->date_s = item->time_s;
	message->action = ACTION_DELIVER;
	memcpy(message->quarantine_id, item->id, sizeof(message->quarantine_id));
	return 0;
}

/* Does this delivery belong to a release that is on record as done? */
struct search {
	const char *name;
	bool done;
};

static int look(const struct record_quarantined *item, void *arg)
{
	struct search *search = arg;

	if (strcmp(item->name, search->name) != 0)
		return 0;
	search->done = item->fate == RECORD_RELEASED;
	return -1;
}

struct leftovers {
	struct record *record;
	struct deliver *deliver;
};

static int forget_released(void *arg, const char *name, struct err *err)
{
	const struct leftovers *left = arg;
	struct search search = { .name = name };

	if (record_each_quarantined(left->record, look, &search, err) < 0)
		return -1;
	if (search.done)
		left->deliver->ops->forget(left->deliver, name);
	return 0;
}

static int set_fate(struct keeper *keeper, struct record_quarantined *item,
	enum record_fate fate, struct err *err)
{
	const int64_t now_s = clock_wall_s();

	if (record_set_fate(keeper->record, item->id, fate, item->name, now_s, err) < 0)
		return -1;
	item->fate = fate;
	item->fate_s = now_s;
	return 0;
}

/* In deliver.h's order: bytes, intent, name, record. */
static int deliver_it(struct keeper *keeper, struct deliver *deliver,
	struct message *message, struct record_quarantined *item, struct err *err)
{
	int there = deliver->ops->write(deliver, message, err);

	if (there < 0 || deliver->ops->sync(deliver, err) < 0)
		return -1;
	if (there == 0 && set_fate(keeper, item, RECORD_RELEASING, err) < 0) {
		deliver->ops->discard(deliver, message);
		return -1;
	}
	if (there == 0 && deliver->ops->show(deliver, message, err) < 0)
		return -1;
	/* In place it stands in a folder that is fetched. */
	if (message->placed.uid > 0 && placed_put(keeper->record, message, err) < 0)
		return -1;
	if (deliver->ops->shown(deliver, err) < 0 ||
		set_fate(keeper, item, RECORD_RELEASED, err) < 0)
		return -1;
	deliver->ops->forget(deliver, message->name);
	return 0;
}

/* Under a sign of its own: what the account's worker writes meanwhile is not ours to sweep, nor
 * the other way round. */
static int open_delivery(struct keeper *keeper, char sign[static ACCOUNT_SIGN_MAX],
	struct deliver **deliver_r, struct err *err)
{
	const struct deliver_tools tools = { .account = keeper->account,
		.dir = keeper->own,
		.owner = sign,
		.spool = keeper->own,
		.releases = true,
		.wait = &stream_wait_plain };
	struct leftovers left = { .record = keeper->record };

	if (account_dir_sign(keeper->own, sign, err) < 0 ||
		deliver_open(&tools, &left.deliver, err) < 0)
		return -1;
	if (left.deliver->ops->leftovers(left.deliver, forget_released, &left, err) < 0) {
		left.deliver->ops->close(left.deliver);
		return -1;
	}
	*deliver_r = left.deliver;
	return 0;
}

static int release(struct keeper *keeper, struct message *message,
	struct record_quarantined *item, struct err *err)
{
	char sign[ACCOUNT_SIGN_MAX];
	struct deliver *deliver = NULL;
	int result;

	if (load(keeper, item, message, err) < 0 ||
		open_delivery(keeper, sign, &deliver, err) < 0)
		return -1;
	/* A release that was cut off may have delivered: then under this name. */
	message->repeat = item->fate == RECORD_RELEASING;
	if (!message->repeat)
		deliver_new_name(sign, item->name);
	memcpy(message->name, item->name, sizeof(message->name));
	result = deliver_it(keeper, deliver, message, item, err);
	deliver->ops->close(deliver);
	return result;
}

int keeper_release(struct keeper *keeper, const char *id,
	struct record_quarantined *item_r, struct err *err)
{
	struct record_quarantined item = { 0 };
	int found = record_find_quarantined(keeper->record, id, &item, err);
	struct message *message;
	int result = 1;

	if (found < 0)
		return -1;
	if (found == 0)
		return err_set(err, ERR_MESSAGE,
			"%s is not on record, so it is not known what was to become of it: a "
			"crash left this copy, and the mail itself was kept again or is on "
			"its server",
			id);
	if (item.fate != RECORD_RELEASED) {
		message = message_new(keeper->dir, 0);
		if (!message)
			return err_memory(err);
		result = release(keeper, message, &item, err);
		message_free(message);
	}
	if (result >= 0)
		*item_r = item;
	return result;
}

int keeper_delete(struct keeper *keeper, const char *id, struct err *err)
{
	struct record_quarantined item = { 0 };
	int found = record_find_quarantined(keeper->record, id, &item, err);
	auto_close int fd = -1;

	if (found < 0)
		return -1;
	if (found > 0) {
		if (set_fate(keeper, &item, RECORD_DELETING, err) < 0)
			return -1;
		return end_deletions(keeper, err);
	}
	if (quarantine_original(keeper->dir, id, &fd, err) < 0 ||
		quarantine_remove(keeper->dir, id, err) < 0)
		return -1;
	return quarantine_sync_removed(keeper->dir, err);
}

static bool is_old(const struct each *each, int64_t time_s)
{
	return time_s >= KEEPER_TIME_LEAST_S && time_s < each->before_s;
}

static int mark_old(const struct record_quarantined *item, void *arg)
{
	struct each *each = arg;

	if (!is_old(each, item->time_s)) {
		each->left++;
		return 0;
	}
	each->count++;
	each->result = record_set_fate(each->keeper->record, item->id, RECORD_DELETING,
		item->name, clock_wall_s(), each->err);
	return each->result;
}

static int remove_orphan(void *arg, const char *id, int64_t mtime_s, struct err *err)
{
	struct each *each = arg;
	struct record_quarantined item;
	int found;

	if (!is_old(each, mtime_s))
		return 0;
	found = record_find_quarantined(each->keeper->record, id, &item, err);
	if (found != 0)
		return found < 0 ? -1 : 0;
	each->count++;
	return quarantine_remove(each->keeper->dir, id, err);
}

int keeper_expire(struct keeper *keeper, int64_t before_s, struct keeper_counts *counts_r,
	struct err *err)
{
	struct each rows = { .keeper = keeper, .before_s = before_s, .err = err };
	struct each files = { .keeper = keeper, .before_s = before_s, .err = err };

	if (change_rows(&rows, mark_old, err) < 0 || end_deletions(keeper, err) < 0 ||
		quarantine_each_file(keeper->dir, remove_orphan, &files, err) < 0)
		return -1;
	if (files.count > 0 && quarantine_sync_removed(keeper->dir, err) < 0)
		return -1;
	*counts_r = (struct keeper_counts){
		.expired = rows.count, .mended = files.count, .left = rows.left
	};
	return 0;
}
