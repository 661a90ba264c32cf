/* SPDX-License-Identifier: ISC
 *
 * What is too old is removed from an account's quarantine, by the setting quarantine-days: when
 * somebody asks, and by itself once a day. */
#ifndef MAILFILTER_TIDY_H
#define MAILFILTER_TIDY_H

#include "mailfilter/keeper.h"

int tidy_quarantine(const struct settings *settings,
	const struct account_settings *account, struct keeper_counts *counts_r,
	struct err *err);

/* The same, if the last run began on another day (UTC) than this one. Logs what it did. That it
 * cannot be done now harms nothing. */
void tidy_daily(const struct settings *settings, const struct account_settings *account,
	int64_t last_s);

#endif
