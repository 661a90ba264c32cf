/* SPDX-License-Identifier: ISC */
#include "mailfilter/maildir_settle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"

#include "mailfilter/maildir.h"

/* Nothing of ours is delivered there by a name of its owner's. */
static const char nobody[] = "00000000";

struct settling {
	const struct account_settings *account;
	struct maildir_list *list;
	struct maildir target; /* of move */
};

bool maildir_flagged(const char *name, char *flagged, size_t size)
{
	size_t base = maildir_base(name);
	const char *flags = strncmp(name + base, ":2,", 3) == 0 ? name + base + 3 : "";
	size_t before = strcspn(flags, "FGHIJKLMNOPQRSTUVWXYZ");
	int len = snprintf(flagged, size, "%.*s:2,%.*sF%s", (int)base, name, (int)before,
		flags, flags + before + (flags[before] == 'F'));

	return len > 0 && (size_t)len < size;
}

/* Not over another file. Where the file system cannot promise that, it is looked for before. */
static int rename_new(int from, const char *name, int to, const char *new_name)
{
	int result = renameat2(from, name, to, new_name, RENAME_NOREPLACE);

	if (result < 0 && (errno == EINVAL || errno == ENOSYS)) {
		if (faccessat(to, new_name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
			errno = EEXIST;
			return -1;
		}
		result = renameat(from, name, to, new_name);
	}
	return result;
}

static int flag(const struct settling *settling, const struct maildir_entry *entry)
{
	char name[NAME_MAX + 1];

	if (!maildir_flagged(entry->name, name, sizeof(name))) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (entry->cur && strcmp(name, entry->name) == 0)
		return 0;
	return rename_new(entry->cur ? settling->list->cur : settling->list->new,
		entry->name, settling->list->cur, name);
}

/* -1 with errno. */
static int settle_entry(
	const struct settling *settling, const struct maildir_entry *entry)
{
	int dir = entry->cur ? settling->list->cur : settling->list->new;

	switch (settling->account->after_kind) {
	case AFTER_KEEP:
	case AFTER_TRASH: /* which the settings refuse */
		return 0;
	case AFTER_DELETE:
		return unlinkat(dir, entry->name, 0);
	case AFTER_FLAG:
		return flag(settling, entry);
	case AFTER_MOVE:
		return rename_new(dir, entry->name,
			entry->cur ? settling->target.cur : settling->target.new,
			entry->name);
	}
	return 0;
}

/* A mail program may have moved it; or deleted it, and then there is nothing to do. */
static int settle_one(struct settling *settling, uint32_t number, struct err *err)
{
	const struct maildir_entry *entry = &settling->list->items[number - 1];
	int result = settle_entry(settling, entry);

	if (result < 0 && errno == ENOENT) {
		if (maildir_list_refresh(settling->list, err) < 0)
			return -1;
		result = settle_entry(settling, entry);
		if (result < 0 && errno == ENOENT)
			return 0;
	}
	if (result == 0)
		return 0;
	if (errno == EXDEV)
		return err_set(err, ERR_ACCOUNT,
			"after = %s: it is on another file system than %s, and can hold none "
			"of its files",
			settling->account->after, settling->account->source_path);
	return err_errno(err, file_err_kind(errno), "after = %s in %s",
		settling->account->after, settling->account->source_path);
}

static int sync_all(const struct settling *settling, struct err *err)
{
	const char *path = settling->account->source_path;

	/* First where they are, then where they no longer are. */
	if (settling->account->after_kind == AFTER_MOVE &&
		(file_sync_dir(settling->target.new, settling->target.path, err) < 0 ||
			file_sync_dir(settling->target.cur, settling->target.path, err) <
				0))
		return -1;
	if (file_sync_dir(settling->list->cur, path, err) < 0)
		return -1;
	return file_sync_dir(settling->list->new, path, err);
}

static int settle_all(struct settling *settling, const struct source_item *items,
	size_t count, struct err *err)
{
	for (size_t i = 0; i < count; i++) {
		if (items[i].number == 0 || items[i].number > settling->list->count)
			return err_set(err, ERR_SESSION, "no such message was listed");
		if (settle_one(settling, items[i].number, err) < 0)
			return -1;
	}
	return sync_all(settling, err);
}

int maildir_settle(const struct account_settings *account, struct maildir_list *list,
	const struct source_item *items, size_t count, struct err *err)
{
	struct settling settling = { .account = account, .list = list };
	int result;

	if (account->after_kind != AFTER_MOVE)
		return settle_all(&settling, items, count, err);
	if (maildir_open(account->after_folder, nobody, &settling.target, err) < 0)
		return err_wrap(err, "after = %s", account->after);
	result = settle_all(&settling, items, count, err);
	maildir_close(&settling.target);
	return result;
}
