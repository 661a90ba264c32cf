/* SPDX-License-Identifier: ISC
 *
 * The file that the setting metrics-file names: how the accounts stand, for a monitoring system. The
 * parent writes it, of the reports of its workers; an account that it has not served yet is not in it. */
#ifndef MAILFILTER_METRICS_FILE_H
#define MAILFILTER_METRICS_FILE_H

#include "mailfilter/child.h"

struct metrics_file {
	const char *path; /* NULL: there is none to write */
	bool due;
	bool failed; /* the last one could not be written: said once */
};

/* A round of the child is over, or it died in it. */
void metrics_file_note(struct metrics_file *file, struct child *child, bool died);

/* Write it if something changed. A failure is logged, once, and harms nothing. */
void metrics_file_turn(
	struct metrics_file *file, const struct child *children, size_t count);

#endif
