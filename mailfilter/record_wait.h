/* SPDX-License-Identifier: ISC
 *
 * What is on record of deliveries that failed, so that later runs know when to try again. */
#ifndef MAILFILTER_RECORD_WAIT_H
#define MAILFILTER_RECORD_WAIT_H

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

#endif
