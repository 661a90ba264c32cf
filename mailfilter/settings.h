/* SPDX-License-Identifier: ISC
 *
 * mailfilter.conf, checked and read-only after settings_load. Every limit and default of the
 * file stands in settings.c's table; the manual page and conf/ say the same. */
#ifndef MAILFILTER_SETTINGS_H
#define MAILFILTER_SETTINGS_H

#include <stdbool.h>

#include "common/err.h"
#include "common/schema.h"

enum source_kind {
	SOURCE_IMAP,
	SOURCE_IMAPS,
	SOURCE_POP3,
	SOURCE_POP3S
};
enum tls_mode {
	TLS_VERIFY,
	TLS_NONE
}; /* none: plain text, only where spelled out */
enum auth_kind {
	AUTH_PLAIN,
	AUTH_LOGIN
};
enum after_kind {
	AFTER_KEEP,
	AFTER_DELETE,
	AFTER_FLAG,
	AFTER_MOVE
};
enum policy {
	POLICY_CLEAN,
	POLICY_TAG,
	POLICY_QUARANTINE,
	POLICY_HOLD
};
enum scan_mode {
	SCAN_SUSPICIOUS,
	SCAN_ALL
};

struct account_settings {
	char *name; /* of the section: letters, digits, '-', '_' and '.' */
	int line;
	char *source; /* as written, then taken apart: */
	enum source_kind kind;
	char *user, *host;
	unsigned port;
	struct schema_list folders;
	char *password, *password_file;
	struct schema_list password_command;
	int auth; /* enum auth_kind */
	int tls;  /* enum tls_mode */
	char *tls_ca;
	char *deliver;      /* as written: "maildir:PATH" */
	char *deliver_path; /* its PATH */
	char *after;        /* as written, then: */
	enum after_kind after_kind;
	char *after_folder; /* of AFTER_MOVE */
	int on_infected;    /* enum policy */
	int on_unscannable, on_encrypted;
	int scan; /* enum scan_mode; the account's own or the global one */
	uint64_t message_max;
	int64_t timeout_ms; /* for one answer of the server */
};

struct settings {
	char *path; /* the file, NULL if there is none */
	char *state_dir;
	struct schema_list scanners;
	uint64_t jobs;
	int64_t interval_ms;
	int scan;
	int64_t scan_timeout_ms;  /* for one verdict */
	int64_t scanner_wait_ms;  /* for an absent scanner, --once */
	int64_t scanner_start_ms; /* for one that is loading, --once */
	uint64_t message_max;
	struct schema_sections accounts; /* of struct account_settings */
};

/* Read and check the file; path NULL: $XDG_CONFIG_HOME/mailfilter/mailfilter.conf (or
 * ~/.config/...) as an ordinary user where that exists, else /etc/mailfilter/mailfilter.conf.
 * ERR_SETTINGS with FILE:LINE. A file with a plain password that others may read is refused. */
int settings_load(const char *path, struct settings *settings_r, struct err *err);
void settings_free(struct settings *settings);

/* The i-th account. */
const struct account_settings *settings_account(
	const struct settings *settings, size_t i);

/* The account's password: from the command (argv, no shell, 30 s, 16 KB), the file or the
 * settings; first line, without its end. ERR_ACCOUNT or ERR_AUTH says what to do. Wipe it. */
int settings_password(
	const struct account_settings *account, char **password_r, struct err *err);

#endif
