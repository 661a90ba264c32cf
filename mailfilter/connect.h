/* SPDX-License-Identifier: ISC
 *
 * Reach all that the settings name: log in at each account's source, greet its destination, hear
 * each scanner. Nothing is changed anywhere: folders are opened with EXAMINE, nothing is fetched,
 * nothing is delivered. Each account, and the scanners together, have a process and a deadline of
 * their own, so that one that hangs costs nobody else. */
#ifndef MAILFILTER_CONNECT_H
#define MAILFILTER_CONNECT_H

#include "mailfilter/remarks.h"
#include "mailfilter/settings.h"

enum {
	CONNECT_DEADLINE_MS =
		90 * 1000, /* for one account, its password-command included */
	CONNECT_SCANNERS_MS =
		10 * 1000, /* for the scanners to be heard, and to be done loading */
	CONNECT_QUOTA_SHARE = 95, /* percent; fuller is worth a word */
};

/* At most `jobs` accounts at a time. What check_machine found, in remarks, is not found again. The
 * scanners' remarks come first, then the accounts' in the order of the settings. stop_fd: of
 * stop.h, or -1. 0, or 1: told to stop; -1: it could not be done. */
int connect_all(const struct settings *settings, int stop_fd, struct remarks *remarks,
	struct err *err);

/* What the processes do; found is where it goes. known: what was found before. */
void connect_account(const struct account_settings *account, const struct remarks *known,
	struct remarks *found);
void connect_scanners(const struct settings *settings, const struct remarks *known,
	struct remarks *found);

/* The halves of connect_account. */
void connect_source(const struct account_settings *account, struct remarks *found);
void connect_destination(const struct account_settings *account, struct remarks *found);

#endif
