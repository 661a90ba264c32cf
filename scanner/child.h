/* SPDX-License-Identifier: ISC
 *
 * A process that is this program again, in a role of its own: an engine host, or the sweep's walker.
 * Exec'd, for the parent holds what does not survive a fork (ZeroMQ's threads). */
#ifndef SCANNER_CHILD_H
#define SCANNER_CHILD_H

#include <sys/types.h>

#include "scanner/settings.h"

enum {
	CHILD_FD = 3 /* where it finds its end of the socket to the parent */
};

/* Start it, with the settings' file to read; *fd_r is our end. Waits for the exec alone. */
int child_start(const char *role, const struct settings *settings, pid_t *pid_r,
	int *fd_r, struct err *err);

/* For the child: has the parent closed its end? */
bool child_is_orphan(void);

#endif
