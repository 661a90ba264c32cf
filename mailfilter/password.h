/* SPDX-License-Identifier: ISC
 *
 * Where an account's password comes from: settings_password of settings.h, and what its checks
 * need. */
#ifndef MAILFILTER_PASSWORD_H
#define MAILFILTER_PASSWORD_H

#include "mailfilter/settings.h"

enum {
	PASSWORD_OUTPUT_MAX = 16 * 1024, /* of a command or file; its first line counts */
	PASSWORD_MAX = 1024,             /* bytes of a password */
	PASSWORD_COMMAND_MS = 30000,
};

/* The file of the account's systemd credential (LoadCredential=mailfilter.NAME:...), NULL if the
 * service manager gave none. The caller frees it. */
int password_credential(
	const struct account_settings *account, char **path_r, struct err *err);

#endif
