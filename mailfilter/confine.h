/* SPDX-License-Identifier: ISC
 *
 * What our processes give up. All of them: being looked into and leaving cores, for they hold
 * passwords. A worker, before it talks to a server: starting programs, and what would give it power
 * over others, so that a server that takes over the parser of its mail gets no further. Holds for
 * all that the process starts later, and cannot be taken back. */
#ifndef MAILFILTER_CONFINE_H
#define MAILFILTER_CONFINE_H

#include "common/err.h"

/* No core, no debugger, nothing of /proc/PID for other processes of this user. */
int confine_process(struct err *err);

/* No program, no new privileges, none of the calls that only who breaks in needs: they fail with
 * EPERM, and the kernel's audit log says so. */
int confine_worker(struct err *err);

#endif
