/* SPDX-License-Identifier: ISC
 *
 * The lock on state-dir: one instance serves a state. The workers' own locks keep out what comes while
 * the parent of others is gone. No account has a name that begins with a dot, as the lock has. */
#ifndef MAILFILTER_STATE_LOCK_H
#define MAILFILTER_STATE_LOCK_H

#include <sys/types.h>

#include "mailfilter/settings.h"

/* Make the folder if it is missing, and take the lock; it is free again when *fd_r is closed. Another
 * instance has it: ERR_AGAIN with its pid; the folder cannot be used: ERR_SETTINGS with FILE:LINE. */
int state_lock(const struct settings *settings, int *fd_r, struct err *err);

/* Is it held by another instance? Then tell that to visit all its accounts now (SIGUSR1, which it heeds
 * before it takes the lock); its pid in *pid_r. False: by none here, or it cannot be told. */
bool state_lock_call(const struct settings *settings, pid_t *pid_r);

#endif
