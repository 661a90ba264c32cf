/* SPDX-License-Identifier: ISC
 *
 * A folder that is seen for the first time may be one that was renamed: then another one that is on
 * record is not there any more, and what was recorded of its messages may be claimed. */
#include "mailfilter/folder_inside.h"

#include <string.h>

#include "common/clock.h"
#include "common/log.h"

static int compare(const void *name, const void *folder)
{
	return strcmp(name, ((const struct source_folder *)folder)->name);
}

/* One that the settings name is missed where it is opened; INBOX is always there. */
static bool is_expected(const struct folder *folder, const char *name)
{
	const struct schema_list *wanted = &folder_tools(folder)->account->folders;

	for (size_t i = 0; i < wanted->count; i++)
		if (strcmp(wanted->items[i], name) == 0)
			return true;
	return strcmp(name, "INBOX") == 0;
}

static int lose(struct folder *folder, const char *name, struct err *err)
{
	struct record *record = folder_tools(folder)->record;
	char text[LOG_TEXT_MAX];

	if (record_begin(record, err) < 0)
		return -1;
	if (record_lose_folder(record, name, clock_wall_s(), err) < 0) {
		record_rollback(record);
		return -1;
	}
	if (record_commit(record, err) < 0)
		return -1;
	log_info("account=%s folder=%s is not there any more",
		folder_tools(folder)->account->name, log_value(span_str(name), text));
	return 0;
}

static int lose_missing(struct folder *folder, char (*names)[MESSAGE_FOLDER_MAX],
	size_t count, struct err *err)
{
	struct source *source = folder->session->source;
	struct source_folder_list list = { 0 };
	int result;

	/* As a rule all are named in the settings, and there is nothing to find out. */
	while (count > 0 && is_expected(folder, names[count - 1]))
		count--;
	if (count == 0)
		return 0;
	result = source->ops->folders(source, &list, err);
	/* A server that does not say what it has: none is known to be missing. */
	if (result < 0)
		return err->kind == ERR_ACCOUNT ? 0 : -1;
	for (size_t i = 0; i < count && list.count > 0 && result == 0; i++)
		if (!is_expected(folder, names[i]) &&
			!bsearch(names[i], list.items, list.count, sizeof(*list.items),
				compare))
			result = lose(folder, names[i], err);
	free(list.items);
	return result;
}

int folder_find_lost(struct folder *folder, struct err *err)
{
	char(*names)[MESSAGE_FOLDER_MAX] = NULL;
	size_t count = 0;
	int result;

	if (folder->session->looked_for_lost)
		return 0;
	if (record_folder_names(folder_tools(folder)->record, &names, &count, err) < 0)
		return -1;
	result = lose_missing(folder, names, count, err);
	free(names);
	folder->session->looked_for_lost = result == 0;
	return result;
}
