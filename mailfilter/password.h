/* SPDX-License-Identifier: ISC
 *
 * Where a secret for a login comes from: settings_password of settings.h for that of an account, and
 * what its checks need. */
#ifndef MAILFILTER_PASSWORD_H
#define MAILFILTER_PASSWORD_H

#include "mailfilter/runner.h"
#include "mailfilter/settings.h"

enum {
	PASSWORD_OUTPUT_MAX =
		RUNNER_OUTPUT_MAX, /* of a command or file; its first line counts */
	PASSWORD_MAX = 1024,       /* bytes of a password */
	TOKEN_MAX = 8192, /* of an access token: some are signed lists of claims */
};

/* The first of these that is given. */
struct password_source {
	const struct account_settings *account; /* whose it is, and whose runner */
	const char *prefix;       /* of the options' names: "" or "deliver-" */
	const char *text;         /* itself, or NULL */
	const char *command_name; /* the program of a command, or NULL */
	const char *file;         /* or NULL */
	const char *credential;   /* systemd's name of it, or NULL */
	enum runner_command command;
	bool token; /* an access token and no password */
};

/* The caller wipes and frees it (schema_text_free). Errors as settings_password, which is this. */
int password_read(const struct password_source *source, const struct stream_wait *wait,
	char **password_r, struct err *err);

/* The file of the account's systemd credential (LoadCredential=mailfilter.NAME:...), NULL if the
 * service manager gave none. The caller frees it. */
int password_credential(
	const struct account_settings *account, char **path_r, struct err *err);

#endif
