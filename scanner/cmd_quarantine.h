/* SPDX-License-Identifier: ISC
 *
 * scanner --sweep-quarantine: list what the sweep moved, put it back, or delete it. No scanner need run;
 * one that does may be at work meanwhile. */
#ifndef SCANNER_CMD_QUARANTINE_H
#define SCANNER_CMD_QUARANTINE_H

#include "scanner/settings.h"

struct cmd_quarantine {
	const struct settings *settings;
	char **words; /* what is to be done, and ids */
	int count;
	bool as_json;
	const char *to; /* --to, or NULL */
};

/* For --check-config: may the folder be used, if there is one by now? */
int cmd_quarantine_check(const struct settings *settings, struct err *err);

/* NULL, or what is wrong with the words. */
const char *cmd_quarantine_wrong(const struct cmd_quarantine *command);

/* Returns the exit code: of those that failed the last one's. */
int cmd_quarantine(const struct cmd_quarantine *command);

#endif
