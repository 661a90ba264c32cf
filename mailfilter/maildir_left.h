/* SPDX-License-Identifier: ISC
 *
 * What deliveries leave in a Maildir's tmp, and what it tells. Before it is shown a message has two
 * names there: NAME, which is renamed into new, and NAME=kept, which stays until the record says
 * done. The rename takes the one away in the moment it makes the other, so that at any time after a
 * kill it is told whether the message was shown, even if a reader has moved or deleted it since. */
#ifndef MAILFILTER_MAILDIR_LEFT_H
#define MAILFILTER_MAILDIR_LEFT_H

#include "mailfilter/maildir.h"

enum {
	/* For how long a second name alone is believed: after 36 hours readers clean tmp. */
	MAILDIR_KEPT_S = 24 * 3600
};

enum maildir_left {
	MAILDIR_NOTHING, /* it has no name in tmp */
	MAILDIR_WRITTEN, /* NAME is there: it was not shown */
	MAILDIR_SHOWN,   /* the file has a name elsewhere, wherever a reader moved it */
	MAILDIR_TAKEN, /* only its second name is left: shown, and deleted by a reader */
	/* The same, but power may have failed since, or a cleaner come: it may also never have been
	 * shown, by a rename done by half on a file system that can do that. */
	MAILDIR_DOUBT
};
int maildir_look(const struct maildir *maildir, const char *name,
	enum maildir_left *left_r, struct err *err);

/* Give what is written its second name. ERR_ACCOUNT: a file system without hard links. */
int maildir_keep(const struct maildir *maildir, const char *name, struct err *err);

/* Rename it into new, where nothing is overwritten. Shown before, and still anywhere: done. */
int maildir_show(const struct maildir *maildir, const char *name, struct err *err);

/* Remove the names in tmp: of what is recorded as delivered; and of what was not shown, so that a
 * kill in the middle leaves no sign that it was. */
void maildir_forget(const struct maildir *maildir, const char *name);
int maildir_drop(const struct maildir *maildir, const char *name, struct err *err);

/* Go through what our owner has in tmp, before anything new is written: what was not shown was not
 * recorded, or is written anew, and is removed; each is called for what was, or is in doubt, by its
 * NAME, perhaps twice. What carries another's sign is left alone: its owner may be writing it now.
 * -1 from each ends it with its err. */
int maildir_sweep(const struct maildir *maildir,
	int (*each)(void *arg, const char *name, struct err *err), void *arg,
	struct err *err);

#endif
