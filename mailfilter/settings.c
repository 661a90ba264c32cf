/* SPDX-License-Identifier: ISC */
#include "mailfilter/settings.h"

#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "common/home.h"

#include "mailfilter/account_settings.h"
#include "mailfilter/account_source.h"
#include "mailfilter/password.h"
#include "mailfilter/rescan.h"
#include "mailfilter/rules.h"
#include "mailfilter/scan.h"
#include "mailfilter/scanner_address.h"

enum {
	JOBS_MAX = 300,
	ACCOUNTS_MAX = 10000,
	QUARANTINE_DAYS_MOST = 36500,
	WAIT_LEAST_MS = 100,
	WAIT_MOST_MS = 3600 * 1000,
};

#define QUARANTINE_WARN_MOST (UINT64_C(1) << 50)

#define AT(member) .offset = offsetof(struct settings, member)

/* clang-format off */
const struct schema_option settings_options[] = {
	{ .name = "state-dir", .type = SCHEMA_TEXT, AT(state_dir), .check = home_check_path,
	  .line_offset = offsetof(struct settings, state_dir_line) },
	{ .name = "scanners", .type = SCHEMA_LIST, AT(scanners),
	  .preset = "ipc:///run/mailfilter-scanner/scanner.sock", .min = 1,
	  .max = SCAN_SCANNERS_MAX, .check = scanner_address_check,
	  .line_offset = offsetof(struct settings, scanners_line) },
	{ .name = "curve-key", .type = SCHEMA_TEXT, AT(curve_key), .check = home_check_path,
	  .line_offset = offsetof(struct settings, curve_key_line) },
	{ .name = "jobs", .type = SCHEMA_NUMBER, AT(jobs), .preset = "5", .min = 1,
	  .max = JOBS_MAX },
	{ .name = "interval", .type = SCHEMA_DURATION, AT(interval_ms), .preset = "5m",
	  .min = INTERVAL_LEAST_MS, .max = INTERVAL_MOST_MS },
	{ .name = "scan", .type = SCHEMA_WORD, AT(scan), .preset = "suspicious",
	  .words = scan_words },
	{ .name = "scan-timeout", .type = SCHEMA_DURATION, AT(scan_timeout_ms),
	  .preset = "120s", .min = WAIT_LEAST_MS, .max = WAIT_MOST_MS },
	{ .name = "scanner-wait", .type = SCHEMA_DURATION, AT(scanner_wait_ms),
	  .preset = "10s", .max = WAIT_MOST_MS },
	{ .name = "scanner-start", .type = SCHEMA_DURATION, AT(scanner_start_ms),
	  .preset = "120s", .max = WAIT_MOST_MS },
	{ .name = "message-max", .type = SCHEMA_SIZE, AT(message_max), .preset = "50M",
	  .min = MESSAGE_MAX_LEAST, .max = MESSAGE_MAX_MOST },
	{ .name = "quarantine-days", .type = SCHEMA_NUMBER, AT(quarantine_days),
	  .preset = "180", .max = QUARANTINE_DAYS_MOST },
	{ .name = "quarantine-warn", .type = SCHEMA_SIZE, AT(quarantine_warn),
	  .preset = "1G", .max = QUARANTINE_WARN_MOST },
	{ .name = "rescan-days", .type = SCHEMA_NUMBER, AT(rescan_days), .preset = "7",
	  .max = RESCAN_DAYS_MOST },
	{ .name = "metrics-file", .type = SCHEMA_TEXT, AT(metrics_file),
	  .check = home_check_path },
	{ .name = "allow-sha256", .type = SCHEMA_LIST, AT(allow_sha256), .max = ALLOW_SUMS_MAX,
	  .check = allow_check_hash },
	{ .name = "allow-signatures", .type = SCHEMA_LIST, AT(allow_signatures),
	  .max = ALLOW_SIGNATURES_MAX, .check = allow_check_name },
	{ .name = "account", .type = SCHEMA_SECTION, AT(accounts), .max = ACCOUNTS_MAX,
	  .check = account_check_name, .section = account_options,
	  .item_size = sizeof(struct account_settings),
	  .title_offset = offsetof(struct account_settings, name),
	  .line_offset = offsetof(struct account_settings, line) },
	{ .name = "rule", .type = SCHEMA_SECTION, AT(rules), .max = RULES_MAX,
	  .check = account_check_name, .section = rule_options,
	  .item_size = sizeof(struct rule_settings),
	  .title_offset = offsetof(struct rule_settings, name),
	  .line_offset = offsetof(struct rule_settings, line) },
	{ 0 },
};
/* clang-format on */

static struct account_settings *account_at(const struct settings *settings, size_t i)
{
	return (struct account_settings *)settings->accounts.items + i;
}

/* A password in the file is only as secret as the file. */
static int check_mode(const struct settings *settings, struct err *err)
{
	struct stat st;

	for (size_t i = 0; i < settings->accounts.count; i++) {
		const struct account_settings *account = account_at(settings, i);

		if (!account->password)
			continue;
		if (stat(settings->path, &st) == 0 && (st.st_mode & 077) == 0)
			return 0;
		return schema_error(err, settings->path, account->lines.password,
			"password: others may read this file (mode %03o): expected 600; "
			"chmod 600 %s, or use password-command or password-file",
			st.st_mode & 0777U, settings->path);
	}
	return 0;
}

/* The path that stands for *text, which becomes it. */
static int expand(char **text, struct err *err)
{
	char *path;

	if (home_expand(*text, &path, err) < 0)
		return -1;
	free(*text);
	*text = path;
	return 0;
}

/* Each scanner once, and our own key wherever one has a key. */
static int finish_scanners(struct settings *settings, struct err *err)
{
	struct scanner_address addresses[SCAN_SCANNERS_MAX];

	for (size_t i = 0; i < settings->scanners.count; i++) {
		if (scanner_address_parse(
			    settings->scanners.items[i], &addresses[i], err) < 0)
			return -1;
		for (size_t j = 0; j < i; j++)
			if (strcmp(addresses[j].endpoint, addresses[i].endpoint) == 0)
				return schema_error(err, settings->path,
					settings->scanners_line,
					"scanners: \"%.80s\" stands there twice: expected "
					"it once",
					addresses[i].endpoint);
		if (scanner_address_has_key(&addresses[i]) && !settings->curve_key)
			return schema_error(err, settings->path, settings->scanners_line,
				"scanners: \"%.80s\" has a key: expected curve-key as "
				"well; make one with \"mailfilter keygen FILE\"",
				addresses[i].endpoint);
	}
	return settings->curve_key ? expand(&settings->curve_key, err) : 0;
}

static int finish(struct settings *settings, struct err *err)
{
	if (finish_scanners(settings, err) < 0 ||
		account_settings_allow(&settings->allow_sha256,
			&settings->allow_signatures, &settings->allow, err) < 0)
		return -1;
	for (size_t i = 0; i < settings->accounts.count; i++)
		if (account_settings_finish(settings, account_at(settings, i), err) < 0)
			return -1;
	for (size_t i = 0; i < settings->rules.count; i++)
		if (rule_settings_finish(settings,
			    (struct rule_settings *)settings->rules.items + i, err) < 0)
			return -1;
	if (account_source_check(settings, err) < 0 || check_mode(settings, err) < 0 ||
		(settings->metrics_file && expand(&settings->metrics_file, err) < 0))
		return -1;
	if (!settings->state_dir)
		return home_state(settings->path, &settings->state_dir, err);
	return expand(&settings->state_dir, err);
}

int settings_load(const char *path, struct settings *settings_r, struct err *err)
{
	DEFER(settings_free) struct settings settings = { 0 };

	if (home_settings(path, "mailfilter.conf", &settings.path, err) < 0 ||
		schema_load(settings.path, settings_options, &settings, err) < 0 ||
		finish(&settings, err) < 0)
		return -1;
	*settings_r = settings;
	settings = (struct settings){ 0 };
	return 0;
}

void settings_free(struct settings *settings)
{
	for (size_t i = 0; i < settings->accounts.count; i++)
		account_settings_done(account_at(settings, i));
	allow_done(&settings->allow);
	schema_free(settings_options, settings);
	free(settings->path);
	settings->path = NULL;
}

const struct account_settings *settings_account(const struct settings *settings, size_t i)
{
	return account_at(settings, i);
}

const struct account_settings *settings_find_account(
	const struct settings *settings, const char *name)
{
	for (size_t i = 0; i < settings->accounts.count; i++)
		if (strcmp(account_at(settings, i)->name, name) == 0)
			return account_at(settings, i);
	return NULL;
}

void settings_forget_others(
	const struct settings *settings, const struct account_settings *own)
{
	for (size_t i = 0; i < settings->accounts.count; i++) {
		const struct account_settings *other = settings_account(settings, i);

		if (other != own && other->password)
			explicit_bzero(other->password, strlen(other->password));
	}
}

int settings_check_accounts(const struct settings *settings, struct err *err)
{
	const char *path =
		settings->path ? settings->path : HOME_SYSTEM_SETTINGS "mailfilter.conf";

	if (settings->accounts.count == 0)
		return schema_error(err, path, 0,
			"%s: expected a section \"account NAME { ... }\" for each "
			"mailbox%s",
			settings->path ? "no account" : "no such file",
			settings->path ? ""
				       : ": \"mailfilter setup\" asks, and writes it");
	for (size_t i = 0; i < settings->accounts.count; i++) {
		const struct account_settings *account = account_at(settings, i);
		auto_free char *credential = NULL;

		if (account->kind == SOURCE_MAILDIR || account->password ||
			account->password_file || account->password_command.count > 0)
			continue;
		if (password_credential(account, &credential, err) < 0)
			return -1;
		if (!credential)
			return schema_error(err, path, account->line,
				"account %s has no password: expected password-command, "
				"password-file, password or, inside the service, the systemd "
				"credential mailfilter.%s",
				account->name, account->name);
	}
	return 0;
}

int settings_check_scanners(const struct settings *settings, struct err *err)
{
	struct key key;
	struct err why = { 0 };

	if (!settings->curve_key)
		return 0;
	if (key_read_secret(settings->curve_key, &key, &why) < 0)
		return schema_error(err, settings->path, settings->curve_key_line,
			"curve-key: %s", why.text);
	key_done(&key);
	return 0;
}
