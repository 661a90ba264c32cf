/* SPDX-License-Identifier: ISC
 *
 * In place: the copies that were put into a folder for its infected messages, on record. Each has a
 * row of its own, settled, so that it is never fetched, judged or scanned as a new message. What
 * people copy later is another message. */
#ifndef MAILFILTER_PLACED_H
#define MAILFILTER_PLACED_H

#include "mailfilter/deliver.h"
#include "mailfilter/record.h"

/* Put what was put into a folder for this message on record: its `placed`. */
int placed_put(struct record *record, const struct message *message, struct err *err);

/* Before folders are listed: put on record what a crash or a lost connection kept from it, and its
 * original as delivered, so that it is settled next. deliver may be NULL. */
int placed_catch_up(struct record *record, struct deliver *deliver, struct err *err);

#endif
