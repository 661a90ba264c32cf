/* SPDX-License-Identifier: ISC */
#include "mailfilter/hoard.h"

#include <inttypes.h>
#include <stdio.h>

#define DAY_S INT64_C(86400)

static enum check_level size_level(
	const struct hoard *hoard, const struct hoard_limits *limits)
{
	if (limits->warn_bytes == 0 || hoard->bytes <= limits->warn_bytes)
		return CHECK_OK;
	return hoard->bytes / HOARD_FULL > limits->warn_bytes ? CHECK_CRITICAL
							      : CHECK_WARNING;
}

/* What a clock that was not set dates says nothing: it is of 1970, or of tomorrow. */
static enum check_level age_level(
	const struct hoard *hoard, const struct hoard_limits *limits, int64_t age_days)
{
	if (limits->days == 0 || hoard->oldest_s <= 0)
		return CHECK_OK;
	if (age_days > (int64_t)limits->days + HOARD_LOST_DAYS)
		return CHECK_CRITICAL;
	return age_days > (int64_t)limits->days + HOARD_LATE_DAYS ? CHECK_WARNING
								  : CHECK_OK;
}

void hoard_check(const struct hoard *hoard, const struct hoard_limits *limits,
	int64_t now_s, struct check_result *result_r)
{
	int64_t age_days = (now_s - hoard->oldest_s) / DAY_S;
	enum check_level size = size_level(hoard, limits);
	enum check_level age = age_level(hoard, limits, age_days);

	*result_r = (struct check_result){ .level = size > age ? size : age };
	if (result_r->level == CHECK_OK)
		(void)snprintf(result_r->text, sizeof(result_r->text),
			"%" PRIu64 " originals of %" PRIu64 " MB in quarantine",
			hoard->count, hoard->bytes >> 20);
	else if (size >= age)
		(void)snprintf(result_r->text, sizeof(result_r->text),
			"%" PRIu64 " originals of %" PRIu64
			" MB in quarantine: see them with \"mailfilter quarantine list\", "
			"delete some, or keep them for fewer days (quarantine-days)",
			hoard->count, hoard->bytes >> 20);
	else
		(void)snprintf(result_r->text, sizeof(result_r->text),
			"an original has been in quarantine for %" PRId64
			" days, and should have gone after %" PRIu64
			": does mailfilter visit this account? Run \"mailfilter quarantine "
			"expire\"",
			age_days, limits->days);
}
