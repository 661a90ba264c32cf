/* SPDX-License-Identifier: ISC
 *
 * The scanner's own program, started again in another role: exec, for whoever forks a process with
 * ZeroMQ's threads may hold its locks for ever. */
#ifndef SCANNER_ROLE_H
#define SCANNER_ROLE_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"

enum {
	ROLE_FD =
		3 /* where it finds its end of a socket; it has no other but the standard ones */
};

/* role is the option that says which; path that of its settings, or NULL. fd stays the caller's. Signals
 * are as a program expects them. */
int role_start(const char *role, const char *path, int fd, pid_t *pid_r, struct err *err);

/* For the process that was started: has the parent closed its end? */
bool role_is_orphan(void);

/* For the parent: it has grace_ms to end by itself, then it is killed. One that even so does not end, because
 * a disk holds it, is left behind. */
void role_end(pid_t pid, int grace_ms);

#endif
