/* SPDX-License-Identifier: ISC
 *
 * How far all accounts together are, as a line on a terminal that is written over again and again:
 * messages, what was found, how fast, how long still. */
#ifndef MAILFILTER_PROGRESS_LINE_H
#define MAILFILTER_PROGRESS_LINE_H

#include "mailfilter/report.h"

enum {
	PROGRESS_LINE_MAX = 200,
	PROGRESS_LINE_WINDOW_MS =
		15000, /* the rate is that of the last one or two of these */
	PROGRESS_LINE_SETTLE_MS = 2000, /* before that there is no rate */
};

struct progress_total {
	uint32_t listed, decided, infected;
	bool more; /* what some accounts have is not known yet */
};

struct progress_line {
	bool shown;
	/* The rate is counted from the older of two marks. */
	int64_t mark_ms, newer_ms; /* 0: none yet */
	uint32_t mark, newer;
};

/* Add an account that is served, or was. */
void progress_total_add(struct progress_total *total, const struct report *report);

/* "120 of 340 messages, 3 infected, 95/min, 2 min left". Counts from now_ms on. Returns text. */
const char *progress_line_text(struct progress_line *line,
	const struct progress_total *total, int64_t now_ms,
	char text[static PROGRESS_LINE_MAX]);

/* On stderr, if that is a terminal, and no wider than it; nothing where nothing is under way. */
void progress_line_show(struct progress_line *line, const struct progress_total *total);

/* Before anything else is written there. */
void progress_line_clear(struct progress_line *line);

#endif
