/* SPDX-License-Identifier: ISC */
#include "mailfilter/connect_folders.h"

#include <stdlib.h>
#include <string.h>

#include "common/defer.h"

#include "mailfilter/folder_names.h"

enum {
	NAMED_MAX = 8, /* folders of the server that a sentence names */
	NAMES_TEXT_MAX = 240
};

/* "INBOX, Sent, ..." */
static void name_some(
	const struct source_folder_list *list, char text[static NAMES_TEXT_MAX])
{
	size_t used = 0, named = 0;

	text[0] = '\0';
	for (size_t i = 0; i < list->count && named < NAMED_MAX; i++) {
		const struct source_folder *folder = &list->items[i];
		int len;

		if (folder->marks & (SOURCE_FOLDER_NONE | SOURCE_FOLDER_VIEW))
			continue;
		len = snprintf(text + used, NAMES_TEXT_MAX - used, "%s%s",
			named ? ", " : "", folder->name);
		if (len < 0 || used + (size_t)len >= NAMES_TEXT_MAX) {
			text[used] = '\0';
			break;
		}
		used += (size_t)len;
		named++;
	}
	if (named < list->count)
		(void)snprintf(
			text + used, NAMES_TEXT_MAX - used, "%s...", named ? ", " : "");
}

static bool is_there(const struct source_folder_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return true;
	return false;
}

static size_t matches(const struct source_folder_list *list, const char *pattern)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++)
		count += !(list->items[i].marks &
				 (SOURCE_FOLDER_NONE | SOURCE_FOLDER_VIEW)) &&
			 folder_names_match(pattern, &list->items[i]);
	return count;
}

/* 1: it can be opened. */
static int open_named(const struct connect_folders *folders,
	const struct source_folder_list *list, const char *name, struct err *err)
{
	char names[NAMES_TEXT_MAX];
	uint32_t uidvalidity;

	if (folders->source->ops->select(folders->source, name, &uidvalidity, err) == 0)
		return 1;
	if (err->kind != ERR_ACCOUNT)
		return -1;
	name_some(list, names);
	remarks_add(folders->found, REMARK_SETTINGS, folders->subject, "folders",
		"%.200s; correct `folders`, or make the folder on the server, which has: %s",
		err->text, names);
	return 0;
}

static void say_unmatched(const struct connect_folders *folders,
	const struct source_folder_list *list, const char *pattern, bool served)
{
	char names[NAMES_TEXT_MAX];

	name_some(list, names);
	if (pattern[0] == '!')
		remarks_add(folders->found, REMARK_NOTE, folders->subject, "folders",
			"\"%.100s\" leaves no folder out; see that it is written right: the "
			"server has: %s",
			pattern, names);
	else
		remarks_add(folders->found, served ? REMARK_NOTE : REMARK_SETTINGS,
			folders->subject, "folders",
			"no folder matches \"%.100s\"; correct `folders`: the server has: %s",
			pattern, names);
}

static int look_at_wanted(const struct connect_folders *folders,
	const struct source_folder_list *list, struct err *err)
{
	const struct schema_list *wanted = &folders->account->folders;
	size_t named = 0, found = 0;

	for (size_t i = 0; i < wanted->count; i++) {
		int result;

		if (folder_names_is_pattern(wanted->items[i]))
			continue;
		result = open_named(folders, list, wanted->items[i], err);
		if (result < 0)
			return -1;
		named += (size_t)result;
	}
	for (size_t i = 0; i < list->count; i++)
		found += folder_names_wants(wanted, &list->items[i]);
	for (size_t i = 0; i < wanted->count; i++) {
		const char *pattern = wanted->items[i];

		if (folder_names_is_pattern(pattern) &&
			matches(list, pattern + (pattern[0] == '!')) == 0)
			say_unmatched(folders, list, pattern, named + found > 0);
	}
	remarks_add(folders->found, REMARK_OK, folders->subject, "folders",
		"%zu of the server's %zu folders can be served", named + found,
		list->count);
	return 0;
}

/* Where mail goes on the server afterwards. */
static void look_at_target(
	const struct connect_folders *folders, const struct source_folder_list *list)
{
	const struct account_settings *account = folders->real;

	if (account->after_kind == AFTER_TRASH && !folder_names_trash(list))
		remarks_add(folders->found, REMARK_SETTINGS, folders->subject, "after",
			"after = trash: the server marks no folder as trash, and has none of that "
			"name; name one with after = \"move:FOLDER\"");
	if (account->after_kind == AFTER_MOVE && !is_there(list, account->after_folder))
		remarks_add(folders->found, REMARK_NOTE, folders->subject, "after",
			"the server has no folder \"%.200s\" yet; it is made when mail is moved "
			"there, so see that it is written right",
			account->after_folder);
}

int connect_folders(const struct connect_folders *folders, struct err *err)
{
	struct source_folder_list list = { 0 };
	int result;

	if (folders->source->ops->folders(folders->source, &list, err) < 0)
		return -1;
	result = look_at_wanted(folders, &list, err);
	if (result == 0)
		look_at_target(folders, &list);
	free(list.items);
	return result;
}
