/* SPDX-License-Identifier: ISC
 *
 * What people ask the record: why is mail not there, what is known of a message, try it again. */
#ifndef MAILFILTER_RECORD_LOOK_H
#define MAILFILTER_RECORD_LOOK_H

#include "mailfilter/record.h"

enum {
	RECORD_REASONS_MAX = 20,  /* of one account; the most frequent ones */
	RECORD_SAME_UID_MAX = 64, /* messages that share a UID, in different folders */
	RECORD_TARGETS_MAX = 1000
};

/* Held or parked messages that share a reason. */
struct record_reason {
	enum record_state state;
	char reason[MESSAGE_REASON_MAX];
	enum waits waits; /* of those that are held */
	uint64_t count;
	int64_t since_s; /* of the one that waits longest */
};

/* Call each, the most frequent first. */
int record_each_reason(struct record *record,
	void (*each)(const struct record_reason *reason, void *arg), void *arg,
	struct err *err);

/* Call each for the messages of this UID, in this folder or (NULL) in all of them. */
int record_each_uid(struct record *record, const char *folder, const char *uid,
	void (*each)(const struct record_row *row, void *arg), void *arg,
	struct err *err);

/* The folders, but for the usual place, in which deliveries were begun that are not recorded as
 * done. The caller's to free(). */
int record_targets(struct record *record, char (**targets_r)[MESSAGE_TARGET_MAX],
	size_t *count_r, struct err *err);

/* Parked messages are held again, so that the next visit tries them as if for the first time. folder
 * and uid NULL: any. Works while a worker does. */
int record_unpark(struct record *record, const char *folder, const char *uid,
	uint64_t *count_r, struct err *err);

/* For the worker, before it lists a folder: if messages there were unparked, move the mark of what
 * is done (record_folder's, in *done_uid) in front of them, for good. */
int record_take_unparked(struct record *record, const char *folder, uint32_t uidvalidity,
	uint32_t *done_uid, struct err *err);

#endif
