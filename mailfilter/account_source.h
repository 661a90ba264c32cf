/* SPDX-License-Identifier: ISC
 *
 * Of an `account` section what says where its mail comes from and what becomes of it there: source,
 * folders, after, since. For account_settings.c alone. */
#ifndef MAILFILTER_ACCOUNT_SOURCE_H
#define MAILFILTER_ACCOUNT_SOURCE_H

#include "mailfilter/settings.h"

enum {
	FOLDERS_WANTED_MAX = 1000,
	SINCE_DAYS_MAX = 36500,
};

/* Is the value one that the option may have? ERR_SETTINGS says what was expected. */
int account_check_source(const char *value, struct err *err);
int account_check_folder(const char *value, struct err *err);
int account_check_after(const char *value, struct err *err);
int account_check_since(const char *value, struct err *err);

/* Take them apart, and refuse what does not fit together. */
int account_source_finish(const struct settings *settings,
	struct account_settings *account, struct err *err);

/* All accounts together: no Maildir may be where mail comes from and where mail goes to. */
int account_source_check(const struct settings *settings, struct err *err);

#endif
