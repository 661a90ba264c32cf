/* SPDX-License-Identifier: ISC
 *
 * What one account has delivered is scanned again with today's signatures, which know yesterday's
 * virus: once with each set of them, one message after the other, and only what is there still. What
 * is found is replaced where it stands, its original kept in quarantine. Works beside the worker
 * that serves the account; what it holds of its own (a lock, a folder, rows) nobody else touches.
 * Killed at any step it goes on there when it is run again. */
#ifndef MAILFILTER_RESCAN_H
#define MAILFILTER_RESCAN_H

#include "mailfilter/settings.h"

enum {
	RESCAN_DAYS_MOST = 36500,
	RESCAN_GREET_MS = 2000,      /* so long the other scanners are waited for */
	RESCAN_YIELD_MS = 60 * 1000, /* so long one with a queue is left to it */
};

struct rescan_job {
	const struct settings *settings;
	const struct account_settings *account;
	int64_t since_s; /* mail that was delivered then or later */
	bool dry_run;    /* nothing is changed, and nothing recorded */
};

/* What came of it; travels over a pipe as it is. */
struct rescan_report {
	uint64_t scanned;
	uint64_t gone;     /* not there any more */
	uint64_t passed;   /* a rule passes it, or its owner released it */
	uint64_t infected; /* of those that were scanned; of these: */
	uint64_t replaced;
	uint64_t marked; /* in place: the account's next visit replaces it */
	uint64_t left;   /* as the policy says, or because it cannot be read */
	bool known;      /* that was done before, with these signatures */
	bool impossible; /* what is delivered there cannot be had back */
	struct err err;  /* ERR_NONE if it came to its end */
};

/* Is the account's mail to be had back? */
bool rescan_is_possible(const struct account_settings *account);

void rescan_account(const struct rescan_job *job, struct rescan_report *report_r);

#endif
