/* SPDX-License-Identifier: ISC */
#include "mailfilter/account_settings.h"

#include <stddef.h>
#include <string.h>

#include "common/home.h"

#include "mailfilter/account_source.h"
#include "mailfilter/command.h"
#include "mailfilter/destination.h"
#include "mailfilter/password.h"

enum {
	NAME_MAX_BYTES = 64,
	TIMEOUT_LEAST_MS = 100,
	TIMEOUT_MOST_MS = 3600 * 1000,
	IDLE_REFRESH_LEAST_MS = 1000,
	IDLE_REFRESH_MOST_MS = 28 * 60 * 1000, /* RFC 2177: servers wait for 30 minutes */
	DELIVER_TIMEOUT_MOST_MS =
		300 * 1000, /* RFC 5321 4.5.3.2: what most answers may take */
};

static const char *const auth_words[] = { "plain", "login", "xoauth2", "oauthbearer",
	NULL };
static const char *const tls_words[] = { "verify", "none", NULL };
static const char *const yes_words[] = { "no", "yes", NULL };
static const char *const policy_words[] = { "clean", "tag", "quarantine", "hold", NULL };
const char *const scan_words[] = { "suspicious", "all", NULL };

int account_check_name(const char *name, struct err *err)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789-_.");

	if (len > 0 && len <= NAME_MAX_BYTES && name[len] == '\0' && name[0] != '.' &&
		name[0] != '-')
		return 0;
	return err_set(err, ERR_SETTINGS,
		"\"%.80s\": expected a name of at most %d letters, digits, '-', '_' and "
		"'.', with a letter, digit or '_' first",
		name, NAME_MAX_BYTES);
}

static int check_password(const char *value, struct err *err)
{
	if (value[0] != '\0' && strlen(value) <= PASSWORD_MAX)
		return 0;
	return err_set(err, ERR_SETTINGS, "expected 1 to %d bytes", PASSWORD_MAX);
}

/* Where nothing was found there is nothing to cut. */
static int check_not_clean(const char *value, struct err *err)
{
	if (strcmp(value, "clean") != 0)
		return 0;
	return err_set(err, ERR_SETTINGS, "\"clean\": expected tag, quarantine or hold");
}

#define AT(member)   .offset = offsetof(struct account_settings, member)
#define LINE(member) .line_offset = offsetof(struct account_settings, lines.member)

/* clang-format off */
const struct schema_option account_options[] = {
	{ .name = "source", .type = SCHEMA_TEXT, AT(source), .check = account_check_source, LINE(source) },
	{ .name = "folders", .type = SCHEMA_LIST, AT(folders), .preset = "INBOX", .min = 1,
	  .max = FOLDERS_WANTED_MAX, .check = account_check_folder, LINE(folders) },
	{ .name = "password-command", .type = SCHEMA_LIST, AT(password_command), .min = 1,
	  .max = COMMAND_WORDS_MAX, LINE(password_command) },
	{ .name = "password-file", .type = SCHEMA_TEXT, AT(password_file),
	  .check = home_check_path, LINE(password_file) },
	{ .name = "password", .type = SCHEMA_TEXT, AT(password), .check = check_password,
	  LINE(password) },
	{ .name = "auth", .type = SCHEMA_WORD, AT(auth), .preset = "plain", .words = auth_words,
	  LINE(auth) },
	{ .name = "tls", .type = SCHEMA_WORD, AT(tls), .preset = "verify", .words = tls_words,
	  LINE(tls) },
	{ .name = "tls-ca", .type = SCHEMA_TEXT, AT(tls_ca), .check = home_check_path,
	  LINE(tls_ca) },
	{ .name = "deliver", .type = SCHEMA_TEXT, AT(deliver), .check = destination_check,
	  LINE(deliver) },
	{ .name = "deliver-command", .type = SCHEMA_LIST, AT(deliver_command), .min = 1,
	  .max = COMMAND_WORDS_MAX, LINE(deliver_command) },
	{ .name = "recipient", .type = SCHEMA_TEXT, AT(recipient),
	  .check = destination_check_recipient, LINE(recipient) },
	{ .name = "sender", .type = SCHEMA_TEXT, AT(sender), .check = destination_check_sender,
	  LINE(sender) },
	{ .name = "deliver-tls", .type = SCHEMA_WORD, AT(deliver_tls), .words = tls_words,
	  LINE(deliver_tls) },
	{ .name = "deliver-tls-ca", .type = SCHEMA_TEXT, AT(deliver_tls_ca),
	  .check = home_check_path, LINE(deliver_tls_ca) },
	{ .name = "deliver-user", .type = SCHEMA_TEXT, AT(deliver_user),
	  .check = destination_check_user, LINE(deliver_user) },
	{ .name = "deliver-password-command", .type = SCHEMA_LIST,
	  AT(deliver_password_command), .min = 1, .max = COMMAND_WORDS_MAX,
	  LINE(deliver_password_command) },
	{ .name = "deliver-password-file", .type = SCHEMA_TEXT, AT(deliver_password_file),
	  .check = home_check_path, LINE(deliver_password_file) },
	{ .name = "deliver-timeout", .type = SCHEMA_DURATION, AT(deliver_timeout_ms),
	  .preset = "120s", .min = TIMEOUT_LEAST_MS, .max = DELIVER_TIMEOUT_MOST_MS },
	{ .name = "inplace-quarantine", .type = SCHEMA_TEXT, AT(inplace_quarantine),
	  .check = account_check_folder, LINE(inplace_quarantine) },
	{ .name = "after", .type = SCHEMA_TEXT, AT(after), .preset = "keep",
	  .check = account_check_after, LINE(after) },
	{ .name = "since", .type = SCHEMA_TEXT, AT(since), .preset = "all",
	  .check = account_check_since, LINE(since) },
	{ .name = "on-infected", .type = SCHEMA_WORD, AT(on_infected), .preset = "clean",
	  .words = policy_words },
	{ .name = "on-unscannable", .type = SCHEMA_WORD, AT(on_unscannable),
	  .preset = "quarantine", .words = policy_words, .check = check_not_clean },
	{ .name = "on-encrypted", .type = SCHEMA_WORD, AT(on_reason[REASON_ENCRYPTED]),
	  .preset = "tag", .words = policy_words, .check = check_not_clean },
	{ .name = "on-unsupported", .type = SCHEMA_WORD, AT(on_reason[REASON_UNSUPPORTED]),
	  .words = policy_words, .check = check_not_clean },
	{ .name = "on-limit", .type = SCHEMA_WORD, AT(on_reason[REASON_LIMIT]),
	  .words = policy_words, .check = check_not_clean },
	{ .name = "on-timeout", .type = SCHEMA_WORD, AT(on_reason[REASON_TIMEOUT]),
	  .words = policy_words, .check = check_not_clean },
	{ .name = "on-crash", .type = SCHEMA_WORD, AT(on_reason[REASON_CRASH]),
	  .words = policy_words, .check = check_not_clean },
	{ .name = "on-malformed", .type = SCHEMA_WORD, AT(on_reason[REASON_MALFORMED]),
	  .words = policy_words, .check = check_not_clean },
	{ .name = "on-error", .type = SCHEMA_WORD, AT(on_reason[REASON_ERROR]),
	  .words = policy_words, .check = check_not_clean },
	{ .name = "scan", .type = SCHEMA_WORD, AT(scan), .words = scan_words },
	{ .name = "allow-sha256", .type = SCHEMA_LIST, AT(allow_sha256), .max = ALLOW_SUMS_MAX,
	  .check = allow_check_hash },
	{ .name = "allow-signatures", .type = SCHEMA_LIST, AT(allow_signatures),
	  .max = ALLOW_SIGNATURES_MAX, .check = allow_check_name },
	{ .name = "message-max", .type = SCHEMA_SIZE, AT(message_max),
	  .min = MESSAGE_MAX_LEAST, .max = MESSAGE_MAX_MOST },
	{ .name = "timeout", .type = SCHEMA_DURATION, AT(timeout_ms), .preset = "60s",
	  .min = TIMEOUT_LEAST_MS, .max = TIMEOUT_MOST_MS },
	{ .name = "interval", .type = SCHEMA_DURATION, AT(interval_ms),
	  .min = INTERVAL_LEAST_MS, .max = INTERVAL_MOST_MS },
	{ .name = "idle", .type = SCHEMA_WORD, AT(idle), .preset = "yes", .words = yes_words,
	  LINE(idle) },
	{ .name = "idle-folder", .type = SCHEMA_TEXT, AT(idle_folder),
	  .check = account_check_folder, LINE(idle_folder) },
	{ .name = "idle-refresh", .type = SCHEMA_DURATION, AT(idle_refresh_ms),
	  .preset = "9m", .min = IDLE_REFRESH_LEAST_MS, .max = IDLE_REFRESH_MOST_MS,
	  LINE(idle_refresh) },
	{ .name = "rate", .type = SCHEMA_SIZE, AT(rate), .min = RATE_LEAST,
	  .max = RATE_MOST },
	{ 0 },
};
/* clang-format on */

static int finish_tls(const struct settings *settings, struct account_settings *account,
	struct err *err)
{
	if (account->tls == TLS_VERIFY)
		return 0;
	if (account->kind == SOURCE_IMAPS || account->kind == SOURCE_POP3S)
		return ACCOUNT_REFUSE(account->lines.tls,
			"tls: none does not go with the source: expected imap:// or pop3:// "
			"for a connection in plain text");
	if (account->tls_ca)
		return ACCOUNT_REFUSE(account->lines.tls_ca,
			"tls-ca: nothing is verified with tls = none: expected only one of "
			"the two");
	return 0;
}

static int expand(char **path, struct err *err)
{
	char *expanded;

	if (!*path)
		return 0;
	if (home_expand(*path, &expanded, err) < 0)
		return -1;
	free(*path);
	*path = expanded;
	return 0;
}

static int finish_paths(const struct settings *settings, struct account_settings *account,
	struct err *err)
{
	if (destination_finish(settings, account, err) < 0 ||
		expand(&account->password_file, err) < 0 ||
		expand(&account->deliver_password_file, err) < 0 ||
		expand(&account->tls_ca, err) < 0)
		return -1;
	return 0;
}

static int finish_password(const struct settings *settings,
	struct account_settings *account, struct err *err)
{
	auto_free char *credential = NULL;
	int lines[] = { account->lines.password, account->lines.password_file,
		account->lines.password_command };
	int last = 0;
	size_t count = 0;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		count += lines[i] > 0;
		last = lines[i] > last ? lines[i] : last;
	}
	if (password_credential(account, &credential, err) < 0)
		return -1;
	if (count > 1)
		return ACCOUNT_REFUSE(last,
			"a second source of the password: expected one of "
			"password-command, password-file and password");
	if (count > 0 && credential)
		return ACCOUNT_REFUSE(last,
			"the service manager gives the credential "
			"mailfilter.%s too: expected only one of the two",
			account->name);
	return 0;
}

int account_settings_allow(const struct schema_list *sums,
	const struct schema_list *signatures, struct allow *allow, struct err *err)
{
	struct hash hash;

	for (size_t i = 0; i < sums->count; i++)
		if (!hash_parse(sums->items[i], &hash) ||
			allow_add_hash(allow, &hash, err) < 0)
			return -1;
	for (size_t i = 0; i < signatures->count; i++)
		if (allow_add_name(allow, signatures->items[i], err) < 0)
			return -1;
	return 0;
}

int account_settings_finish(const struct settings *settings,
	struct account_settings *account, struct err *err)
{
	for (size_t i = 0; i < VERDICT_REASONS; i++)
		if (account->on_reason[i] < 0 || i == REASON_NONE)
			account->on_reason[i] = account->on_unscannable;
	if (account->scan < 0)
		account->scan = settings->scan;
	account->idle_interval_ms = account->interval_ms;
	if (account->interval_ms == 0)
		account->interval_ms = settings->interval_ms;
	if (account->message_max == 0)
		account->message_max = settings->message_max;
	if (allow_add(&account->allow, &settings->allow, err) < 0 ||
		account_settings_allow(&account->allow_sha256, &account->allow_signatures,
			&account->allow, err) < 0 ||
		account_source_finish(settings, account, err) < 0 ||
		account_idle_finish(settings, account, err) < 0 ||
		finish_tls(settings, account, err) < 0 ||
		finish_paths(settings, account, err) < 0 ||
		finish_password(settings, account, err) < 0)
		return -1;
	return 0;
}

void account_settings_done(struct account_settings *account)
{
	free(account->source_path);
	free(account->user);
	free(account->host);
	destination_done(account);
	free(account->after_folder);
	allow_done(&account->allow);
}
