/* SPDX-License-Identifier: ISC
 *
 * How far a run is: told to its parent often, and to the log now and then, for those who see no
 * terminal. */
#ifndef MAILFILTER_PROGRESS_H
#define MAILFILTER_PROGRESS_H

#include "mailfilter/report.h"

enum {
	PROGRESS_TELL_MS = 200,  /* between two words to the parent */
	PROGRESS_LOG_MS = 60000, /* between two lines of the log */
};

struct progress {
	const char *account;
	const struct report *report; /* as it grows */
	/* The parent; NULL: there is none. */
	void (*tell)(void *arg, const struct report *report);
	void *arg;
	int64_t told_ms, logged_ms;
	uint32_t logged; /* messages decided when it was logged last */
};

/* The run begins. */
void progress_init(
	struct progress *progress, const char *account, const struct report *report);

/* Something has been done. */
void progress_note(struct progress *progress);

#endif
