/* SPDX-License-Identifier: ISC
 *
 * How long a worker may say nothing, and its end after that: it is killed, its mail is safe. */
#ifndef MAILFILTER_PATIENCE_H
#define MAILFILTER_PATIENCE_H

#include "mailfilter/children.h"

enum {
	/* No report for so long, on top of what server and scanner may take. */
	PATIENCE_STALL_MS = 15 * 60 * 1000,
	/* Between two kills of one that cannot end: its disk does not answer. */
	PATIENCE_KILL_MS = 10 * 1000,
};

/* Kill those that say nothing for too long, or did not stop in time when told; over: all of them. */
void patience_end(
	const struct settings *settings, const struct children *children, bool over);

#endif
