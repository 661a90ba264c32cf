/* SPDX-License-Identifier: ISC */
#include "mailfilter/folders.h"

#include <string.h>

#include "common/log.h"

#include "mailfilter/folder_names.h"

static const struct account_settings *account_of(const struct session *session)
{
	return session->pipeline->tools.account;
}

static bool has_pattern(const struct schema_list *wanted)
{
	for (size_t i = 0; i < wanted->count; i++)
		if (folder_names_is_pattern(wanted->items[i]))
			return true;
	return false;
}

static int add(struct folders *folders, struct session *session, const char *name,
	bool found, struct err *err)
{
	if (folders->count == FOLDERS_MAX)
		return err_set(err, ERR_ACCOUNT,
			"more than %d folders are meant by `folders`: mean fewer",
			FOLDERS_MAX);
	folders->items[folders->count++] =
		(struct folder){ .name = name, .found = found, .session = session };
	return 0;
}

static bool is_named(const struct folders *folders, const char *name)
{
	for (size_t i = 0; i < folders->count; i++)
		if (strcmp(folders->items[i].name, name) == 0)
			return true;
	return false;
}

/* What is fetched must not come from where it goes to; nor in a dry run, which only keeps. */
static bool is_target(const struct account_settings *account,
	const struct source_folder *folder, const struct source_folder *trash)
{
	if (account->after_folder)
		return strcmp(folder->name, account->after_folder) == 0;
	return folder == trash && account->after && strcmp(account->after, "trash") == 0;
}

static int add_found(struct folders *folders, struct session *session, struct err *err)
{
	const struct account_settings *account = account_of(session);
	const struct source_folder_list *list = &folders->listed;
	const struct source_folder *trash = folder_names_trash(list);
	char text[LOG_TEXT_MAX];

	if (list->odd_count > 0)
		log_warning("account=%s folders=%zu are left out reason=%s",
			account->name, list->odd_count,
			log_value(span_str(list->odd.text), text));
	for (size_t i = 0; i < list->count; i++) {
		const struct source_folder *folder = &list->items[i];

		if (folder_names_wants(&account->folders, folder) &&
			!is_target(account, folder, trash) &&
			!is_named(folders, folder->name) &&
			add(folders, session, folder->name, true, err) < 0)
			return -1;
	}
	return 0;
}

static int find(struct folders *folders, struct session *session, struct err *err)
{
	const struct schema_list *wanted = &account_of(session)->folders;

	if (wanted->count == 0)
		return add(folders, session, "", false, err);
	for (size_t i = 0; i < wanted->count; i++)
		if (!folder_names_is_pattern(wanted->items[i]) &&
			add(folders, session, wanted->items[i], false, err) < 0)
			return -1;
	if (!has_pattern(wanted))
		return 0;
	if (session->source->ops->folders(session->source, &folders->listed, err) < 0)
		return -1;
	return add_found(folders, session, err);
}

int folders_find(struct folders *folders, struct session *session, struct err *err)
{
	if (folders->items)
		return 0;
	folders->items = calloc(FOLDERS_MAX, sizeof(*folders->items));
	if (!folders->items)
		return err_memory(err);
	if (find(folders, session, err) == 0)
		return 0;
	folders_done(folders);
	return -1;
}

const struct folder *folders_watched(const struct folders *folders, const char *name)
{
	const struct folder *first = NULL;

	for (size_t i = 0; i < folders->count; i++) {
		const struct folder *folder = &folders->items[i];

		if (folder->listed && name && strcmp(folder->name, name) == 0)
			return folder;
		if (folder->listed && !first)
			first = folder;
	}
	return first;
}

void folders_done(struct folders *folders)
{
	free(folders->items);
	free(folders->listed.items);
	*folders = (struct folders){ 0 };
}
