/* SPDX-License-Identifier: ISC
 *
 * The part of `mailfilter status` that says which mail of an account is not there, and why. */
#ifndef MAILFILTER_CMD_STATUS_HELD_H
#define MAILFILTER_CMD_STATUS_HELD_H

#include "common/json.h"

#include "mailfilter/record_look.h"

enum {
	STATUS_PARKED_MAX = 20 /* named; the others are counted */
};

struct status_held {
	struct record_reason reasons[RECORD_REASONS_MAX];
	size_t count;
	struct record_row parked[STATUS_PARKED_MAX];
	size_t parked_count;
};

/* What the record says. *held_r is the caller's storage. */
int status_held_look(struct record *record, struct status_held *held_r, struct err *err);

void status_held_json(const struct status_held *held, struct json *json);

#endif
