/* SPDX-License-Identifier: ISC
 *
 * One find, from the folder in which it was found into the quarantine: exactly the file that was scanned,
 * or none. It is copied, also on the same file system: who has the old one open, or another name of it,
 * cannot change what is kept here, and it is this user's, who may keep it from being run. Then the old
 * name is set aside in its folder, looked at once more and removed; no path is gone through again.
 *
 *     copy, synced | recorded: taking | set aside | removed | recorded: kept
 *
 * Killed at any place, either the file is there or the record and its copy are. */
#ifndef SCANNER_QUARANTINE_TAKE_H
#define SCANNER_QUARANTINE_TAKE_H

#include <sys/stat.h>

#include "scanner/quarantine.h"

/* All borrowed. */
struct quarantine_find {
	int dir;                 /* in which it was found */
	const char *name;        /* there */
	int file;                /* open, as it was scanned */
	const struct stat *stat; /* before it was scanned */
	const char *path, *signature, *where;
	const struct hash *hash, *signatures; /* of what was scanned; of the set */
};

/* Under the lock. -1: it is where it was; err says why, and what to do. */
int quarantine_take(const struct quarantine *quarantine,
	const struct quarantine_find *find, char id_r[static QUARANTINE_ID_MAX],
	struct err *err);

/* End what was cut off, or take it back, under the lock: of one, whose state is TAKING until it is
 * known. An original that was set aside gets its name again, or goes if its copy is recorded. ERR_AGAIN:
 * its folder cannot be looked into. *item becomes as it is then; gone_r: it is no more, the original is
 * there. */
int quarantine_mend(const struct quarantine *quarantine, struct quarantine_item *item,
	bool *gone_r, struct err *err);

/* The same of all, and remove what is of none. How many could not be looked at is in *left_r. */
int quarantine_mend_all(
	const struct quarantine *quarantine, size_t *left_r, struct err *err);

/* The folder of a whole path, no part of which may be a link; *name_r points into path. */
int quarantine_open_parent(
	const char *path, int *dir_r, const char **name_r, struct err *err);

/* Give a file a name that is free: EEXIST if it is not. -1 with errno. */
int quarantine_rename_new(int dir, const char *from, const char *to);

#endif
