/* SPDX-License-Identifier: ISC
 *
 * The parent's part in scanning delivered mail again: whose turn it is, and when. From time to time it
 * starts a process for an account, one at a time, which sees whether the scanners have signatures that
 * its last complete pass did not have, and if so goes through its mail. It begins when no account is
 * being served, and makes way while one is. An account whose server is away, or refuses the login, is
 * left alone until that is mended. */
#ifndef MAILFILTER_RESCANNER_H
#define MAILFILTER_RESCANNER_H

#include "mailfilter/children.h"
#include "mailfilter/rescan_process.h"

enum {
	RESCANNER_FIRST_MS = 60 * 1000, /* after the account is known: new mail first */
	RESCANNER_LOOK_MS = 10 * 60 * 1000, /* between two looks at the scanners */
	RESCANNER_HOLD_MS = 60 * 1000,      /* after one at which none was ready */
	RESCANNER_TRIES = 60, /* at which not all are, before those that are will do */
	/* A process that says nothing for so long, on top of what server and scanner may take. */
	RESCANNER_STALL_MS = 15 * 60 * 1000,
};

struct rescanner {
	struct rescan_process process;
	char name[CHILD_NAME_MAX]; /* whose mail it is at */
	bool yields;               /* as the process was told */
	bool kicked;               /* it was told to end */
	bool again;                /* to look was asked for while it ran */
	uint32_t tries;            /* in a row at which not all scanners were ready */
	int64_t hold_ms;           /* no process before; 0: at any time */
	int64_t patience_ms;       /* so long the process may say nothing */
	int64_t told_ms;           /* when a process told last what the scanners have: */
	struct hash signatures;
};

void rescanner_init(struct rescanner *rescanner);

/* Does a process run? */
bool rescanner_works(const struct rescanner *rescanner);

/* Whose process is to be started now; NULL: nobody's. Sets when accounts are looked at that were not
 * yet, and puts off those that have had what the scanners have. */
struct child *rescanner_due(
	const struct rescanner *rescanner, const struct children *children);

/* When rescanner_due may have another answer, by clock_ms(); -1: not by itself. */
int64_t rescanner_next_ms(
	const struct rescanner *rescanner, const struct children *children);

/* Start what is due, have it make way or go on, kill it if it hangs. settings NULL: start nothing. */
void rescanner_turn(struct rescanner *rescanner, const struct settings *settings,
	const struct children *children, int stop_fd);

/* Look at the scanners now, for all accounts. */
void rescanner_look(struct rescanner *rescanner, const struct children *children);

/* A process that has ended is heard; it is said what came of it, and what was found in place is
 * visited. True: one has. */
bool rescanner_reap(struct rescanner *rescanner, const struct children *children);

/* Have the process end, between two messages; hard: at once. */
void rescanner_stop(struct rescanner *rescanner, bool hard);

/* Given the process' report: what follows for its account. */
void rescanner_note(struct rescanner *rescanner, struct child *child,
	const struct rescan_report *report);

#endif
