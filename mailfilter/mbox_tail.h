/* SPDX-License-Identifier: ISC
 *
 * The end of a locked mailbox, held against the batch that was being appended. */
#ifndef MAILFILTER_MBOX_TAIL_H
#define MAILFILTER_MBOX_TAIL_H

#include "mailfilter/mbox_batch.h"

enum {
	MBOX_NEWLINES_MAX = 2 /* missing before a message that is appended */
};

/* How many bytes of the entry stand at pos of the mailbox, up to the first other one or its end. */
int mbox_tail_compare(const struct mbox_batch *batch, const struct mbox_entry *entry,
	int fd, uint64_t pos, uint64_t *len_r, struct err *err);

/* Find out which messages of the batch a run that died has appended whole: batch->shown. They are
 * made durable before they count. If all that follows is a prefix of another one, it is cut off;
 * where others wrote behind it, it stays. path is for the error text. */
int mbox_tail_recover(
	struct mbox_batch *batch, int fd, const char *path, struct err *err);

#endif
