/* SPDX-License-Identifier: ISC
 *
 * A file of lines that is ours alone, read back at the next start. Who writes it says what a line is. */
#ifndef MAILFILTER_JOURNAL_H
#define MAILFILTER_JOURNAL_H

#include <stddef.h>

#include "common/err.h"

/* One line without its end, for the callee to cut up; what another program wrote there is to be passed
 * over. -1 ends the reading. */
typedef int (*journal_take)(void *arg, char *line, struct err *err);

/* Each whole line of the file, which may be missing; a torn last one counts for nothing. More than max
 * bytes: ERR_ACCOUNT. */
int journal_load(
	const char *path, size_t max, journal_take take, void *arg, struct err *err);

#endif
