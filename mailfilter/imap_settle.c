/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <strings.h>

#include "mailfilter/folder_names.h"
#include "mailfilter/imap.h"
#include "mailfilter/imap_text.h"
#include "mailfilter/uidset.h"

/* Another client deleted one of them; a new session does not see it. */
static bool is_gone(const struct imap *imap)
{
	return strcasecmp(imap_code(imap), "EXPUNGEISSUED") == 0;
}

/* The server said NO: again later, or never without a person. */
static int refused(struct imap *imap, const char *what, struct err *err)
{
	bool again = imap_temporary(imap) || is_gone(imap);

	if (imap->account->deliver_kind == DELIVER_INPLACE)
		return err_set(err, again ? ERR_SESSION : ERR_ACCOUNT,
			"%s what was replaced in its folder: the server refuses: %.250s",
			what, imap_words(imap));
	return err_set(err, again ? ERR_SESSION : ERR_ACCOUNT,
		"%s (after = %s): the server refuses: %.250s", what,
		imap->account->after ? imap->account->after : "", imap_words(imap));
}

static int add_flag(struct imap *imap, const char *set, const char *flag, struct err *err)
{
	int result = imap_printf(imap, err, "UID STORE %s +FLAGS.SILENT (%s)", set, flag);

	/* The others have it (RFC 2180, 4.2). */
	if (result == 0 && !is_gone(imap))
		return refused(imap, "cannot set a flag", err);
	return result < 0 ? -1 : 0;
}

/* Only ours: EXPUNGE without UIDs would take what other programs have marked. Without UIDPLUS
 * they stay marked, which every client shows as deleted. */
static int remove_set(struct imap *imap, const char *set, struct err *err)
{
	int result;

	if (add_flag(imap, set, "\\Deleted", err) < 0)
		return -1;
	if (!imap_offers(imap, "UIDPLUS")) {
		imap->source.leaves_marked = true;
		return 0;
	}
	result = imap_printf(imap, err, "UID EXPUNGE %s", set);
	if (result == 0)
		return refused(imap, "cannot delete", err);
	return result < 0 ? -1 : 0;
}

static int create_folder(struct imap *imap, const char *folder, struct err *err)
{
	int result = imap_printf(imap, err, "CREATE %s", folder);

	if (result == 0)
		return refused(imap, "cannot create the folder", err);
	return result < 0 ? -1 : 0;
}

/* MOVE or COPY, the folder made first if the server says it must be. */
static int transfer(struct imap *imap, const char *verb, const char *set,
	const char *folder, struct err *err)
{
	int result = imap_printf(imap, err, "UID %s %s %s", verb, set, folder);

	if (result == 0 && strcasecmp(imap_code(imap), "TRYCREATE") == 0) {
		if (create_folder(imap, folder, err) < 0)
			return -1;
		result = imap_printf(imap, err, "UID %s %s %s", verb, set, folder);
	}
	if (result == 0)
		return refused(imap, "cannot move", err);
	return result < 0 ? -1 : 0;
}

/* Once a session. */
static int find_trash(struct imap *imap, struct err *err)
{
	struct source_folder_list list = { 0 };
	const struct source_folder *trash;

	if (imap->trash[0])
		return 0;
	if (imap_folders(&imap->source, &list, err) < 0)
		return -1;
	trash = folder_names_trash(&list);
	if (trash)
		memcpy(imap->trash, trash->name, sizeof(imap->trash));
	free(list.items);
	if (!imap->trash[0])
		return err_set(err, ERR_ACCOUNT,
			"after = trash: the server marks no folder as trash, and has none of "
			"that name: name one with move:FOLDER");
	return 0;
}

static int move_set(
	struct imap *imap, const char *set, const char *target, struct err *err)
{
	auto_buf struct buf folder;
	const char *name;

	buf_init(&folder, IMAP_COMMAND_MAX / 4);
	if (imap_text_folder(target, &folder, err) < 0 ||
		buf_text(&folder, &name, err) < 0)
		return -1;
	if (imap_offers(imap, "MOVE"))
		return transfer(imap, "MOVE", set, name, err);
	if (transfer(imap, "COPY", set, name, err) < 0)
		return -1;
	return remove_set(imap, set, err);
}

static int settle_set(struct imap *imap, const char *set, struct err *err)
{
	switch (imap->account->after_kind) {
	case AFTER_KEEP:
		return 0;
	case AFTER_FLAG:
		return add_flag(imap, set, "\\Flagged", err);
	case AFTER_DELETE:
		return remove_set(imap, set, err);
	case AFTER_MOVE:
		return move_set(imap, set, imap->account->after_folder, err);
	case AFTER_TRASH:
		return move_set(imap, set, imap->trash, err);
	}
	return 0;
}

static int settle_items(struct imap *imap, const struct source_item *items, size_t count,
	int (*settle)(struct imap *imap, const char *set, struct err *err),
	struct err *err)
{
	auto_free uint32_t *uids = NULL;
	size_t uid_count;

	if (uidset_read(items, count, &uids, &uid_count, err) < 0)
		return -1;
	for (size_t at = 0; at < uid_count;) {
		char set[UIDSET_TEXT_MAX];

		at += uidset_text(uids + at, uid_count - at, set);
		if (settle(imap, set, err) < 0)
			return -1;
	}
	return 0;
}

/* A session that broke may have copied these and not marked them: those are marked now. What is
 * left is at the front of items then. */
static int mark_copied(struct imap *imap, struct source_item *items, size_t *count,
	const char *target, struct err *err)
{
	auto_free struct source_item *again = calloc(*count, sizeof(*again));
	auto_free bool *copied = calloc(*count, sizeof(*copied));
	size_t asked = 0, marked = 0, left = 0;

	if (!again || !copied)
		return err_memory(err);
	for (size_t i = 0; i < *count; i++)
		if (items[i].again)
			again[asked++] = items[i];
	if (asked == 0)
		return 0;
	if (imap_find_copies(imap, target, again, asked, copied, err) < 0)
		return -1;
	asked = 0;
	for (size_t i = 0; i < *count; i++) {
		if (items[i].again && copied[asked++])
			again[marked++] = items[i];
		else
			items[left++] = items[i];
	}
	*count = left;
	return settle_items(imap, again, marked, remove_set, err);
}

/* COPY and a mark, where there is no MOVE. */
static int copy_items(struct imap *imap, const struct source_item *items, size_t count,
	const char *target, struct err *err)
{
	auto_free struct source_item *left = calloc(count, sizeof(*left));

	if (!left)
		return err_memory(err);
	memcpy(left, items, count * sizeof(*left));
	if (mark_copied(imap, left, &count, target, err) < 0)
		return -1;
	return settle_items(imap, left, count, settle_set, err);
}

int imap_settle(struct source *source, const struct source_item *items, size_t count,
	struct err *err)
{
	struct imap *imap = (struct imap *)source;
	enum after_kind kind = imap->account->after_kind;
	const char *target = imap->account->after_folder;

	if (kind == AFTER_KEEP || count == 0)
		return 0;
	if (imap_write(imap, err) < 0)
		return -1;
	if (kind != AFTER_MOVE && kind != AFTER_TRASH)
		return settle_items(imap, items, count, settle_set, err);
	if (kind == AFTER_TRASH && find_trash(imap, err) < 0)
		return -1;
	if (kind == AFTER_TRASH)
		target = imap->trash;
	if (strcmp(imap->folder, target) == 0)
		return err_set(err, ERR_ACCOUNT,
			"after = %s: this is the folder itself: leave it out of `folders`",
			imap->account->after);
	if (imap_offers(imap, "MOVE"))
		return settle_items(imap, items, count, settle_set, err);
	return copy_items(imap, items, count, target, err);
}
