/* SPDX-License-Identifier: ISC */
#include "mailfilter/maildir_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/defer.h"
#include "common/file.h"

size_t maildir_base(const char *name)
{
	return strcspn(name, ":");
}

static int compare_base(const char *left, const char *right)
{
	size_t a = maildir_base(left), b = maildir_base(right);
	int order = memcmp(left, right, a < b ? a : b);

	return order ? order : (a > b) - (a < b);
}

/* Of two with one name, the one in cur comes first: it was moved there meanwhile. */
static int compare(const void *left, const void *right)
{
	const struct maildir_entry *a = left, *b = right;
	int order = compare_base(a->name, b->name);

	return order ? order : (int)b->cur - (int)a->cur;
}

static int compare_key(const void *name, const void *entry)
{
	return compare_base(name, ((const struct maildir_entry *)entry)->name);
}

static int grow(struct maildir_list *list, size_t *size, struct err *err)
{
	size_t more = *size ? *size * 2 : 256;
	struct maildir_entry *larger;

	if (list->count < *size)
		return 0;
	if (list->count >= MAILDIR_LIST_MAX)
		return err_set(err, ERR_ACCOUNT,
			"more than %d messages in %s: move some away", MAILDIR_LIST_MAX,
			list->path);
	larger = reallocarray(list->items, more, sizeof(*larger));
	if (!larger)
		return err_memory(err);
	list->items = larger;
	*size = more;
	return 0;
}

static int add(struct maildir_list *list, size_t *size, const char *name, bool cur,
	struct err *err)
{
	struct maildir_entry entry = { .cur = cur };
	struct stat st;

	/* Gone again, a link or no file: not a message. */
	if (fstatat(cur ? list->cur : list->new, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		!S_ISREG(st.st_mode))
		return 0;
	if (grow(list, size, err) < 0)
		return -1;
	entry.size = (uint64_t)st.st_size;
	entry.date_s = st.st_mtime;
	entry.name = strdup(name);
	if (!entry.name)
		return err_memory(err);
	list->items[list->count++] = entry;
	return 0;
}

static int read_folder(struct maildir_list *list, size_t *size, bool cur, struct err *err)
{
	auto_closedir DIR *dir = file_list(cur ? list->cur : list->new);
	struct dirent *entry;

	if (!dir)
		return err_errno(err, file_err_kind(errno), "cannot read %s/%s",
			list->path, cur ? "cur" : "new");
	while ((errno = 0, entry = readdir(dir)))
		if (entry->d_name[0] != '.' && entry->d_name[0] != ':' &&
			add(list, size, entry->d_name, cur, err) < 0)
			return -1;
	if (errno)
		return err_errno(err, file_err_kind(errno), "cannot read %s/%s",
			list->path, cur ? "cur" : "new");
	return 0;
}

static void keep_first(struct maildir_list *list)
{
	size_t kept = 0;

	for (size_t i = 1; i < list->count; i++) {
		if (compare_base(list->items[kept].name, list->items[i].name) == 0)
			free(list->items[i].name);
		else
			list->items[++kept] = list->items[i];
	}
	if (list->count > 0)
		list->count = kept + 1;
}

int maildir_list_read(struct maildir_list *list, struct err *err)
{
	size_t size = 0;

	/* new first: what is moved to cur in between is seen twice, not missed. */
	if (read_folder(list, &size, false, err) < 0 ||
		read_folder(list, &size, true, err) < 0)
		return -1;
	if (list->count > 0)
		qsort(list->items, list->count, sizeof(*list->items), compare);
	keep_first(list);
	return 0;
}

struct maildir_entry *maildir_list_find(const struct maildir_list *list, const char *name)
{
	return list->count == 0 ? NULL
				: bsearch(name, list->items, list->count,
					  sizeof(*list->items), compare_key);
}

int maildir_list_refresh(struct maildir_list *list, struct err *err)
{
	struct maildir_list fresh = {
		.new = list->new, .cur = list->cur, .path = list->path
	};
	int result = maildir_list_read(&fresh, err);

	for (size_t i = 0; result == 0 && i < list->count; i++) {
		struct maildir_entry *found =
			maildir_list_find(&fresh, list->items[i].name);
		char *name;

		if (!found)
			continue;
		name = list->items[i].name;
		list->items[i].name = found->name;
		list->items[i].cur = found->cur;
		found->name = name;
	}
	maildir_list_done(&fresh);
	return result;
}

void maildir_list_done(struct maildir_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].name);
	free(list->items);
	list->items = NULL;
	list->count = 0;
}
