/* SPDX-License-Identifier: ISC
 *
 * What was held, and then deleted by its owner on the server: nothing is to be done with it any more, and it
 * is not to count as held for ever. Should it be there again, it is new. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/parse.h"

#include "mailfilter/folder_inside.h"
#include "mailfilter/record_wait.h"

static int compare(const void *left, const void *right)
{
	const char *const *a = left, *const *b = right;

	return strcmp(*a, *b);
}

/* The UIDs that were listed, in an order to look them up by. */
static int sort_listed(const struct folder *folder, const char ***uids_r, struct err *err)
{
	const char **uids = calloc(folder->count + 1, sizeof(*uids));

	if (!uids)
		return err_memory(err);
	for (size_t i = 0; i < folder->count; i++)
		uids[i] = folder->items[i].uid;
	qsort(uids, folder->count, sizeof(*uids), compare);
	*uids_r = uids;
	return 0;
}

/* Was it among what was asked for? */
static bool is_behind(const struct folder *folder, const char *uid, uint32_t after_uid)
{
	uint64_t number = 0;

	return folder->uidvalidity == 0 ||
	       (parse_number(uid, 1, UINT32_MAX, &number, NULL) == 0 &&
		       number > after_uid);
}

static int drop_all(struct folder *folder, const struct record_held *held, size_t count,
	struct err *err)
{
	struct record *record = folder_tools(folder)->record;

	if (record_begin(record, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (record_drop_held(record, held[i].id, err) < 0) {
			record_rollback(record);
			return -1;
		}
	return record_commit(record, err);
}

static int forget(struct folder *folder, struct record_held *held, size_t count,
	uint32_t after_uid, struct err *err)
{
	auto_free const char **uids = NULL;
	char name[LOG_TEXT_MAX];
	size_t gone = 0;

	if (sort_listed(folder, &uids, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		const char *uid = held[i].uid;

		if (is_behind(folder, uid, after_uid) &&
			!bsearch(&uid, uids, folder->count, sizeof(*uids), compare))
			held[gone++] = held[i];
	}
	if (gone == 0)
		return 0;
	if (drop_all(folder, held, gone, err) < 0)
		return -1;
	log_info(
		"account=%s folder=%s gone=%zu reason=\"held, and deleted on the server\"",
		folder_tools(folder)->account->name,
		log_value(span_str(folder->name), name), gone);
	return 0;
}

int folder_forget_gone(struct folder *folder, uint32_t after_uid, struct err *err)
{
	const struct pipeline_tools *tools = folder_tools(folder);
	auto_buf struct buf held;

	buf_init(&held, FOLDER_ITEMS_MAX * sizeof(struct record_held));
	if (tools->dry_run)
		return 0;
	if (record_list_held(
		    tools->record, folder->name, folder->uidvalidity, &held, err) < 0)
		return -1;
	return held.len == 0
		       ? 0
		       : forget(folder, (struct record_held *)(void *)held.data,
				 held.len / sizeof(struct record_held), after_uid, err);
}
