/* SPDX-License-Identifier: ISC
 *
 * How an account stands, in numbers: what its record holds, when it was served last, and how that
 * went. For people, scripts and monitoring alike. */
#ifndef MAILFILTER_NUMBERS_H
#define MAILFILTER_NUMBERS_H

#include "common/metrics.h"

#include "mailfilter/hoard.h"
#include "mailfilter/record.h"
#include "mailfilter/record_rescan.h"
#include "mailfilter/settings.h"

struct numbers {
	bool known; /* else nothing of it is */
	struct record_counts counts;
	bool rescanned; /* delivered mail was scanned again, or begun to be: */
	enum check_level quarantine_level; /* hoard.h; not numbers_take's to fill */
	struct hoard quarantine;
	struct record_rescan rescan;
};

/* -1: the record cannot be read, and numbers_r is as it was. */
int numbers_take(struct record *record, struct numbers *numbers_r, struct err *err);

/* The same and whether the quarantine is too much, where a metrics-file is written: for to count is to read
 * all that was ever recorded. */
void numbers_take_for(struct record *record, const struct settings *settings,
	struct numbers *numbers_r);

struct numbers_account {
	const char *name;
	struct numbers numbers;
	int64_t last_s; /* the last run that ended, or its beginning; 0: none was */
	bool failed;    /* and that did not serve the account to its end */
};

/* As metrics mailfilter_account_*. Of an account whose numbers are not known the counts are left out. */
void numbers_add(
	struct metrics *metrics, const struct numbers_account *list, size_t count);

#endif
