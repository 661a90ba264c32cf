/* SPDX-License-Identifier: ISC
 *
 * A process that scans what one account has delivered again, at the lowest priority. It holds the
 * secret of that account alone, and a server that crashes it harms no other. It says over a socket how
 * far it is, and is told there whether to make way for new mail. */
#ifndef MAILFILTER_RESCAN_PROCESS_H
#define MAILFILTER_RESCAN_PROCESS_H

#include <sys/types.h>

#include "mailfilter/rescan.h"

struct rescan_process {
	pid_t pid;        /* 0: none */
	int fd;           /* to and from it, -1: none */
	int64_t heard_ms; /* its last word */
	struct rescan_report report;
};

/* Fork it; it never returns there, and has none of our descriptors but the standard ones and
 * job->stop_fd. The job's starter_fd and progress are its own affair. */
int rescan_process_start(
	struct rescan_process *process, const struct rescan_job *job, struct err *err);

/* Make way for new mail from now on, or no more. */
void rescan_process_yield(const struct rescan_process *process, bool yield);

/* Take its next word, if there is one. */
bool rescan_process_hear(struct rescan_process *process);

/* If it has ended (wait: once it has) take its last words: the report is final, and says how it ended. */
bool rescan_process_reap(struct rescan_process *process, bool wait);

#endif
