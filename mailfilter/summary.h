/* SPDX-License-Identifier: ISC
 *
 * What the parent says of rounds: a progress line on a terminal, a line at the end of each, and of
 * all of them the exit code. */
#ifndef MAILFILTER_SUMMARY_H
#define MAILFILTER_SUMMARY_H

#include "mailfilter/children.h"
#include "mailfilter/progress_line.h"

struct summary {
	bool once, quiet;
	int exit_code; /* of --once so far */
	struct progress_line progress;
};

/* Of --once all accounts together; else of those that are served now. */
void summary_progress(struct summary *summary, const struct children *children);
void summary_clear(struct summary *summary);

/* What a round of one account came to, for people and for the exit code. */
void summary_tell(struct summary *summary, const struct child *child);

#endif
