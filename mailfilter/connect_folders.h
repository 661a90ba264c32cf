/* SPDX-License-Identifier: ISC
 *
 * Are the folders there that an account names, and does each pattern mean one? */
#ifndef MAILFILTER_CONNECT_FOLDERS_H
#define MAILFILTER_CONNECT_FOLDERS_H

#include "mailfilter/remarks.h"
#include "mailfilter/source.h"

struct connect_folders {
	const struct account_settings *account; /* changes nothing: after is keep */
	const struct account_settings *real;    /* as it is in the settings */
	struct source *source;
	const char *subject;
	struct remarks *found;
};

/* -1: the session is lost. */
int connect_folders(const struct connect_folders *folders, struct err *err);

#endif
