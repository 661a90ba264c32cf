/* SPDX-License-Identifier: ISC
 *
 * Text to numbers, with every range check in one place. The whole text must fit the form; blanks,
 * signs and trailing characters are refused. Nothing else in the tree calls strtol or atoi. */
#ifndef COMMON_PARSE_H
#define COMMON_PARSE_H

#include <stdint.h>

#include "common/err.h"

/* Decimal, min..max. Errors are ERR_SETTINGS and say what was expected. */
int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *number_r,
	struct err *err);

/* "500", "64K", "50M", "2G": bytes, in powers of 1024. */
int parse_size(const char *text, uint64_t max, uint64_t *bytes_r, struct err *err);

/* "250ms", "30s", "5m", "12h", "7d": milliseconds. */
int parse_duration(const char *text, int64_t max_ms, int64_t *ms_r, struct err *err);

#endif
