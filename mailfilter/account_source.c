/* SPDX-License-Identifier: ISC */
#include "mailfilter/account_source.h"

#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "common/home.h"
#include "common/parse.h"
#include "common/utf8.h"

#include "mailfilter/account_settings.h"
#include "mailfilter/message.h"
#include "mailfilter/source_url.h"

static const char move[] = "move:";
static const char maildir[] = "maildir:";

int account_check_source(const char *value, struct err *err)
{
	struct source_url url = { 0 };

	if (strncmp(value, maildir, sizeof(maildir) - 1) == 0)
		return home_check_path(value + sizeof(maildir) - 1, err);
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

/* What asks for a server changes nothing here, so its writer meant something else. */
static int finish_maildir(const struct settings *settings,
	struct account_settings *account, struct err *err)
{
	const struct {
		const char *name;
		int line;
	} others[] = { { "password", account->lines.password },
		{ "password-file", account->lines.password_file },
		{ "password-command", account->lines.password_command },
		{ "auth", account->lines.auth }, { "tls", account->lines.tls },
		{ "tls-ca", account->lines.tls_ca } };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (others[i].line > 0)
			return ACCOUNT_REFUSE(others[i].line,
				"%s: a Maildir is a folder here and has no such thing: "
				"expected no such option",
				others[i].name);
	if (account->rate > 0)
		return ACCOUNT_REFUSE(account->lines.source,
			"rate: a Maildir is read, not fetched: expected no such option");
	account->kind = SOURCE_MAILDIR;
	account->user = strdup("");
	account->host = strdup("");
	if (!account->user || !account->host)
		return err_memory(err);
	return home_expand(
		account->source + sizeof(maildir) - 1, &account->source_path, err);
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
	if (strncmp(account->source, maildir, sizeof(maildir) - 1) == 0)
		return finish_maildir(settings, account, err);
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
		bool excluded = account->folders.items[i][0] == '!';

		inbox(account->folders.items[i] + excluded);
		wanted = wanted || !excluded;
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
			"folders: %s has only one: expected no such option, or an imaps:// "
			"source",
			account->kind == SOURCE_MAILDIR ? "a Maildir" : "POP3");
	free(account->folders.items[0]);
	free(account->folders.items);
	account->folders = (struct schema_list){ 0 };
	return 0;
}

static int finish_move(const struct settings *settings, struct account_settings *account,
	struct err *err)
{
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

/* Another Maildir. */
static int finish_after_maildir(const struct settings *settings,
	struct account_settings *account, struct err *err)
{
	const char *path = account->after + sizeof(move) - 1;
	struct err why;

	if (account->after_kind == AFTER_TRASH)
		return ACCOUNT_REFUSE(account->lines.after,
			"after: a Maildir has no trash: expected keep, delete, flag or "
			"move:PATH");
	if (account->after_kind != AFTER_MOVE)
		return 0;
	if (home_check_path(path, &why) < 0)
		return ACCOUNT_REFUSE(account->lines.after, "after: %s", why.text);
	return home_expand(path, &account->after_folder, err);
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
	if (account->kind == SOURCE_MAILDIR)
		return finish_after_maildir(settings, account, err);
	if (!is_imap(account) && account->after_kind != AFTER_KEEP &&
		account->after_kind != AFTER_DELETE)
		return ACCOUNT_REFUSE(account->lines.after,
			"after: POP3 cannot %s: expected keep or delete",
			account->after_kind == AFTER_FLAG ? "flag" : "move");
	return finish_move(settings, account, err);
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
	account->since_days = (int)days;
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

/* A folder as it is, or else as it is written. */
struct place {
	const char *path;
	struct stat st;
	bool there;
};

static struct place place_of(const char *path)
{
	struct place place = { .path = path };

	place.there = path && stat(path, &place.st) == 0;
	return place;
}

static size_t length(const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	return len;
}

static bool same_place(const struct place *left, const struct place *right)
{
	if (!left->path || !right->path)
		return false;
	if (left->there && right->there)
		return left->st.st_dev == right->st.st_dev &&
		       left->st.st_ino == right->st.st_ino;
	return length(left->path) == length(right->path) &&
	       memcmp(left->path, right->path, length(left->path)) == 0;
}

/* Where the mail of an account is, and is put. */
struct places {
	const struct account_settings *account;
	struct place source, deliver, after;
};

static void find_places(const struct account_settings *account, struct places *places)
{
	bool here = account->kind == SOURCE_MAILDIR;

	places->account = account;
	places->source = place_of(account->source_path);
	places->after = place_of(here ? account->after_folder : NULL);
	places->deliver = place_of(
		account->deliver_kind == DELIVER_MAILDIR ? account->deliver_path : NULL);
}

/* What one account puts somewhere, the Maildir of another must not be: it would come in again. */
static int check_pair(const struct settings *settings, const struct places *from,
	const struct places *to, struct err *err)
{
	const struct account_settings *account = to->account;

	if (same_place(&from->source, &to->deliver))
		return schema_error(err, settings->path, account->lines.deliver,
			"deliver: the mail of account %s comes from there, and would come in "
			"again: expected another Maildir",
			from->account->name);
	if (same_place(&from->source, &to->after))
		return schema_error(err, settings->path, account->lines.after,
			"after: the mail of account %s comes from there, and would come in "
			"again: expected another Maildir",
			from->account->name);
	if (from == to && same_place(&to->after, &to->deliver))
		return schema_error(err, settings->path, account->lines.after,
			"after: the mail is delivered there, and would be there twice: "
			"expected another Maildir");
	return 0;
}

int account_source_check(const struct settings *settings, struct err *err)
{
	size_t count = settings->accounts.count;
	auto_free struct places *places = calloc(count ? count : 1, sizeof(*places));

	if (!places)
		return err_memory(err);
	for (size_t i = 0; i < count; i++)
		find_places(settings_account(settings, i), &places[i]);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; places[i].source.path && j < count; j++)
			if (check_pair(settings, &places[i], &places[j], err) < 0)
				return -1;
	return 0;
}
