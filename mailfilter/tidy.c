/* SPDX-License-Identifier: ISC */
#include "mailfilter/tidy.h"

#include <inttypes.h>

#include "common/clock.h"
#include "common/log.h"

enum {
	DAY_S = 24 * 3600
};

int tidy_quarantine(const struct settings *settings,
	const struct account_settings *account, struct keeper_counts *counts_r,
	struct err *err)
{
	/* 1970 is before all: with 0 days nothing is old. */
	const int64_t before_s =
		settings->quarantine_days > 0
			? clock_wall_s() - (int64_t)settings->quarantine_days * DAY_S
			: 0;
	struct keeper *keeper = NULL;
	int result;

	if (keeper_open(settings->state_dir, account, &keeper, err) < 0)
		return -1;
	result = keeper_expire(keeper, before_s, counts_r, err);
	keeper_close(keeper);
	return result;
}

void tidy_daily(const struct settings *settings, const struct account_settings *account,
	int64_t last_s)
{
	struct keeper_counts counts = { 0 };
	char text[LOG_TEXT_MAX];
	struct err err = { 0 };

	if (last_s / DAY_S == clock_wall_s() / DAY_S)
		return;
	if (tidy_quarantine(settings, account, &counts, &err) < 0)
		log_warning("account=%s quarantine=not-tidied reason=%s", account->name,
			log_value(span_str(err.text), text));
	else if (counts.expired + counts.mended > 0)
		log_info("account=%s expired=%" PRIu64 " mended=%" PRIu64
			 " quarantined=%" PRIu64,
			account->name, counts.expired, counts.mended, counts.left);
}
