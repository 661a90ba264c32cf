/* SPDX-License-Identifier: ISC
 *
 * What a folder's messages are owed on the server once they are recorded. */
#include "mailfilter/folder_inside.h"

#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/parse.h"

int folder_collect(struct folder *folder, struct err *err)
{
	struct message *message;

	while ((message = pipeline_take_recorded(
			folder->session->pipeline, folder->name))) {
		struct source_item item = { .number = message->number,
			.size = message->size };
		int result;

		memcpy(item.uid, message->key.uid, sizeof(item.uid));
		result = buf_add(&folder->owed, &item, sizeof(item), err);
		message_free(message);
		if (result < 0)
			return -1;
	}
	return 0;
}

/* One transaction for all of them. */
static int record_settled(struct folder *folder, const struct buf *buf, struct err *err)
{
	struct record *record = folder_tools(folder)->record;
	size_t count;
	const struct source_item *items = folder_items(buf, &count);

	if (count == 0)
		return 0;
	if (record_begin(record, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct record_row row = { 0 };
		int found = folder_known(folder, &items[i], &row, err);

		row.state = RECORD_SETTLED;
		row.time_s = clock_wall_s();
		if (found < 0 || (found > 0 && record_put(record, &row, err) < 0)) {
			record_rollback(record);
			return -1;
		}
	}
	if (record_commit(record, err) < 0)
		return -1;
	folder_tools(folder)->report->settled += (uint32_t)count;
	return 0;
}

static int settle_items(struct folder *folder, const struct source_item *items,
	size_t count, struct err *err)
{
	struct source *source = folder->session->source;

	if (folder_select(folder, err) < 0 ||
		source->ops->settle(source, items, count, err) < 0)
		return -1;
	if (source->leaves_marked && !folder->session->said &&
		folder_tools(folder)->account->deliver_kind == DELIVER_INPLACE) {
		log_warning(
			"account=%s folder=%s the server offers no UIDPLUS: what is "
			"removed there stays, marked as deleted, until a mail program "
			"expunges the folder",
			folder_tools(folder)->account->name, folder->name);
		folder->session->said = true;
	}
	if (source->settle_at_finish)
		return buf_add(
			&folder->settled, folder->owed.data, folder->owed.len, err);
	return record_settled(folder, &folder->owed, err);
}

int folder_settle(struct folder *folder, struct err *err)
{
	const struct source_item *items;
	size_t count;

	if (folder_collect(folder, err) < 0)
		return -1;
	items = folder_items(&folder->owed, &count);
	if (count == 0 || folder->refused.kind != ERR_NONE ||
		folder_tools(folder)->dry_run)
		return 0;
	if (settle_items(folder, items, count, err) == 0)
		buf_clear(&folder->owed);
	else if (err->kind == ERR_ACCOUNT)
		folder->refused = *err;
	else
		return -1;
	return 0;
}

static int advance(struct folder *folder, struct err *err)
{
	struct record *record = folder_tools(folder)->record;
	enum record_state states[FOLDER_STATES_MAX];
	struct record_folder known;
	uint64_t done = folder->passed_to;
	int found;

	if (folder->uidvalidity == 0 || folder_tools(folder)->dry_run)
		return 0;
	for (size_t i = 0; i < folder->count; i++) {
		enum record_state *state = &states[i % FOLDER_STATES_MAX];

		if (state == states && folder_states(folder, i, states, err) < 0)
			return -1;
		if (*state != RECORD_SETTLED && *state != RECORD_PARKED &&
			*state != RECORD_PASSED)
			break;
		if (parse_number(folder->items[i].uid, 1, UINT32_MAX, &done, err) < 0)
			return -1;
	}
	if (done == 0)
		return 0;
	found = record_find_folder(record, folder->name, &known, err);
	if (found <= 0)
		return found;
	known.done_uid = (uint32_t)done;
	return record_put_folder(record, &known, err);
}

int folder_finished(struct folder *folder, struct err *err)
{
	if (!folder->listed)
		return 0;
	if (record_settled(folder, &folder->settled, err) < 0)
		return -1;
	buf_clear(&folder->settled);
	return advance(folder, err);
}
