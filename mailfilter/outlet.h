/* SPDX-License-Identifier: ISC
 *
 * May mail for an account's destination be fetched? A destination that takes nothing is asked once
 * a visit, before the first message that would go there; what is known of it then counts until the
 * visit's end, or until a delivery says otherwise. One that cannot be asked (a command) is tried
 * with one message at a time, and after each visit in vain it is left alone for longer, up to
 * OUTLET_PAUSE_MAX_S. The same pauses are for a message that is refused while others are taken. */
#ifndef MAILFILTER_OUTLET_H
#define MAILFILTER_OUTLET_H

#include "common/buf.h"

#include "mailfilter/deliver.h"
#include "mailfilter/record_wait.h"

enum {
	OUTLET_FREE_TRIES = 2, /* in vain, each visit may make the next one; */
	OUTLET_PAUSE_S = 300, /* then this long after the last, then twice as long, ... */
	OUTLET_PAUSE_MAX_S = 3600,
	OUTLET_PLACES_MAX = 1000,
};

struct outlet {
	struct record *record;
	struct deliver *deliver;
	struct buf places; /* of those that were asked: what they said */
};

/* record and deliver are borrowed. */
void outlet_init(struct outlet *outlet, struct record *record, struct deliver *deliver);
void outlet_done(struct outlet *outlet);

enum outlet_answer {
	OUTLET_OPEN,
	OUTLET_TRIAL, /* with one message, to see what becomes of it */
	OUTLET_SHUT   /* why says for how long, and what to do */
};

/* May a message of this size be fetched that goes to this folder of the rules ("": the usual
 * place)? -1: that cannot be told, or it is for the account's owner. */
int outlet_ask(struct outlet *outlet, const char *folder, uint64_t size,
	enum outlet_answer *answer_r, char why[static MESSAGE_REASON_MAX],
	struct err *err);

/* It took a message; it takes none. Neither can fail: what is not noted is found out again. */
void outlet_took(struct outlet *outlet, const char *folder);
void outlet_refused(struct outlet *outlet, const char *folder, const char *why);

/* When may something be tried again that failed so many times, the last time at time_s? */
int64_t outlet_due_s(uint32_t tries, int64_t time_s);

#endif
