/* SPDX-License-Identifier: ISC
 *
 * What the files of the folder module share. Not for others. */
#ifndef MAILFILTER_FOLDER_INSIDE_H
#define MAILFILTER_FOLDER_INSIDE_H

#include "mailfilter/folder.h"

enum {
	FOLDER_STATES_MAX = 64 /* looked up at once */
};

const struct pipeline_tools *folder_tools(const struct folder *folder);

/* Make it the source's current folder. UIDs mean nothing in another one, nor in another
 * UIDVALIDITY of the same name. */
int folder_select(struct folder *folder, struct err *err);

void folder_key(const struct folder *folder, const struct source_item *item,
	struct message_key *key_r);

/* What is recorded of an item: 1 and the row, or 0. */
int folder_known(const struct folder *folder, const struct source_item *item,
	struct record_row *row_r, struct err *err);

/* How the listed items from `from` on stand: FOLDER_STATES_MAX of them or to the end of the list. 0
 * is one that is unknown. */
int folder_states(const struct folder *folder, size_t from,
	enum record_state states[static FOLDER_STATES_MAX], struct err *err);

/* Have the listed items before that one measured, or (SIZE_MAX) all. */
int folder_measure(struct folder *folder, size_t to, struct err *err);

/* Have some of them measured, from that one on, all where the server is quick to tell. What was not
 * measured before it never is. */
int folder_measure_more(struct folder *folder, size_t from, struct err *err);

/* Take what the account's `since` passes over out of the listing, and write down what that is if the
 * folder is seen for the first time: then its row is put. */
int folder_pass_over(
	struct folder *folder, struct record_folder *row, bool first, struct err *err);

/* Forget what is held and was deleted on the server meanwhile: all behind after_uid was just listed. */
int folder_forget_gone(struct folder *folder, uint32_t after_uid, struct err *err);

/* The folder's UIDVALIDITY is not that of its row: adopt it. */
int folder_renumber(struct folder *folder, struct record_folder *row, struct err *err);

/* Of rows under another UIDVALIDITY, which could not be told again, none may be there: ERR_ACCOUNT. */
int folder_check_untold(struct folder *folder, struct err *err);

/* Find out, once a session, which recorded folders are no more. */
int folder_find_lost(struct folder *folder, struct err *err);

/* Which listed messages are those that were recorded under another UIDVALIDITY? What is on record
 * of them goes on under their new UIDs; again and again harms nothing. */
int folder_match(struct folder *folder, struct err *err);

/* The head of one message that will not be fetched, for the day its folder is numbered anew. */
int folder_read_head(struct folder *folder, const struct source_item *item,
	struct message *message, struct err *err);

/* A list of items as it lies in a buffer. */
const struct source_item *folder_items(const struct buf *buf, size_t *count_r);

/* What is left on the server in one pass over a folder, because it would be held again. */
struct folder_waiting {
	uint32_t count;
	char why[MESSAGE_REASON_MAX]; /* the first of them */
	struct buf fresh;             /* source_items that are not on record yet */
};
void folder_waiting_init(struct folder_waiting *waiting);
void folder_waiting_done(struct folder_waiting *waiting);
void folder_waiting_count(struct folder_waiting *waiting, const char *why);

/* Is it time to fetch this one, and would it be taken where it goes to? row: what is on record of
 * it, NULL: nothing. 1: yes, and if it is a trial, alone; 0: no, it is counted. */
int folder_may_fetch(struct folder *folder, struct folder_waiting *waiting,
	const struct source_item *item, const struct record_row *row, bool *trial_r,
	struct err *err);

/* Log, report and record them. */
int folder_waiting_end(
	struct folder *folder, struct folder_waiting *waiting, struct err *err);

/* Put what is recorded by now on the list of what is owed. */
int folder_collect(struct folder *folder, struct err *err);

#endif
