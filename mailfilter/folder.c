/* SPDX-License-Identifier: ISC */
#include "mailfilter/folder_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/parse.h"

#include "mailfilter/record_look.h"

const struct pipeline_tools *folder_tools(const struct folder *folder)
{
	return &folder->session->pipeline->tools;
}

int folder_select(struct folder *folder, struct err *err)
{
	struct session *session = folder->session;
	uint32_t uidvalidity = 0;

	if (session->selected == folder)
		return 0;
	session->selected = NULL;
	if (session->source->ops->select(
		    session->source, folder->name, &uidvalidity, err) < 0)
		return -1;
	if (folder->listed && uidvalidity != folder->uidvalidity)
		return err_set(err, ERR_SESSION,
			"%s: its UIDVALIDITY changed within the session", folder->name);
	folder->uidvalidity = uidvalidity;
	session->selected = folder;
	return 0;
}

/* What is known of the folder; it is adopted if it is numbered anew. 1: it is seen for the first
 * time, and has no row yet. */
static int begin(struct folder *folder, struct record_folder *row, struct err *err)
{
	struct record *record = folder_tools(folder)->record;
	int found = record_find_folder(record, folder->name, row, err);
	int64_t now_s = clock_wall_s();

	if (found < 0)
		return -1;
	if (found > 0 && row->uidvalidity == folder->uidvalidity)
		return 0;
	if (found > 0)
		return folder_renumber(folder, row, err);
	/* What was imported may be of another UIDVALIDITY. */
	if (folder->uidvalidity > 0 && folder_check_untold(folder, err) < 0)
		return -1;
	*row = (struct record_folder){
		.uidvalidity = folder->uidvalidity, .since_s = now_s, .began_s = now_s
	};
	(void)snprintf(row->name, sizeof(row->name), "%s", folder->name);
	if (folder->uidvalidity > 0 && !folder_tools(folder)->dry_run &&
		folder_find_lost(folder, err) < 0)
		return -1;
	return 1;
}

/* Where there are UIDs. */
static uint32_t last_uid(const struct folder *folder, uint32_t done_uid)
{
	uint64_t uid = 0;

	if (folder->uidvalidity > 0 && folder->count > 0)
		(void)parse_number(
			folder->items[folder->count - 1].uid, 1, UINT32_MAX, &uid, NULL);
	return uid > done_uid ? (uint32_t)uid : done_uid;
}

static int read_list(struct folder *folder, uint32_t after_uid, struct err *err)
{
	struct source *source = folder->session->source;
	const int64_t from_ms = clock_ms();
	int result = (source->ops->names ? source->ops->names : source->ops->list)(
		source, after_uid, &folder->items, &folder->count, err);

	folder->listing_ms = clock_ms() - from_ms;
	folder->measured = result > 0 ? 0 : folder->count;
	return result < 0 ? -1 : 0;
}

static int list_it(struct folder *folder, struct err *err)
{
	struct record_folder row = { 0 };
	int first = begin(folder, &row, err);

	if (first < 0 ||
		(!folder_tools(folder)->dry_run &&
			record_take_unparked(folder_tools(folder)->record, folder->name,
				folder->uidvalidity, &row.done_uid, err) < 0))
		return -1;
	if (read_list(folder, row.done_uid, err) < 0)
		return -1;
	folder->listed_to = last_uid(folder, row.done_uid);
	if (folder->uidvalidity > 0 && folder_match(folder, err) < 0)
		return -1;
	if (folder_forget_gone(folder, row.done_uid, err) < 0)
		return -1;
	return folder_pass_over(folder, &row, first > 0, err);
}

/* Deleted or renamed since the folders were listed, or not ours to read. */
static bool vanished(const struct folder *folder, const struct err *err)
{
	char text[LOG_TEXT_MAX];

	if (!folder->found || err->kind != ERR_ACCOUNT)
		return false;
	log_warning("account=%s passed over reason=%s",
		folder_tools(folder)->account->name,
		log_value(span_str(err->text), text));
	return true;
}

int folder_open(struct folder *folder, struct err *err)
{
	buf_init(&folder->held, FOLDER_ITEMS_MAX * sizeof(struct source_item));
	buf_init(&folder->owed, FOLDER_ITEMS_MAX * sizeof(struct source_item));
	buf_init(&folder->settled, FOLDER_ITEMS_MAX * sizeof(struct source_item));
	if (folder_select(folder, err) < 0)
		return vanished(folder, err) ? 0 : -1;
	if (list_it(folder, err) < 0)
		return -1;
	folder->listed = true;
	return 0;
}

void folder_close(struct folder *folder)
{
	buf_done(&folder->held);
	buf_done(&folder->owed);
	buf_done(&folder->settled);
	free(folder->items);
	*folder = (struct folder){
		.name = folder->name, .found = folder->found, .session = folder->session
	};
}

void folder_key(const struct folder *folder, const struct source_item *item,
	struct message_key *key_r)
{
	*key_r = (struct message_key){ .uidvalidity = folder->uidvalidity };
	(void)snprintf(key_r->folder, sizeof(key_r->folder), "%s", folder->name);
	memcpy(key_r->uid, item->uid, sizeof(key_r->uid));
}

int folder_known(const struct folder *folder, const struct source_item *item,
	struct record_row *row_r, struct err *err)
{
	struct message_key key;

	folder_key(folder, item, &key);
	return record_find(folder_tools(folder)->record, &key, row_r, err);
}

static int look_up(const struct folder *folder, const struct source_item *items,
	size_t count, enum record_state *states, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		struct message_key key;

		states[i] = 0;
		folder_key(folder, &items[i], &key);
		if (record_find_state(
			    folder_tools(folder)->record, &key, &states[i], err) < 0)
			return -1;
	}
	return 0;
}

int folder_states(const struct folder *folder, size_t from,
	enum record_state states[static FOLDER_STATES_MAX], struct err *err)
{
	struct record *record = folder_tools(folder)->record;
	size_t count = folder->count - from;
	int result;

	if (count > FOLDER_STATES_MAX)
		count = FOLDER_STATES_MAX;
	if (record_begin_reading(record, err) < 0)
		return -1;
	result = look_up(folder, folder->items + from, count, states, err);
	record_end_reading(record);
	return result;
}

const struct source_item *folder_items(const struct buf *buf, size_t *count_r)
{
	*count_r = buf->len / sizeof(struct source_item);
	return (const struct source_item *)(const void *)buf->data;
}
