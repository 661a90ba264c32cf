/* SPDX-License-Identifier: ISC
 *
 * A message as it stands in an mbox file of the kind "mboxrd", where quoting can be undone: take
 * one '>' away from each line that begins with '>'s and "From ". Pure. */
#ifndef MAILFILTER_MBOX_TEXT_H
#define MAILFILTER_MBOX_TEXT_H

#include "common/body.h"

/* Give the text of one message to sink, piece by piece: "From SENDER DATE", the message quoted, an
 * end of line if it has none, an empty line. sender "": MAILER-DAEMON. -1: an error of sink's, or the
 * message cannot be read. */
int mbox_text_write(const struct body *message, const char *sender, int64_t wall_s,
	int (*sink)(void *arg, struct span bytes, struct err *err), void *arg,
	struct err *err);

#endif
