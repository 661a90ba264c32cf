/* SPDX-License-Identifier: ISC
 *
 * One account's worker process as the parent has it: started, heard over a pipe, reaped. The
 * parent's signals must be blocked (stop_start): the worker reads its own from the same fd. */
#ifndef MAILFILTER_CHILD_H
#define MAILFILTER_CHILD_H

#include <sys/types.h>

#include "mailfilter/report.h"
#include "mailfilter/settings.h"

struct child {
	const struct account_settings *account;
	pid_t pid;         /* 0: not running */
	int fd;            /* its reports, -1: none */
	int64_t due_ms;    /* when it is served next; -1: not again */
	int64_t heard_ms;  /* its last report */
	uint32_t failures; /* in a row that it died or was refused */
	bool hung;         /* killed, because it made no progress */
	bool again;        /* asked for while it ran: serve it once more at once */
	struct report report;
	struct numbers_account
		last; /* how it stood after its last round; last_s 0: none was */
};

struct child_tools {
	const struct settings *settings;
	bool dry_run;
	int stop_fd;
	int lock; /* the parent's alone: closed in the worker; -1: none */
	const struct child
		*children; /* all of them: a new one closes the others' pipes */
	size_t count;
};

/* Fork it; it never returns there. -1: child->report.err says why not. */
int child_start(struct child *child, const struct child_tools *tools);

/* Take its next report, if there is one. */
bool child_hear(struct child *child);

enum child_end {
	CHILD_EXITED,
	CHILD_KILLED, /* from outside, as far as can be seen */
	CHILD_CRASHED /* of what it did itself: a signal that none sends, or it hung */
};

/* If it has ended: take its last words; its report is complete and says how it ended. */
bool child_reap(struct child *child, enum child_end *end_r);

#endif
