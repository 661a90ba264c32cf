/* SPDX-License-Identifier: ISC
 *
 * A Maildir with delivered mail in it that readers work in, too: one message is found by its name,
 * whatever flags it has got since, and another one is put in its place. Nothing is made here that is
 * missing, no link is followed, and nothing is removed but what has been replaced. */
#ifndef MAILFILTER_MAILDIR_BOX_H
#define MAILFILTER_MAILDIR_BOX_H

#include "common/body.h"

#include "mailfilter/maildir.h"
#include "mailfilter/maildir_list.h"

struct maildir_box {
	char *path;
	int tmp, new, cur;
	int64_t boot_s; /* of maildir_boot_s */
	struct maildir_list list;
};

/* As maildir_left.h wants it, without an owner; borrowed from the box. */
struct maildir maildir_box_maildir(const struct maildir_box *box);

/* Open and list it. 0: that is no Maildir. -1: errno says why, too. */
int maildir_box_open(const char *path, struct maildir_box *box_r, struct err *err);
void maildir_box_close(struct maildir_box *box);

/* Open the message of this name, wherever a reader has moved it in here. 1: it is open; 0: it is not
 * there. */
int maildir_box_read(struct maildir_box *box, const char *name, int *fd_r,
	int64_t *date_s_r, struct err *err);

/* Write a message to tmp, durably, under both names of maildir_left.h, with the date of the one that it will
 * replace. */
int maildir_box_write(const struct maildir_box *box, const char *name, struct body *body,
	int64_t date_s, struct err *err);

/* Was what was written to tmp under this name shown? 1: yes; 0: no. */
int maildir_box_is_shown(struct maildir_box *box, const char *name, struct err *err);

/* Show what stands in tmp in place of another, with its flags, and remove that one; what was shown
 * before is taken up where it was cut off. 1: done; 0: the other has gone meanwhile, and the new
 * one with it. */
int maildir_box_replace(
	struct maildir_box *box, const char *old, const char *name, struct err *err);

/* Remove what stands in tmp. */
void maildir_box_forget(const struct maildir_box *box, const char *name);

#endif
