/* SPDX-License-Identifier: ISC */
#include "mailfilter/folder_names.h"

#include <string.h>
#include <strings.h>

bool folder_names_is_pattern(const char *wanted)
{
	return wanted[0] == '!' || strpbrk(wanted, "*%") != NULL;
}

static bool same(char pattern, char c, char separator)
{
	return pattern == c || (pattern == '/' && separator && c == separator);
}

/* A wildcard may stand for nothing: what is behind it is reached as well. */
static void reach(const char *pattern, size_t len, bool *reached)
{
	for (size_t i = 0; i < len; i++)
		if (reached[i] && (pattern[i] == '*' || pattern[i] == '%'))
			reached[i + 1] = true;
}

/* All places in the pattern that the name may have come to, a character at a time: no name and no
 * pattern makes this slow. */
bool folder_names_match(const char *pattern, const struct source_folder *folder)
{
	bool reached[MESSAGE_FOLDER_MAX + 1] = { true };
	size_t len = strlen(pattern);

	if (len >= MESSAGE_FOLDER_MAX)
		return false;
	reach(pattern, len, reached);
	for (const char *at = folder->name; *at; at++) {
		bool next[MESSAGE_FOLDER_MAX + 1] = { false };

		for (size_t i = 0; i < len; i++) {
			bool level = folder->separator && *at == folder->separator;

			if (!reached[i])
				continue;
			if (pattern[i] == '*' || (pattern[i] == '%' && !level))
				next[i] = true;
			else if (same(pattern[i], *at, folder->separator))
				next[i + 1] = true;
		}
		memcpy(reached, next, sizeof(reached));
		reach(pattern, len, reached);
	}
	return reached[len];
}

bool folder_names_wants(
	const struct schema_list *wanted, const struct source_folder *folder)
{
	bool wants = false;

	if (folder->marks & (SOURCE_FOLDER_NONE | SOURCE_FOLDER_VIEW))
		return false;
	for (size_t i = 0; i < wanted->count; i++) {
		const char *item = wanted->items[i];

		if (item[0] == '!' && folder_names_match(item + 1, folder))
			return false;
		if (item[0] != '!' && folder_names_is_pattern(item))
			wants = wants || folder_names_match(item, folder);
	}
	return wants;
}

/* What servers that mark none call it, at the top or below INBOX. */
static bool is_trash_name(const struct source_folder *folder)
{
	static const char *const names[] = { "Trash", "Deleted Items",
		"Deleted Messages" };
	const char *name = folder->name;

	if (strncmp(name, "INBOX", 5) == 0 && folder->separator &&
		name[5] == folder->separator)
		name += 6;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

const struct source_folder *folder_names_trash(const struct source_folder_list *list)
{
	const struct source_folder *named = NULL;

	for (size_t i = 0; i < list->count; i++) {
		const struct source_folder *folder = &list->items[i];

		if (folder->marks & SOURCE_FOLDER_NONE)
			continue;
		if (folder->marks & SOURCE_FOLDER_TRASH)
			return folder;
		if (!named && is_trash_name(folder))
			named = folder;
	}
	return named;
}
