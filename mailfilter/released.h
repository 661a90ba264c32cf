/* SPDX-License-Identifier: ISC
 *
 * Is a fetched message an original that its owner released from quarantine, come round again? So it
 * may where the account delivers into a mailbox that it fetches from: scanned anew, it would go
 * into quarantine anew, for ever. */
#ifndef MAILFILTER_RELEASED_H
#define MAILFILTER_RELEASED_H

#include "mailfilter/record.h"

enum {
	/* Fields that a delivery put in front. */
	RELEASED_FIELDS_MAX = 32
};

/* Was any original of the account released? Nearly always none was: then no message need be looked
 * at. */
bool released_any(struct record *record);

/* True if it is byte for byte such an original, but for fields in front that tell of its
 * delivery (Received, Return-Path ...). What cannot be read is none. */
bool released_before(struct record *record, struct body *body);

#endif
