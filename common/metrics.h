/* SPDX-License-Identifier: ISC
 *
 * Numbers for a monitoring system, in Prometheus' text format: a family with what it means, then its
 * samples. Text from outside stands in label values alone and is escaped there; invalid UTF-8 becomes
 * U+FFFD. To print, or as a file for node_exporter's textfile collector. */
#ifndef COMMON_METRICS_H
#define COMMON_METRICS_H

#include "common/buf.h"

enum metrics_type {
	METRICS_GAUGE,
	METRICS_COUNTER /* of names that end in _total */
};

struct metrics_label {
	const char *name; /* NULL: none */
	const char *value;
};

/* One text under way; the first error is kept and later calls do nothing. */
struct metrics {
	struct buf out;
	const char *family;
	struct err err;
};

void metrics_init(struct metrics *metrics);
void metrics_done(struct metrics *metrics);
#define auto_metrics DEFER(metrics_done)

/* Begin a family: all its samples follow, and none of another. name stays the caller's. */
void metrics_family(struct metrics *metrics, const char *name, enum metrics_type type,
	const char *help);

/* Samples of the family, with up to two labels; of one family no two have the same. */
void metrics_number(struct metrics *metrics, struct metrics_label first,
	struct metrics_label second, uint64_t value);
/* In seconds, as a number with three decimals. */
void metrics_ms(struct metrics *metrics, struct metrics_label first,
	struct metrics_label second, uint64_t milliseconds);

/* Print all to stdout. -1: an earlier call or the output failed. */
int metrics_print(struct metrics *metrics, struct err *err);

/* Write all to path, whole or not at all, for everybody to read (0644). Errors as of file_replace,
 * with what to do. */
int metrics_write(struct metrics *metrics, const char *path, struct err *err);

#endif
