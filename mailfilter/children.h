/* SPDX-License-Identifier: ISC
 *
 * All accounts as the parent has them, and when each is served next: at its interval; later and
 * later where its login is refused or its process dies; soon, then later, where its server cannot be
 * reached; at once when its server has news. Starts no process and waits for none. */
#ifndef MAILFILTER_CHILDREN_H
#define MAILFILTER_CHILDREN_H

#include "mailfilter/child.h"

enum {
	CHILDREN_BACKOFF_MAX_MS = 60 * 60 * 1000,
	CHILDREN_RETRY_MS =
		2000, /* after its server was not reached for the first time */
	CHILDREN_SOON_MS = 60 * 1000, /* a session in IDLE should last longer */
	CHILDREN_NEWS_MS = 1000,      /* between two rounds that news asked for in vain */
	CHILDREN_AWAKE_MS = 3000,     /* over so long all are spread after a sleep */
	CHILDREN_STATUS_MAX = 200,
};

struct children {
	struct child *items;
	size_t count;
};

/* Those whose processes work: all but those in IDLE. */
size_t children_working(const struct children *children);

/* Is there a process, or (unless we are stopping) a time for one? */
bool children_left(const struct children *children, bool stopping);

/* Whose turn it is: the one that has waited longest, so that with more accounts than jobs no one is
 * passed over; NULL: nobody's yet. */
struct child *children_due(const struct children *children);

/* Until an account is served next: the interval, and longer where it failed so often in a row. */
int64_t children_wait_ms(int64_t interval_ms, uint32_t failures);

/* A round is over, as its report says: when is the next? */
void children_schedule(struct child *child, bool died);

/* Its session in IDLE is lost, or refused: when does it get another? */
void children_schedule_lost(struct child *child);

/* Its server has news. */
void children_schedule_news(struct child *child);

/* Serve it now, or once more if it is being served. What is done for good stays done. */
void children_look(struct child *child);

/* The machine was asleep (or, not: has a new address): those in IDLE see whether their servers are
 * still there; those that did not reach theirs try again. */
void children_look_after(const struct children *children, bool slept);

/* "7 accounts, 5 idle, 1 fetching, 1 failed". Returns text. */
const char *children_status(
	const struct children *children, char text[static CHILDREN_STATUS_MAX]);

#endif
