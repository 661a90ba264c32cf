/* SPDX-License-Identifier: ISC
 *
 * The parent: no network, no parsing, no secrets. Forks a process for each account that is due, at
 * most `jobs` at a time, reads their reports, kills one that makes no progress, and says at the
 * end of each round what became of the mail. */
#ifndef MAILFILTER_SUPERVISOR_H
#define MAILFILTER_SUPERVISOR_H

#include "mailfilter/settings.h"

enum {
	/* No report for so long, on top of what server and scanner may take: killed. */
	SUPERVISOR_STALL_MS = 15 * 60 * 1000,
	SUPERVISOR_LOOK_MS = 60 * 1000, /* between two looks at the clock */
	SUPERVISOR_STOP_MS = 10 * 1000, /* after SIGTERM, then killed */
	SUPERVISOR_BACKOFF_MAX_MS = 60 * 60 * 1000,
};

struct supervisor_options {
	bool once;
	bool dry_run;
	bool quiet;              /* no summary of what went well */
	const char *const *only; /* names of accounts; NULL: all */
	size_t only_count;
};

/* Serve until told to stop, or once. Returns the exit code of sysexits(3). */
int supervisor_run(
	const struct settings *settings, const struct supervisor_options *options);

/* Until an account is served next: the interval, and longer where it failed so often in a row. */
int64_t supervisor_wait_ms(int64_t interval_ms, uint32_t failures);

#endif
