/* SPDX-License-Identifier: ISC */
#include "mailfilter/account_source.h"

#include <string.h>
#include <strings.h>

#include "common/parse.h"
#include "common/utf8.h"

#include "mailfilter/account_settings.h"
#include "mailfilter/message.h"
#include "mailfilter/source_url.h"

static const char move[] = "move:";

int account_check_source(const char *value, struct err *err)
{
	struct source_url url = { 0 };

	return source_url_parse(value, &url, err);
}

int account_check_folder(const char *value, struct err *err)
{
	if (value[0] == '\0' || strlen(value) >= MESSAGE_FOLDER_MAX)
		return err_set(err, ERR_SETTINGS,
			"\"%.80s\": expected the name of a folder, at most %d bytes",
			value, MESSAGE_FOLDER_MAX - 1);
	if (!utf8_valid(span_str(value)))
		return err_set(
			err, ERR_SETTINGS, "a folder's name: expected it in UTF-8");
	return 0;
}

int account_check_after(const char *value, struct err *err)
{
	if (strcmp(value, "keep") == 0 || strcmp(value, "delete") == 0 ||
		strcmp(value, "flag") == 0 || strcmp(value, "trash") == 0)
		return 0;
	if (strncmp(value, move, sizeof(move) - 1) == 0)
		return account_check_folder(value + sizeof(move) - 1, err);
	return err_set(err, ERR_SETTINGS,
		"\"%.80s\": expected keep, delete, flag, trash or move:FOLDER", value);
}

int account_check_since(const char *value, struct err *err)
{
	uint64_t days;

	if (strcmp(value, "all") == 0 || strcmp(value, "now") == 0 ||
		parse_number(value, 1, SINCE_DAYS_MAX, &days, NULL) == 0)
		return 0;
	return err_set(err, ERR_SETTINGS,
		"\"%.80s\": expected all, now or a number of days, at most %d", value,
		SINCE_DAYS_MAX);
}

static bool is_imap(const struct account_settings *account)
{
	return account->kind == SOURCE_IMAP || account->kind == SOURCE_IMAPS;
}

static int finish_source(const struct settings *settings,
	struct account_settings *account, struct err *err)
{
	struct source_url url = { 0 };

	if (!account->source)
		return ACCOUNT_REFUSE(0,
			"account %s has no source: expected one such as "
			"source = \"imaps://USER@HOST\"",
			account->name);
	if (source_url_parse(account->source, &url, err) < 0)
		return -1;
	account->kind = url.kind;
	account->port = url.port;
	account->user = strdup(url.user);
	account->host = strdup(url.host);
	return account->user && account->host ? 0 : err_memory(err);
}

/* RFC 3501: this one name has no case. One spelling, so that it is one folder on record. */
static void inbox(char *folder)
{
	if (strcasecmp(folder, "INBOX") == 0)
		memcpy(folder, "INBOX", 5);
}

static int finish_folders(const struct settings *settings,
	struct account_settings *account, struct err *err)
{
	const char *twice;
	bool wanted = false;

	for (size_t i = 0; i < account->folders.count; i++) {
		bool not = account->folders.items[i][0] == '!';

		inbox(account->folders.items[i] + not );
		wanted = wanted || !not ;
	}
	if (!wanted)
		return ACCOUNT_REFUSE(account->lines.folders,
			"folders: expected the name of one, or a pattern, without \"!\"");
	twice = schema_list_repeat(&account->folders);
	if (twice)
		return ACCOUNT_REFUSE(account->lines.folders,
			"folders: \"%.80s\" stands there twice: expected it once", twice);
	if (is_imap(account))
		return 0;
	if (account->lines.folders > 0)
		return ACCOUNT_REFUSE(account->lines.folders,
			"folders: POP3 has only one: expected no such option, or an imaps:// "
			"source");
	free(account->folders.items[0]);
	free(account->folders.items);
	account->folders = (struct schema_list){ 0 };
	return 0;
}

static int finish_after(const struct settings *settings, struct account_settings *account,
	struct err *err)
{
	if (strcmp(account->after, "keep") == 0)
		account->after_kind = AFTER_KEEP;
	else if (strcmp(account->after, "delete") == 0)
		account->after_kind = AFTER_DELETE;
	else if (strcmp(account->after, "flag") == 0)
		account->after_kind = AFTER_FLAG;
	else if (strcmp(account->after, "trash") == 0)
		account->after_kind = AFTER_TRASH;
	else
		account->after_kind = AFTER_MOVE;
	if (!is_imap(account) && account->after_kind != AFTER_KEEP &&
		account->after_kind != AFTER_DELETE)
		return ACCOUNT_REFUSE(account->lines.after,
			"after: POP3 cannot %s: expected keep or delete",
			account->after_kind == AFTER_FLAG ? "flag" : "move");
	if (account->after_kind != AFTER_MOVE)
		return 0;
	account->after_folder = strdup(account->after + sizeof(move) - 1);
	if (!account->after_folder)
		return err_memory(err);
	inbox(account->after_folder);
	for (size_t i = 0; i < account->folders.count; i++)
		if (strcmp(account->folders.items[i], account->after_folder) == 0)
			return ACCOUNT_REFUSE(account->lines.after,
				"after: \"%.80s\" is fetched itself: expected a folder that "
				"is not",
				account->after_folder);
	return 0;
}

static int finish_since(const struct settings *settings, struct account_settings *account,
	struct err *err)
{
	uint64_t days = 0;

	account->since_kind = SINCE_ALL;
	if (strcmp(account->since, "now") == 0)
		account->since_kind = SINCE_NOW;
	else if (parse_number(account->since, 1, SINCE_DAYS_MAX, &days, NULL) == 0)
		account->since_kind = SINCE_DAYS;
	account->since_days = (int64_t)days;
	if (account->since_kind == SINCE_DAYS &&
		(account->kind == SOURCE_POP3 || account->kind == SOURCE_POP3S))
		return ACCOUNT_REFUSE(account->lines.since,
			"since: POP3 does not tell when a message came: expected all or now");
	return 0;
}

int account_source_finish(const struct settings *settings,
	struct account_settings *account, struct err *err)
{
	if (finish_source(settings, account, err) < 0 ||
		finish_folders(settings, account, err) < 0 ||
		finish_after(settings, account, err) < 0 ||
		finish_since(settings, account, err) < 0)
		return -1;
	return 0;
}
