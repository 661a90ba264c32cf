/* SPDX-License-Identifier: ISC
 *
 * What is done with the originals in one account's quarantine after they were kept: released,
 * deleted, expired. One keeper an account at a time, by a lock of its own; it works beside the
 * worker that serves the account, whose files and rows are others. Each deed is on record before
 * it is begun, so that one that was cut off is ended by the next keeper, and a release happens
 * once. */
#ifndef MAILFILTER_KEEPER_H
#define MAILFILTER_KEEPER_H

#include "mailfilter/record.h"
#include "mailfilter/settings.h"

struct keeper;

/* Take the lock, and end what a keeper that died left half done. Another is at work: ERR_AGAIN with
 * its pid. settings are borrowed. */
int keeper_open(const char *state_dir, const struct account_settings *account,
	struct keeper **keeper_r, struct err *err);
void keeper_close(struct keeper *keeper);

/* Deliver the original as the account delivers, byte for byte; it stays in quarantine, and shows
 * that it was released. 1: it was released before, nothing is done; 0: now. *item_r says what is
 * on record of it afterwards. Unknown, or its file is gone or not what was kept: ERR_MESSAGE. */
int keeper_release(struct keeper *keeper, const char *id,
	struct record_quarantined *item_r, struct err *err);

/* Remove file and row. Neither is there: ERR_MESSAGE. */
int keeper_delete(struct keeper *keeper, const char *id, struct err *err);

enum {
	/* A clock before 2020 was not set: what it dates is never taken for old. */
	KEEPER_TIME_LEAST_S = 1577836800
};

struct keeper_counts {
	uint64_t expired; /* originals, with their rows */
	uint64_t mended;  /* files without a row */
	uint64_t left;
};

/* Remove what was kept before this time, by age alone; and of the same age files without a row,
 * which a crash left of mail that was kept again or is on its server still. */
int keeper_expire(struct keeper *keeper, int64_t before_s, struct keeper_counts *counts_r,
	struct err *err);

#endif
