/* SPDX-License-Identifier: ISC
 *
 * The parent: no network, no parsing, no secrets. Forks a process for each account that is due, at
 * most `jobs` at a time (those that wait in IDLE do not count), reads their reports, kills one that makes no progress, and says at the
 * end of each round what became of the mail. */
#ifndef MAILFILTER_SUPERVISOR_H
#define MAILFILTER_SUPERVISOR_H

#include "mailfilter/settings.h"

enum {
	SUPERVISOR_LOOK_MS = 60 * 1000, /* between two looks at the clock */
	SUPERVISOR_STOP_MS = 10 * 1000, /* after SIGTERM, then killed */
};

struct supervisor_options {
	bool once;
	bool dry_run;
	bool quiet;              /* no summary of what went well */
	const char *const *only; /* names of accounts; NULL: all */
	size_t only_count;
};

/* Serve until told to stop, or once. Returns the exit code of sysexits(3). On SIGHUP the settings
 * are read anew, and take the place of those given. */
int supervisor_run(struct settings *settings, const struct supervisor_options *options);

#endif
