/* SPDX-License-Identifier: ISC
 *
 * Of an `account` section what says how its mail is waited for: idle, idle-folder, idle-refresh. */
#include "mailfilter/account_settings.h"

#include <string.h>
#include <strings.h>

#include "mailfilter/folder_names.h"

enum {
	IDLE_INTERVAL_MS = 30 * 60 * 1000, /* where the server says what comes */
};

/* Served for certain, or by a pattern as it seems? */
static bool may_be_served(const struct schema_list *folders, const char *name)
{
	for (size_t i = 0; i < folders->count; i++)
		if (folder_names_is_pattern(folders->items[i]) ||
			strcmp(folders->items[i], name) == 0)
			return true;
	return false;
}

/* Only what is watched is fetched: then what a visit finds besides is what IDLE missed. */
static bool is_all(const struct account_settings *account)
{
	return account->folders.count == 1 &&
	       !folder_names_is_pattern(account->folders.items[0]);
}

static int refuse_all(const struct settings *settings,
	const struct account_settings *account, struct err *err)
{
	const struct {
		const char *name;
		int line;
	} options[] = { { "idle", account->lines.idle },
		{ "idle-folder", account->lines.idle_folder },
		{ "idle-refresh", account->lines.idle_refresh } };

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (options[i].line > 0)
			return ACCOUNT_REFUSE(options[i].line,
				"%s: only IMAP has it: expected no such option, or an "
				"imaps:// source",
				options[i].name);
	return 0;
}

int account_idle_finish(const struct settings *settings, struct account_settings *account,
	struct err *err)
{
	bool own_interval = account->idle_interval_ms > 0;

	if (!own_interval)
		account->idle_interval_ms = account->interval_ms;
	if (account->kind != SOURCE_IMAP && account->kind != SOURCE_IMAPS) {
		account->idle = false;
		return refuse_all(settings, account, err);
	}
	if (account->idle_folder && strcasecmp(account->idle_folder, "INBOX") == 0)
		memcpy(account->idle_folder, "INBOX", 5);
	if (account->idle_folder &&
		!may_be_served(&account->folders, account->idle_folder))
		return ACCOUNT_REFUSE(account->lines.idle_folder,
			"idle-folder: \"%.80s\" is not among the folders: expected one of "
			"those that are fetched",
			account->idle_folder);
	if (!own_interval && is_all(account) && account->interval_ms < IDLE_INTERVAL_MS)
		account->idle_interval_ms = IDLE_INTERVAL_MS;
	return 0;
}
