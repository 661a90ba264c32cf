/* SPDX-License-Identifier: ISC
 *
 * The command of on-alert: run with a sentence on its standard input and in its environment, without a
 * shell and without the capabilities of the service; what it prints is dropped. */
#ifndef SCANNER_ALERT_H
#define SCANNER_ALERT_H

#include "common/checks.h"
#include "common/schema.h"

enum {
	ALERT_END_S = 3 /* that it may take once the scanner stops */
};

/* Run it, and wait until it ends or for so many seconds, when it and what it started are killed. The
 * other end of the socket stop_fd (-1: none) closed leaves it ALERT_END_S. ERR_AGAIN says how it failed.
 * From here on the caller passes no capability on (capabilities.h). */
int alert_run(const struct schema_list *command, const struct checks_entry *about,
	int seconds, int stop_fd, struct err *err);

#endif
