/* SPDX-License-Identifier: ISC
 *
 * What becomes of fetched messages in the Maildir that they came from: deleted, flagged, or moved to
 * another Maildir on the same file system; durably. */
#ifndef MAILFILTER_MAILDIR_SETTLE_H
#define MAILFILTER_MAILDIR_SETTLE_H

#include "mailfilter/maildir_list.h"
#include "mailfilter/source.h"

/* As the settle of source.h, for items whose numbers are of this list. One that is gone is fine; what
 * cannot be done is ERR_ACCOUNT. */
int maildir_settle(const struct account_settings *account, struct maildir_list *list,
	const struct source_item *items, size_t count, struct err *err);

/* The file's name with the flag F beside those it has, in their order. False: it does not fit. */
bool maildir_flagged(const char *name, char *flagged, size_t size);

#endif
