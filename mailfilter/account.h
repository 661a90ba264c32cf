/* SPDX-License-Identifier: ISC
 *
 * One account, served once from beginning to end: its state opened and locked, the server asked
 * what is new, messages fed to the pipeline as they are fetched, what is recorded settled on the
 * server between two fetches. What waits in IDLE for the next time is the session alone. Runs in a process of its own, which holds this account's secret
 * and no other's. A lost session is opened anew and goes on where it ended. */
#ifndef MAILFILTER_ACCOUNT_H
#define MAILFILTER_ACCOUNT_H

#include "mailfilter/report.h"
#include "mailfilter/settings.h"

enum {
	ACCOUNT_SESSIONS_MAX = 4, /* in a row without progress: STUCK_PARK and one more */
	ACCOUNT_PAUSE_MS = 1000,  /* before the second of them, longer before the next */
	ACCOUNT_STOP_MS =
		5000, /* for a delivery that has begun, after a signal to stop */
};

struct standing;

struct account_job {
	const struct settings *settings;
	const struct account_settings *account;
	bool dry_run;
	int stop_fd;
	/* A session to begin with, if it has one, and to leave open at the end where the server can
	 * IDLE; NULL: log out. */
	struct standing *standing;
	int64_t pause_ms; /* before a second session: ACCOUNT_PAUSE_MS */
	/* Called with the counts as they grow. */
	void (*progress)(void *arg, const struct report *report);
	void *progress_arg;
};

/* Serve it. The report is final in any case; its err says what stood in the way. */
void account_run(const struct account_job *job, struct report *report_r);

#endif
