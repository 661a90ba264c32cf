/* SPDX-License-Identifier: ISC
 *
 * What the files of `mailfilter quarantine` share. */
#ifndef MAILFILTER_CMD_QUARANTINE_H
#define MAILFILTER_CMD_QUARANTINE_H

#include "common/json.h"

#include "mailfilter/settings.h"

/* What the command line asks for. */
struct cmd_quarantine {
	const struct settings *settings;
	const char *account; /* only this one; NULL: all */
	struct json *json;   /* NULL: for people */
	char **ids;
	int count;
};

/* The i-th account if it is asked for, else NULL. */
const struct account_settings *cmd_quarantine_account(
	const struct cmd_quarantine *command, size_t i);

/* What is in quarantine, also files without a row and rows without a file. Needs no lock. */
int cmd_quarantine_list(const struct cmd_quarantine *command, struct err *err);

#endif
