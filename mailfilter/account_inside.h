/* SPDX-License-Identifier: ISC
 *
 * One run of an account, for account.c, which serves it, and account_tools.c, which opens what that
 * needs. */
#ifndef MAILFILTER_ACCOUNT_INSIDE_H
#define MAILFILTER_ACCOUNT_INSIDE_H

#include "mailfilter/account.h"
#include "mailfilter/account_dir.h"
#include "mailfilter/folders.h"
#include "mailfilter/progress.h"
#include "mailfilter/standing.h"

/* What one run works with. */
struct run {
	const struct account_job *job;
	struct standing *standing;
	struct account_settings *account; /* as it is served in this run */
	struct report *report;
	struct account_dir dir;
	struct record *record;
	struct quarantine *quarantine;
	struct deliver *deliver;
	struct scan *scan;
	struct pipeline pipeline;
	struct fetch fetch;
	struct stuck stuck;
	struct session session;
	struct folders folders;
	struct progress progress;
	bool kept;      /* the session stays open */
	bool cut_off;   /* the last run died */
	int64_t last_s; /* when the last run was, 0: never */
};

/* Open state, scanners and destination for run->account. -1: close what is open nevertheless. */
int account_open_tools(struct run *run, struct err *err);
void account_close_tools(struct run *run);

#endif
