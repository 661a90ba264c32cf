/* SPDX-License-Identifier: ISC
 *
 * The record's index of the quarantine. */
#include <string.h>

#include "common/pack.h"

#include "mailfilter/record_private.h"

enum {
	FOUND_PACKED_MAX = RECORD_FOUND_MAX * (sizeof(struct record_found) + 8)
};

/* One after the other, in one value. */
static int pack_found(
	const struct record_quarantined *item, struct buf *out, struct err *err)
{
	struct pack pack;

	pack_init(&pack, out, err);
	for (size_t i = 0; i < item->found_count; i++) {
		const struct record_found *found = &item->found[i];

		pack_text(&pack, found->part, sizeof(found->part));
		pack_text(&pack, found->name, sizeof(found->name));
		pack_text(&pack, found->signature, sizeof(found->signature));
		pack_bytes(&pack, found->hash.bytes, HASH_SIZE);
	}
	return pack_result(&pack);
}

/* As many as can be read. */
static void unpack_found(struct span bytes, struct record_quarantined *item)
{
	struct unpack unpack = { .rest = bytes };

	while (unpack.rest.len > 0 && item->found_count < RECORD_FOUND_MAX) {
		struct record_found *found = &item->found[item->found_count];

		unpack_text(&unpack, found->part, sizeof(found->part));
		unpack_text(&unpack, found->name, sizeof(found->name));
		unpack_text(&unpack, found->signature, sizeof(found->signature));
		unpack_bytes(&unpack, found->hash.bytes, HASH_SIZE);
		if (unpack.wrong)
			return;
		item->found_count++;
	}
}

/* The columns in the order of QUARANTINED_SELECT. */
static void read_item(sqlite3_stmt *from, struct record_quarantined *item)
{
	const void *const hash = sqlite3_column_blob(from, 9);

	*item = (struct record_quarantined){
		.key.uidvalidity = (uint32_t)sqlite3_column_int64(from, 2),
		.time_s = sqlite3_column_int64(from, 4),
		.size = (uint64_t)sqlite3_column_int64(from, 5),
		.fate = (enum record_fate)sqlite3_column_int(from, 11),
		.fate_s = sqlite3_column_int64(from, 12),
	};
	record_column_text(from, 0, item->id, sizeof(item->id));
	record_column_text(from, 1, item->key.folder, sizeof(item->key.folder));
	record_column_text(from, 3, item->key.uid, sizeof(item->key.uid));
	record_column_text(from, 6, item->why, sizeof(item->why));
	record_column_text(from, 7, item->subject, sizeof(item->subject));
	record_column_text(from, 8, item->sender, sizeof(item->sender));
	record_column_text(from, 13, item->name, sizeof(item->name));
	if (hash && sqlite3_column_bytes(from, 9) == HASH_SIZE)
		memcpy(item->hash.bytes, hash, HASH_SIZE);
	unpack_found((struct span){ sqlite3_column_blob(from, 10),
			     (size_t)sqlite3_column_bytes(from, 10) },
		item);
}

int record_put_quarantined(
	struct record *record, const struct record_quarantined *item, struct err *err)
{
	sqlite3_stmt *const put = record_prepare(record, SQL_PUT_QUARANTINED, err);
	auto_buf struct buf found;

	buf_init(&found, FOUND_PACKED_MAX);
	if (!put || pack_found(item, &found, err) < 0)
		return -1;
	record_bind_text(put, 1, item->id);
	record_bind_text(put, 2, item->key.folder);
	record_bind_number(put, 3, item->key.uidvalidity);
	record_bind_text(put, 4, item->key.uid);
	record_bind_number(put, 5, item->time_s);
	record_bind_number(put, 6, (int64_t)item->size);
	record_bind_text(put, 7, item->why);
	record_bind_text(put, 8, item->subject);
	record_bind_text(put, 9, item->sender);
	(void)sqlite3_bind_blob(put, 10, item->hash.bytes, HASH_SIZE, SQLITE_STATIC);
	/* Without bytes it would be NULL. */
	if (found.len == 0)
		(void)sqlite3_bind_zeroblob(put, 11, 0);
	else
		(void)sqlite3_bind_blob(
			put, 11, found.data, (int)found.len, SQLITE_STATIC);
	return record_write(record, put, err);
}

int record_find_quarantined(struct record *record, const char *id,
	struct record_quarantined *item_r, struct err *err)
{
	sqlite3_stmt *const find = record_prepare(record, SQL_FIND_QUARANTINED, err);
	int got;

	if (!find)
		return -1;
	record_bind_text(find, 1, id);
	got = record_step(record, find, err);
	if (got == 1)
		read_item(find, item_r);
	(void)sqlite3_reset(find);
	return got;
}

static int read_page(struct record *record, const char *after,
	struct record_quarantined page[static RECORD_PAGE], size_t *count_r,
	struct err *err)
{
	sqlite3_stmt *const each = record_prepare(record, SQL_EACH_QUARANTINED, err);
	size_t count = 0;
	int got;

	if (!each)
		return -1;
	record_bind_text(each, 1, after);
	record_bind_number(each, 2, RECORD_PAGE);
	while ((got = record_step(record, each, err)) == 1 && count < RECORD_PAGE)
		read_item(each, &page[count++]);
	(void)sqlite3_reset(each);
	*count_r = count;
	return got < 0 ? -1 : 0;
}

static int walk_items(struct record *record,
	struct record_quarantined page[static RECORD_PAGE],
	int (*each)(const struct record_quarantined *item, void *arg), void *arg,
	struct err *err)
{
	char after[QUARANTINE_ID_MAX] = "";
	size_t count = RECORD_PAGE;

	while (count == RECORD_PAGE) {
		if (read_page(record, after, page, &count, err) < 0)
			return -1;
		for (size_t i = 0; i < count; i++)
			if (each(&page[i], arg) < 0)
				return 0;
		if (count > 0)
			memcpy(after, page[count - 1].id, sizeof(after));
	}
	return 0;
}

int record_each_quarantined(struct record *record,
	int (*each)(const struct record_quarantined *item, void *arg), void *arg,
	struct err *err)
{
	struct record_quarantined *page = calloc(RECORD_PAGE, sizeof(*page));
	int done;

	if (!page)
		return err_memory(err);
	done = walk_items(record, page, each, arg, err);
	free(page);
	return done;
}

int record_set_fate(struct record *record, const char *id, enum record_fate fate,
	const char *name, int64_t time_s, struct err *err)
{
	sqlite3_stmt *const set = record_prepare(record, SQL_SET_FATE, err);

	if (!set)
		return -1;
	record_bind_text(set, 1, id);
	record_bind_number(set, 2, fate);
	record_bind_number(set, 3, time_s);
	record_bind_text(set, 4, name);
	return record_write(record, set, err);
}

int record_drop_quarantined(struct record *record, const char *id, struct err *err)
{
	sqlite3_stmt *const row = record_prepare(record, SQL_DROP_QUARANTINED, err);
	sqlite3_stmt *const fate =
		row ? record_prepare(record, SQL_DROP_FATE, err) : NULL;

	if (!fate)
		return -1;
	record_bind_text(row, 1, id);
	if (record_write(record, row, err) < 0)
		return -1;
	record_bind_text(fate, 1, id);
	return record_write(record, fate, err);
}

int record_is_released(
	struct record *record, uint64_t size, const struct hash *hash, struct err *err)
{
	sqlite3_stmt *const find = record_prepare(record, SQL_IS_RELEASED, err);
	int got;

	if (!find)
		return -1;
	record_bind_number(find, 1, RECORD_RELEASED);
	record_bind_number(find, 2, (int64_t)size);
	record_bind_number(find, 4, RECORD_RELEASING);
	if (hash)
		(void)sqlite3_bind_blob(find, 3, hash->bytes, HASH_SIZE, SQLITE_STATIC);
	got = record_step(record, find, err);
	(void)sqlite3_reset(find);
	(void)sqlite3_clear_bindings(find);
	return got;
}
