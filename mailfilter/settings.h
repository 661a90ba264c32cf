/* SPDX-License-Identifier: ISC
 *
 * mailfilter.conf, checked and read-only after settings_load. Every limit and default of the
 * file stands in settings.c's table; the manual page and conf/ say the same. */
#ifndef MAILFILTER_SETTINGS_H
#define MAILFILTER_SETTINGS_H

#include <stdbool.h>

#include "common/allow.h"
#include "common/err.h"
#include "common/schema.h"

enum source_kind {
	SOURCE_IMAP,
	SOURCE_IMAPS,
	SOURCE_POP3,
	SOURCE_POP3S,
	SOURCE_MAILDIR
};
enum tls_mode {
	TLS_VERIFY,
	TLS_NONE
}; /* none: plain text, only where spelled out */
enum auth_kind {
	AUTH_PLAIN,
	AUTH_LOGIN,
	AUTH_XOAUTH2,
	AUTH_OAUTHBEARER
};
enum after_kind {
	AFTER_KEEP,
	AFTER_DELETE,
	AFTER_FLAG,
	AFTER_MOVE,
	AFTER_TRASH
};
enum since_kind {
	SINCE_ALL,
	SINCE_NOW,
	SINCE_DAYS
};
enum deliver_kind {
	DELIVER_MAILDIR,
	DELIVER_MBOX,
	DELIVER_LMTP,
	DELIVER_SMTP,
	DELIVER_PIPE,
	DELIVER_INPLACE
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

struct runner;
struct stream_wait;
struct tls_trust;

struct account_settings {
	/* Who runs its commands in a worker, that may not; NULL: who wants them run. */
	struct runner *runner;
	char *name;   /* of the section: letters, digits, '-', '_' and '.' */
	char *source; /* as written, then taken apart: */
	enum source_kind kind;
	unsigned port;
	char *user, *host;          /* "" of a Maildir */
	char *source_path;          /* of a Maildir, else NULL */
	struct schema_list folders; /* none for POP3, which has but one */
	char *password, *password_file;
	struct schema_list password_command;
	int auth; /* enum auth_kind */
	int tls;  /* enum tls_mode */
	char *tls_ca;
	const struct tls_trust
		*trust; /* what tls_ca says; NULL: to be read when needed */
	char *deliver;  /* as written: "maildir:PATH", then taken apart: */
	enum deliver_kind deliver_kind;
	int deliver_tls;    /* enum tls_mode */
	char *deliver_path; /* of the Maildir, the mbox or the LMTP socket, else NULL */
	char *deliver_host; /* of LMTP and SMTP by TCP, else NULL */
	unsigned deliver_port;
	bool deliver_smtps;                 /* TLS from the first byte on */
	struct schema_list deliver_command; /* of DELIVER_PIPE */
	char *recipient,
		*sender; /* NULL: none, and the message's own; sender "<>": none */
	char *deliver_tls_ca;
	char *deliver_user; /* of the login there; NULL: none */
	char *deliver_password_file;
	struct schema_list deliver_password_command;
	int64_t deliver_timeout_ms; /* for one answer there, or for the command */
	char *after;                /* as written, then: */
	enum after_kind after_kind;
	int line;           /* of the section */
	char *after_folder; /* of AFTER_MOVE */
	/* In place, where infected originals go on the server; NULL: deleted there. Then after_kind
	 * and after_folder say what becomes of the original of what was replaced. */
	char *inplace_quarantine;
	char *since; /* as written, then: */
	enum since_kind since_kind;
	int since_days;                                 /* of SINCE_DAYS */
	int on_infected;                                /* enum policy */
	int on_unscannable, on_reason[VERDICT_REASONS]; /* each by enum verdict_reason */
	int scan; /* enum scan_mode; the account's own or the global one */
	int idle; /* of words no, yes: wait with IDLE where the server has it */
	struct schema_list allow_sha256, allow_signatures; /* as written, then: */
	struct allow allow; /* both, with the global ones */
	uint64_t message_max;
	int64_t timeout_ms;  /* for one answer of the server */
	int64_t interval_ms; /* between two visits; the account's own or the global one */
	char *idle_folder;   /* in IDLE; NULL: the first that is served */
	int64_t idle_refresh_ms;  /* IDLE is asked for anew after so long */
	int64_t idle_interval_ms; /* as interval_ms, while the account is in IDLE */
	uint64_t rate;            /* bytes a second to fetch, 0: as fast as they come */
	struct {
		int source, folders, password, password_file, password_command, auth, tls,
			tls_ca, deliver, deliver_command, recipient, sender, deliver_tls,
			deliver_tls_ca, deliver_user, deliver_password_file,
			deliver_password_command, inplace_quarantine, after, since, idle,
			idle_folder, idle_refresh;
	} lines; /* where they stand in the file, 0: not given */
};

struct settings {
	char *path; /* the file, NULL if there is none */
	char *state_dir;
	struct schema_list scanners; /* as scanner_address.h reads them */
	char *curve_key;             /* file of our secret key, NULL: none */
	int scanners_line, curve_key_line, state_dir_line; /* 0: not given */
	uint64_t jobs;
	int64_t interval_ms;
	int scan;
	int64_t scan_timeout_ms;  /* for one verdict */
	int64_t scanner_wait_ms;  /* for an absent scanner, --once */
	int64_t scanner_start_ms; /* for one that is loading, --once */
	uint64_t message_max;
	uint64_t quarantine_days; /* 0: originals are kept for ever */
	uint64_t quarantine_warn; /* bytes of an account; 0: never */
	uint64_t rescan_days;     /* of delivered mail are scanned again */
	char *metrics_file;       /* NULL: none */
	struct schema_list allow_sha256, allow_signatures; /* as written, then: */
	struct allow allow;
	struct schema_sections accounts; /* of struct account_settings */
	struct schema_sections rules;    /* of struct rule_settings, in their order */
};

/* The table of the file, for the tests that hold sample and manual page against it. */
extern const struct schema_option settings_options[];

/* Read and check the file; path NULL: $XDG_CONFIG_HOME/mailfilter/mailfilter.conf (or
 * ~/.config/...) as an ordinary user where that exists, else /etc/mailfilter/mailfilter.conf,
 * else the presets and no account. ERR_SETTINGS with FILE:LINE. A file with a plain password
 * that others may read is refused. */
int settings_load(const char *path, struct settings *settings_r, struct err *err);
void settings_free(struct settings *settings);

/* Enough to fetch: an account, and a password for each? Not part of settings_load, because
 * systemd shows a credential to the service alone, while `status` and the like run outside. */
int settings_check_accounts(const struct settings *settings, struct err *err);

/* Is the secret key there that one of the scanners asks for? Not part of settings_load either. */
int settings_check_scanners(const struct settings *settings, struct err *err);

/* The account of this name; NULL: there is none. */
const struct account_settings *settings_find_account(
	const struct settings *settings, const char *name);
/* Would an account be served in the same way under both? */
bool settings_same_account(const struct settings *left,
	const struct account_settings *account, const struct settings *right,
	const struct account_settings *other);

/* The i-th account. */
const struct account_settings *settings_account(
	const struct settings *settings, size_t i);

/* The account's password, or access token if auth wants one: from the command (argv, no shell, 30 s,
 * 16 KB), the file, the settings or the systemd credential; first line, without its end. What is
 * wrong with a file or a program here is ERR_SETTINGS: to try again would not mend it. A command that
 * fails, or prints no secret, is ERR_ACCOUNT and says what to do; ERR_AGAIN that processes or
 * descriptors are short. The caller wipes and frees it. */
int settings_password(const struct account_settings *account,
	const struct stream_wait *wait, char **password_r, struct err *err);

#endif
