/* SPDX-License-Identifier: ISC
 *
 * Other settings for a parent that runs: read and checked before anything changes. Accounts that are
 * served as before are left alone; the others are told to end, and are started again if they are
 * still there. */
#ifndef MAILFILTER_RELOAD_H
#define MAILFILTER_RELOAD_H

#include "mailfilter/children.h"

/* The children that these settings ask for, of old_children those that stay (NULL: there are none
 * yet). only: names of accounts, NULL: all. old_children is not changed. */
struct reload {
	const char *const *only;
	size_t only_count;
};
int reload_first(const struct reload *reload, const struct settings *settings,
	struct children *children_r, struct err *err);

/* Read the file anew, and put both in place of the old ones. -1: nothing is changed. */
int reload_again(const struct reload *reload, struct settings *settings,
	struct children *children, int64_t stop_ms, struct err *err);

#endif
