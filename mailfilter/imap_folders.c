/* SPDX-License-Identifier: ISC
 *
 * Which folders a mailbox has, and which of them is its trash. */
#include <string.h>

#include "mailfilter/imap.h"
#include "mailfilter/imap_listed.h"

/* All LIST responses to one command. */
static int ask(struct imap *imap, struct buf *lists, struct err *err)
{
	/* Servers that know special uses and no RETURN name them unasked (RFC 6154). */
	bool uses =
		imap_offers(imap, "SPECIAL-USE") && imap_offers(imap, "LIST-EXTENDED");
	int result;

	stream_take_lists(imap->stream, "LIST", lists);
	result = imap_printf(
		imap, err, "LIST \"\" \"*\"%s", uses ? " RETURN (SPECIAL-USE)" : "");
	stream_take_lists(imap->stream, NULL, NULL);
	if (result == 0)
		return err_set(err, imap_temporary(imap) ? ERR_SESSION : ERR_ACCOUNT,
			"the server does not list its folders: %.250s", imap_words(imap));
	return result < 0 ? -1 : 0;
}

static int compare(const void *left, const void *right)
{
	const struct source_folder *a = left, *b = right;

	return strcmp(a->name, b->name);
}

/* By name, each once, with all that was said of it. */
static size_t put_in_order(struct source_folder *folders, size_t count)
{
	size_t kept = 0;

	if (count == 0)
		return 0;
	qsort(folders, count, sizeof(*folders), compare);
	for (size_t i = 1; i < count; i++) {
		if (compare(&folders[i], &folders[kept]) != 0)
			folders[++kept] = folders[i];
		else
			folders[kept].marks |= folders[i].marks;
	}
	return kept + 1;
}

static int read_folders(struct span rest, struct buf *folders,
	struct source_folder_list *list, struct err *err)
{
	struct source_folder folder;
	int result;

	while ((result = imap_listed_next(&rest, &folder, &list->odd)) != 0) {
		if (result < 0) {
			list->odd_count++;
			continue;
		}
		if (buf_add(folders, &folder, sizeof(folder), err) < 0)
			return err->kind == ERR_FATAL
				       ? -1
				       : err_set(err, ERR_ACCOUNT,
						 "more than %d folders in one mailbox",
						 SOURCE_FOLDERS_MAX);
	}
	return 0;
}

int imap_folders(
	struct source *source, struct source_folder_list *list_r, struct err *err)
{
	struct imap *imap = (struct imap *)source;
	struct source_folder_list list = { 0 };
	auto_buf struct buf lists;
	auto_buf struct buf folders;

	buf_init(&lists, IMAP_LISTS_MAX);
	buf_init(&folders, SOURCE_FOLDERS_MAX * sizeof(struct source_folder));
	if (ask(imap, &lists, err) < 0 ||
		read_folders(buf_span(&lists), &folders, &list, err) < 0)
		return -1;
	list.items = (struct source_folder *)(void *)take_ptr(&folders.data);
	list.count = put_in_order(list.items, folders.len / sizeof(struct source_folder));
	*list_r = list;
	return 0;
}
