/* SPDX-License-Identifier: ISC
 *
 * The file that the setting metrics-file names: how the scanner is, for a monitoring system. Written
 * each minute, and when that changes what a person would look at; removed at the end. */
#ifndef SCANNER_METRICS_FILE_H
#define SCANNER_METRICS_FILE_H

#include "scanner/clients.h"

enum {
	METRICS_FILE_MS = 60 * 1000
};

struct metrics_file {
	const char *path;    /* NULL: there is none to write */
	const char *scanner; /* the label: where it listens */
	int64_t at;          /* clock_ms(): when it is due */
	bool failed;         /* the last one could not be written: said once */
	enum wire_scanner_state state;
	uint64_t generation;
	enum check_level worst;
	bool trouble;
};

void metrics_file_init(struct metrics_file *file, const struct settings *settings);

/* Write it if it is due. A failure is logged, once, and harms nothing. Returns when to come again,
 * clock_ms(), or -1. */
int64_t metrics_file_turn(struct metrics_file *file, const struct clients *clients);

/* What a scanner that is gone last said is no news. */
void metrics_file_done(const struct metrics_file *file);

#endif
