/* SPDX-License-Identifier: ISC
 *
 * A Maildir as a place: its three folders, opened once, so that nothing swapped in their path
 * later is followed; and what is in them. Other programs work in it at the same time. */
#ifndef MAILFILTER_MAILDIR_H
#define MAILFILTER_MAILDIR_H

#include <stdbool.h>

#include "common/err.h"

#include "mailfilter/message.h"

enum {
	MAILDIR_OWNER_MAX = 9 /* with its end */
};

struct maildir {
	char owner[MAILDIR_OWNER_MAX]; /* whose names are ours */
	char *path;
	char *tmp_path, *new_path; /* for error texts */
	int tmp, new, cur;
	int64_t boot_s; /* of maildir_boot_s */
};

/* Open, and make durably what is missing (0700). owner: eight hexadecimal digits that stand for
 * the one process that may work here under them, now and after a crash. ERR_ACCOUNT: a folder that has files but is no
 * Maildir, links in place of cur, new or tmp, or one of them writable for everybody. */
int maildir_open(
	const char *path, const char *owner, struct maildir *maildir_r, struct err *err);
void maildir_close(struct maildir *maildir);

/* When this machine was started, by its clock of now. */
int64_t maildir_boot_s(void);

/* A new name: seconds, microseconds, process, random, owner, host. */
void maildir_new_name(const char *owner, char name[static MESSAGE_NAME_MAX]);

/* Is it a file name without flags, that stays in its folder? */
bool maildir_is_name(const char *name);

/* Is NAME in new or cur, with flags or without? 1: yes, 0: no. */
int maildir_holds(const struct maildir *maildir, const char *name, struct err *err);

#endif
