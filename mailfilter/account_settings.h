/* SPDX-License-Identifier: ISC
 *
 * One `account` section: its table, what its values may be, and what they must be together. */
#ifndef MAILFILTER_ACCOUNT_SETTINGS_H
#define MAILFILTER_ACCOUNT_SETTINGS_H

#include "mailfilter/settings.h"

extern const struct schema_option account_options[];
extern const char *const scan_words[]; /* by enum scan_mode */

enum {
	MESSAGE_MAX_LEAST = 1024,
	MESSAGE_MAX_MOST = 1024 * 1024 * 1024,
	INTERVAL_LEAST_MS = 10 * 1000,
	INTERVAL_MOST_MS = 24 * 3600 * 1000,
	RATE_LEAST = 1024,
	RATE_MOST = 1024 * 1024 * 1024,
	/* Of one list; so the global one and an account's together are what a scanner takes. */
	ALLOW_SUMS_MAX = ALLOW_HASHES_MAX / 2,
	ALLOW_SIGNATURES_MAX = ALLOW_NAMES_MAX / 2,
};

/* Is it a name for an account, and so for its folder? */
int account_check_name(const char *name, struct err *err);

/* Which folder is watched, and how often the account is visited while it is. */
int account_idle_finish(const struct settings *settings, struct account_settings *account,
	struct err *err);

/* Take apart what was written, fill in what the account takes from settings, refuse what does
 * not fit together: ERR_SETTINGS with its line. */
int account_settings_finish(const struct settings *settings,
	struct account_settings *account, struct err *err);

/* Checked items of two lists to what a scanner is told. */
int account_settings_allow(const struct schema_list *sums,
	const struct schema_list *signatures, struct allow *allow, struct err *err);

/* Release what account_settings_finish added. */
void account_settings_done(struct account_settings *account);

/* What is wrong with this account, on the option's line or, if it is not given, its own: for a
 * function with settings, account and err. */
#define ACCOUNT_REFUSE(option_line, ...)                                                 \
	schema_error(err, settings->path,                                                \
		(option_line) > 0 ? (option_line) : account->line, __VA_ARGS__)

#endif
