/* SPDX-License-Identifier: ISC
 *
 * The inspector as the parent sees it: started when there is an order for it, given one at a time,
 * ended when it hangs, started again. Nothing here waits, but for exec. */
#ifndef SCANNER_INSPECTION_H
#define SCANNER_INSPECTION_H

#include "scanner/inspector.h"

enum {
	INSPECTION_STUCK_MAX =
		4, /* killed ones that are not dead yet: a disk holds them */
	INSPECTION_MOST_MS = 60 * 1000, /* for an order */
	INSPECTION_LEAST_MS = 5 * 1000,
	INSPECTION_AGAIN_MS = 10 * 1000 /* after one that failed */
};

struct inspection {
	const struct settings *settings;
	pid_t pid; /* 0: none */
	int fd;
	bool busy;
	bool alerts;         /* the order it is busy with may run the command */
	bool hung;           /* that is how the last one ended that died_at tells of */
	int64_t deadline;    /* of the order, clock_ms(), or -1 */
	int64_t start_after; /* clock_ms() */
	int64_t died_at;     /* on its own or because it hung, or -1 */
	pid_t stuck[INSPECTION_STUCK_MAX];
	char trouble[CHECK_FACTS_TEXT_MAX]; /* why it does not check, or "" */
};

enum inspection_event {
	INSPECTION_NOTHING,
	INSPECTION_RESULT, /* answer_r is of a check */
	INSPECTION_DONE,   /* the order was carried out */
	INSPECTION_LOST /* the inspector has gone, and what it had not answered is lost */
};

void inspection_init(struct inspection *inspection, const struct settings *settings);

/* May it have an order now? */
bool inspection_is_free(const struct inspection *inspection);

/* False: it could not be started or told, and trouble says why. */
bool inspection_give(struct inspection *inspection, const struct inspector_order *order);

/* What it says next; and one that is late with its order is killed. */
enum inspection_event inspection_step(
	struct inspection *inspection, struct inspector_answer *answer_r);

/* Bury those that were killed. */
void inspection_reap(struct inspection *inspection);

/* End it; waits for that, for a moment. */
void inspection_done(struct inspection *inspection);

#endif
