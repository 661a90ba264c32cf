/* SPDX-License-Identifier: ISC
 *
 * The subcommands: one file each, named cmd_NAME.c. Each reads its own options and returns the
 * exit code of sysexits(3) or, where the manual page says so, its own. */
#ifndef MAILFILTER_CMD_H
#define MAILFILTER_CMD_H

#include "mailfilter/settings.h"

/* argv[0] is the subcommand's name. settings is NULL where the command needs none, or can do
 * without and there are none that can be read. */
typedef int cmd_function(const struct settings *settings, int argc, char **argv);

cmd_function cmd_scan, cmd_judge, cmd_status, cmd_quarantine, cmd_why, cmd_unpark,
	cmd_import, cmd_rescan, cmd_keygen, cmd_self_test, cmd_setup;

/* The account of the command line that is not in the settings: says so, and which there are; returns
 * EX_USAGE. settings may be NULL. */
int cmd_no_account(const struct settings *settings, const char *name);

/* "mailfilter: TEXT" and the usage line; returns EX_USAGE. */
int cmd_usage(const char *usage, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
