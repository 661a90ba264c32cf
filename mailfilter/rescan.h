/* SPDX-License-Identifier: ISC
 *
 * What one account has delivered is scanned again with today's signatures, which know yesterday's
 * virus: once with each set of them, one message after the other, and only what is there still. What
 * is found is replaced where it stands, its original kept in quarantine. Works beside the worker
 * that serves the account; what it holds of its own (a lock, a folder, rows) nobody else touches.
 * Killed at any step it goes on there when it is run again. */
#ifndef MAILFILTER_RESCAN_H
#define MAILFILTER_RESCAN_H

#include "mailfilter/numbers.h"
#include "mailfilter/settings.h"

enum {
	RESCAN_DAYS_MOST = 36500,
	RESCAN_GREET_MS = 2000, /* so long the other scanners are waited for */
	/* So long a message makes way: for those in a scanner's queue, and for new mail. */
	RESCAN_YIELD_MS = 60 * 1000,
};

struct rescan_report;

struct rescan_job {
	const struct settings *settings;
	const struct account_settings *account;
	int64_t since_s; /* mail that was delivered then or later */
	bool dry_run;    /* nothing is changed, and nothing recorded */
	bool all;        /* only while all scanners are ready */
	/* signalfd: SIGTERM and SIGINT end it between two messages; -1: as they do by themselves. */
	int stop_fd;
	/* Who started it says over it whether new mail waits, a byte that is 1 or 0; its end is the
	 * end. -1: nobody. */
	int starter_fd;
	/* Called with the counts as they grow; NULL: nobody asks. */
	void (*progress)(void *arg, const struct rescan_report *report);
	void *progress_arg;
};

/* What came of it; travels over a socket as it is. */
struct rescan_report {
	uint64_t scanned;
	uint64_t fresh;    /* these signatures had scanned it when it came */
	uint64_t gone;     /* not there any more */
	uint64_t passed;   /* a rule passes it, or its owner released it */
	uint64_t infected; /* of those that were scanned; of these: */
	uint64_t replaced;
	uint64_t marked; /* in place: the account's next visit replaces it */
	uint64_t left;   /* as the policy says, or because it cannot be read */
	bool known;      /* that was done before, with these signatures */
	bool impossible; /* what is delivered there cannot be had back */
	bool busy;       /* another process is at it already */
	bool final;      /* no other report follows */
	bool all;        /* scanners were ready at its beginning */
	bool asked;      /* the scanners, what they have; else it did not come so far */
	bool told;       /* what they have, that is: */
	struct hash signatures;
	uint64_t generation;    /* the highest of theirs */
	struct numbers numbers; /* what is on record at the end */
	struct err err;         /* ERR_NONE if it came to its end */
};

/* Is the account's mail to be had back? */
bool rescan_is_possible(const struct account_settings *account);

void rescan_account(const struct rescan_job *job, struct rescan_report *report_r);

#endif
