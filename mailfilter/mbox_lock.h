/* SPDX-License-Identifier: ISC
 *
 * An mbox file, opened and locked as Debian's policy (11.6) asks: fcntl(2) first, then PATH.lock,
 * each waited for a bounded time. A PATH.lock is stale, and removed, when the process that it names
 * is gone from this machine, or is this one, or when it is older than MBOX_STALE_S. Ours is written
 * under the name PATH.lock.new first, so that whoever finds a PATH.lock finds a pid in it, however
 * its maker died. At most one lock of a mailbox in a process. */
#ifndef MAILFILTER_MBOX_LOCK_H
#define MAILFILTER_MBOX_LOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"

struct stream_wait;

enum {
	MBOX_LOCK_MS = 30 * 1000, /* for both locks together, at most */
	MBOX_LOCK_POLL_MS = 100,
	MBOX_STALE_S = 1024, /* as procmail has it; a batch takes seconds */
	MBOX_REPLACED_MAX = 5,
};

struct mbox_lock {
	int fd; /* of the mailbox, for reading and appending; -1: not locked */
	dev_t dev;
	ino_t ino;
	char *dotlock; /* made by us, or NULL */
	ino_t dotlock_ino;
};

/* Open PATH and lock it; with make it is made (0600) if missing, else that is 1. A link, a folder,
 * a device, a file with more than one name or one that everybody may write to is ERR_ACCOUNT, as is
 * a folder where no PATH.lock can be made; a lock that others hold ERR_AGAIN, with their pid. */
int mbox_lock_open(const char *path, bool make, int64_t max_ms,
	const struct stream_wait *wait, struct mbox_lock *lock_r, struct err *err);

/* Is PATH still this file? Else ERR_AGAIN: who replaced it ignores locks. */
int mbox_lock_check(const struct mbox_lock *lock, const char *path, struct err *err);

void mbox_lock_close(struct mbox_lock *lock);

#endif
