/* SPDX-License-Identifier: ISC
 *
 * What an account's quarantine has come to hold, and since when: is it too much, or does nobody tidy it?
 * The scanner's checks do not see it, so this one stands with the account. Pure. */
#ifndef MAILFILTER_HOARD_H
#define MAILFILTER_HOARD_H

#include "common/checks.h"

enum {
	HOARD_FULL = 4,       /* times what warns: then it is critical */
	HOARD_LATE_DAYS = 3,  /* after its time an original should be gone */
	HOARD_LOST_DAYS = 30, /* nobody has looked for a month */
};

struct hoard {
	uint64_t count, bytes;
	int64_t oldest_s; /* 0: there is none */
};

struct hoard_limits {
	uint64_t warn_bytes; /* 0: any size is well */
	uint64_t days;       /* that an original is kept; 0: for ever */
};

void hoard_check(const struct hoard *hoard, const struct hoard_limits *limits,
	int64_t now_s, struct check_result *result_r);

#endif
