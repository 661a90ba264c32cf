/* SPDX-License-Identifier: ISC
 *
 * A folder that its server numbers anew: whose are the new UIDs? What was recorded becomes strays
 * in one transaction with the new UIDVALIDITY; then each message that is not known by its UID, and
 * has the size of a stray, shows its head, and a stray of the same size and head goes on under the
 * new UID. A crash in between leaves fewer strays, no more. */
#include "mailfilter/folder_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

/* Messages whose heads come with one command. */
struct heads {
	struct source_item items[FOLDER_CHUNK_MESSAGES_MAX];
	struct head heads[FOLDER_CHUNK_MESSAGES_MAX];
	size_t count;
};

struct match {
	struct folder *folder;
	struct record_stray *strays; /* by size and head */
	size_t *claimed;             /* at the first of equal ones: how many of them */
	size_t count, matched;
	struct heads *heads;
};

static void match_done(struct match *match)
{
	free(match->strays);
	free(match->claimed);
	free(match->heads);
}

int folder_check_untold(struct folder *folder, struct err *err)
{
	uint64_t count = 0;

	if (record_untold(folder_tools(folder)->record, folder->name, folder->uidvalidity,
		    &count, err) < 0)
		return -1;
	if (count == 0)
		return 0;
	return err_set(err, ERR_ACCOUNT,
		"%.100s: the server numbers its messages anew (UIDVALIDITY is now %" PRIu32
		"), and %" PRIu64
		" of them were imported, or fetched by an older mailfilter, so that there "
		"is nothing to tell them by: nothing is fetched, so that nothing comes "
		"twice; to begin anew, move the account's state.db away; all that is on "
		"the server is then delivered again",
		folder->name, folder->uidvalidity, count);
}

/* 0: go on. */
static int refuse_often(struct folder *folder, const struct record_folder *row,
	int64_t lasted_s, struct err *err)
{
	if (row->changes < FOLDER_CHANGES_MAX || lasted_s < 0 ||
		lasted_s >= FOLDER_CHANGES_PAUSE_S)
		return 0;
	return err_set(err, ERR_ACCOUNT,
		"%.100s: the server numbers its messages anew again and again (UIDVALIDITY "
		"%" PRIu32 " lasted %" PRId64
		" s), so all of them must be told by their content each time: that is done "
		"only every %d hours; ask who runs the server",
		folder->name, row->uidvalidity, lasted_s, FOLDER_CHANGES_PAUSE_S / 3600);
}

static int adopt(struct folder *folder, struct record_folder *row, struct err *err)
{
	struct record *record = folder_tools(folder)->record;

	if (record_begin(record, err) < 0)
		return -1;
	if (record_stray_all(record, folder->name, row->since_s, err) < 0 ||
		record_put_folder(record, row, err) < 0) {
		record_rollback(record);
		return -1;
	}
	return record_commit(record, err);
}

int folder_renumber(struct folder *folder, struct record_folder *row, struct err *err)
{
	int64_t now_s = clock_wall_s(), lasted_s = now_s - row->since_s;
	bool soon = lasted_s >= 0 && lasted_s < FOLDER_SETTLED_S;
	char name[LOG_TEXT_MAX];

	if (folder_tools(folder)->dry_run)
		return err_set(err, ERR_ACCOUNT,
			"%.100s: the server numbers its messages anew; which of them are "
			"new is found out by a run that is not dry",
			folder->name);
	if (refuse_often(folder, row, lasted_s, err) < 0 ||
		folder_check_untold(folder, err) < 0)
		return -1;
	log_warning("account=%s folder=%s the server numbers its messages anew "
		    "uidvalidity=%" PRIu32 " was=%" PRIu32,
		folder_tools(folder)->account->name,
		log_value(span_str(folder->name), name), folder->uidvalidity,
		row->uidvalidity);
	row->uidvalidity = folder->uidvalidity;
	row->done_uid = 0;
	/* Up to which one will be seen when they are listed. */
	row->passed_uid = row->passed_s > 0 ? UINT32_MAX : 0;
	row->since_s = now_s;
	row->changes = soon ? row->changes + 1 : 1;
	return adopt(folder, row, err);
}

/* As the strays are ordered; without a head before all of its size. */
static int compare(
	const struct record_stray *stray, uint64_t size, const struct head *head)
{
	if (stray->listed_size != size)
		return stray->listed_size < size ? -1 : 1;
	return head ? memcmp(stray->head.bytes, head->hash.bytes, HASH_SIZE) : 1;
}

/* The first stray that is not below, or count. */
static size_t first_of(const struct match *match, uint64_t size, const struct head *head)
{
	size_t low = 0, high = match->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&match->strays[middle], size, head) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool has_size(const struct match *match, uint64_t size)
{
	size_t first = first_of(match, size, NULL);

	return first < match->count && match->strays[first].listed_size == size;
}

/* Each stray at most once: of equal messages as many are known as were recorded. */
static int claim(struct match *match, const struct source_item *item,
	const struct head *head, struct err *err)
{
	size_t first = first_of(match, item->size, head), next;
	struct message_key key;

	if (!head->known || first == match->count)
		return 0;
	next = first + match->claimed[first];
	if (next == match->count || compare(&match->strays[next], item->size, head) != 0)
		return 0;
	match->claimed[first]++;
	match->matched++;
	folder_key(match->folder, item, &key);
	return record_claim(
		folder_tools(match->folder)->record, match->strays[next].id, &key, err);
}

static int claim_chunk(struct match *match, struct err *err)
{
	struct record *record = folder_tools(match->folder)->record;
	struct source *source = match->folder->session->source;
	struct heads *heads = match->heads;
	size_t count = heads->count;

	heads->count = 0;
	if (count == 0)
		return 0;
	if (source->ops->heads(source, heads->items, count, heads->heads, err) < 0 ||
		record_begin(record, err) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (claim(match, &heads->items[i], &heads->heads[i], err) < 0) {
			record_rollback(record);
			return -1;
		}
	return record_commit(record, err);
}

static int match_items(struct match *match, struct err *err)
{
	struct heads *heads = match->heads;

	for (size_t i = 0; i < match->folder->count; i++) {
		const struct source_item *item = &match->folder->items[i];
		struct record_row row;
		int known;

		if (!has_size(match, item->size))
			continue;
		known = folder_known(match->folder, item, &row, err);
		if (known < 0)
			return -1;
		if (known > 0)
			continue;
		heads->items[heads->count++] = *item;
		if (heads->count == FOLDER_CHUNK_MESSAGES_MAX &&
			claim_chunk(match, err) < 0)
			return -1;
	}
	return claim_chunk(match, err);
}

static int match_strays(struct folder *folder, struct match *match, struct err *err)
{
	char name[LOG_TEXT_MAX];

	if (match->count == 0)
		return 0;
	match->claimed = calloc(match->count, sizeof(*match->claimed));
	match->heads = calloc(1, sizeof(*match->heads));
	if (!match->claimed || !match->heads)
		return err_memory(err);
	if (folder_measure(folder, SIZE_MAX, err) < 0 || match_items(match, err) < 0)
		return -1;
	if (match->matched > 0)
		log_info("account=%s folder=%s uidvalidity=%" PRIu32
			 " told again=%zu left=%zu",
			folder_tools(folder)->account->name,
			log_value(span_str(folder->name), name), folder->uidvalidity,
			match->matched, match->count - match->matched);
	return 0;
}

int folder_match(struct folder *folder, struct err *err)
{
	struct record *record = folder_tools(folder)->record;
	DEFER(match_done) struct match match = { .folder = folder };

	/* What a dry run would find out it could not write down. */
	if (folder_tools(folder)->dry_run)
		return 0;
	if (record_drop_strays(
		    record, folder->name, clock_wall_s() - FOLDER_STRAYS_S, err) < 0 ||
		record_strays(record, folder->name, &match.strays, &match.count, err) < 0)
		return -1;
	return match_strays(folder, &match, err);
}

int folder_read_head(struct folder *folder, const struct source_item *item,
	struct message *message, struct err *err)
{
	struct source *source = folder->session->source;

	if (folder->uidvalidity == 0 || message->head.known)
		return 0;
	return source->ops->heads(source, item, 1, &message->head, err);
}
