/* SPDX-License-Identifier: ISC
 *
 * What is on record of deliveries that failed, so that later runs know when to try again. */
#ifndef MAILFILTER_RECORD_WAIT_H
#define MAILFILTER_RECORD_WAIT_H

#include "common/buf.h"

#include "mailfilter/record.h"

/* A try to deliver this message failed in such a way that its row has to stay as it is: note that
 * it is one more, why and when. */
int record_note_wait(
	struct record *record, const struct record_row *row, struct err *err);

/* A destination that took nothing. */
struct record_outlet {
	char folder[MESSAGE_TARGET_MAX]; /* of a rule, "" for the usual place */
	uint32_t tries;                  /* in a row */
	int64_t time_s;                  /* of the last */
	char reason[MESSAGE_REASON_MAX];
};

/* 1: found, 0: it took what it was given last. */
int record_find_outlet(struct record *record, const char *folder,
	struct record_outlet *outlet_r, struct err *err);
int record_put_outlet(
	struct record *record, const struct record_outlet *outlet, struct err *err);
int record_drop_outlet(struct record *record, const char *folder, struct err *err);

/* A message that is held. */
struct record_held {
	int64_t id; /* of its row */
	char uid[MESSAGE_UID_MAX];
};

/* Add all of a folder's to held, which is of struct record_held. */
int record_list_held(struct record *record, const char *folder, uint32_t uidvalidity,
	struct buf *held, struct err *err);

/* There is no such message any more. One that is held no longer stays. */
int record_drop_held(struct record *record, int64_t id, struct err *err);

#endif
