/* SPDX-License-Identifier: ISC
 *
 * Messages as a command line names them: an account, and UID or FOLDER/UID. */
#ifndef MAILFILTER_CMD_UID_H
#define MAILFILTER_CMD_UID_H

#include "mailfilter/record_look.h"
#include "mailfilter/settings.h"

struct cmd_uid {
	const struct account_settings *account;
	char *dir; /* of its state */
	struct record *record;
	const char *folder; /* NULL: any */
	const char *uid;
	char folder_text[MESSAGE_FOLDER_MAX];
};

/* Open the account's record and tell folder and UID apart: a UID of POP3 may have a slash, too.
 * A message that is not on record: ERR_MESSAGE. */
int cmd_uid_open(const struct settings *settings, const struct account_settings *account,
	const char *name, bool read_only, struct cmd_uid *uid_r, struct err *err);
void cmd_uid_close(struct cmd_uid *uid);

#endif
