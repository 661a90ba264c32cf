/* SPDX-License-Identifier: ISC */
#include "mailfilter/maildir_box.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"

#include "mailfilter/maildir_left.h"

enum {
	FOLLOW_MAX = 20 /* times that a reader may move a message under our hands */
};

static int fail(const struct maildir_box *box, const char *what, const char *name,
	struct err *err)
{
	return err_errno(
		err, file_err_kind(errno), "cannot %s %s in %s", what, name, box->path);
}

/* 1: open, 0: there is no such folder. */
static int open_folder(const struct maildir_box *box, int root, const char *name,
	int *fd_r, struct err *err)
{
	*fd_r = openat(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*fd_r >= 0)
		return 1;
	if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
		return 0;
	return fail(box, "open", name, err);
}

static int open_all(struct maildir_box *box, struct err *err)
{
	/* The path is its owner's word, so it may be a link; what is inside may not. */
	auto_close int root = open(box->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int there;

	if (root < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (root < 0)
		return err_errno(err, file_err_kind(errno), "cannot open %s", box->path);
	there = open_folder(box, root, "tmp", &box->tmp, err);
	if (there > 0)
		there = open_folder(box, root, "new", &box->new, err);
	if (there > 0)
		there = open_folder(box, root, "cur", &box->cur, err);
	if (there <= 0)
		return there;
	box->list = (struct maildir_list){
		.new = box->new, .cur = box->cur, .path = box->path
	};
	return maildir_list_read(&box->list, err) < 0 ? -1 : 1;
}

int maildir_box_open(const char *path, struct maildir_box *box_r, struct err *err)
{
	struct maildir_box box = { .tmp = -1, .new = -1, .cur = -1 };
	int there;

	box.boot_s = maildir_boot_s();
	box.path = strdup(path);
	if (!box.path)
		return err_memory(err);
	there = open_all(&box, err);
	if (there > 0)
		*box_r = box;
	else
		maildir_box_close(&box);
	return there;
}

void maildir_box_close(struct maildir_box *box)
{
	maildir_list_done(&box->list);
	defer_close(&box->tmp);
	defer_close(&box->new);
	defer_close(&box->cur);
	free(box->path);
	*box = (struct maildir_box){ .tmp = -1, .new = -1, .cur = -1 };
}

struct maildir maildir_box_maildir(const struct maildir_box *box)
{
	return (struct maildir){ .path = box->path,
		.tmp_path = box->path,
		.new_path = box->path,
		.tmp = box->tmp,
		.new = box->new,
		.cur = box->cur,
		.boot_s = box->boot_s };
}

static int folder_of(const struct maildir_box *box, const struct maildir_entry *entry)
{
	return entry->cur ? box->cur : box->new;
}

static bool is_there(const struct maildir_box *box, const struct maildir_entry *entry)
{
	struct stat st;

	return fstatat(folder_of(box, entry), entry->name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Where it is now, NULL if nowhere. A reader may have moved it since the folder was listed. */
static int look_for(struct maildir_box *box, const char *name,
	struct maildir_entry **entry_r, struct err *err)
{
	struct maildir_entry *entry = maildir_list_find(&box->list, name);

	if (entry && !is_there(box, entry)) {
		if (maildir_list_refresh(&box->list, err) < 0)
			return -1;
		entry = is_there(box, entry) ? entry : NULL;
	}
	*entry_r = entry;
	return 0;
}

int maildir_box_read(struct maildir_box *box, const char *name, int *fd_r,
	int64_t *date_s_r, struct err *err)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	struct maildir_entry *entry = NULL;
	auto_close int fd = -1;
	struct stat st;

	for (int i = 0; i < FOLLOW_MAX && fd < 0; i++) {
		if (look_for(box, name, &entry, err) < 0)
			return -1;
		if (!entry)
			return 0;
		fd = openat(folder_of(box, entry), entry->name, flags);
		if (fd < 0 && errno != ENOENT)
			return fail(box, "open", entry->name, err);
	}
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	*date_s_r = st.st_mtime;
	*fd_r = take_fd(&fd);
	return 1;
}

static int date(const struct maildir_box *box, int fd, const struct timespec times[2],
	struct err *err)
{
	return futimens(fd, times) < 0 ? fail(box, "date", "a message", err) : 0;
}

int maildir_box_write(const struct maildir_box *box, const char *name, struct body *body,
	int64_t date_s, struct err *err)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_NOW },
		{ .tv_sec = (time_t)date_s } };
	const struct maildir maildir = maildir_box_maildir(box);
	auto_close int fd = -1;

	if (!maildir_is_name(name))
		return err_set(err, ERR_MESSAGE, "no name that a Maildir can have");
	/* What a run that died left and never showed. */
	if (maildir_drop(&maildir, name, err) < 0)
		return -1;
	fd = openat(box->tmp, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		S_IRUSR | S_IWUSR);
	if (fd < 0)
		return fail(box, "write", name, err);
	if (body_save(body, fd, box->path, err) == 0 && date(box, fd, times, err) == 0 &&
		file_sync_close(&fd, box->path, err) == 0 &&
		maildir_keep(&maildir, name, err) == 0 &&
		file_sync_dir(box->tmp, box->path, err) == 0)
		return 0;
	(void)maildir_drop(&maildir, name, NULL);
	return -1;
}

/* What tmp tells of it: 1: it was shown, wherever a reader has moved it since; 0: it was not, or that is not
 * known: then its old one is not given up for it. */
static int left_says(const struct maildir_box *box, const char *name, struct err *err)
{
	const struct maildir maildir = maildir_box_maildir(box);
	enum maildir_left left;

	if (maildir_look(&maildir, name, &left, err) < 0)
		return -1;
	return left == MAILDIR_SHOWN || left == MAILDIR_TAKEN;
}

int maildir_box_is_shown(struct maildir_box *box, const char *name, struct err *err)
{
	struct maildir_entry *entry = NULL;
	const int shown = left_says(box, name, err);

	if (shown != 0)
		return shown;
	if (look_for(box, name, &entry, err) < 0)
		return -1;
	return entry != NULL;
}

enum {
	NOWHERE = -1,
	ELSEWHERE = -2 /* a reader has moved it out of this Maildir */
};

/* Where the new one is to stand beside the old one: in the same folder, with the same flags. */
struct spot {
	int folder; /* or one of these */
	char name[NAME_MAX + 1];
};

static int spot_of(const struct maildir_box *box, const struct maildir_entry *old,
	const char *name, struct spot *spot, struct err *err)
{
	int len = snprintf(spot->name, sizeof(spot->name), "%s%s", name,
		old->name + maildir_base(old->name));

	spot->folder = folder_of(box, old);
	if (len < 0 || (size_t)len >= sizeof(spot->name))
		return err_set(err, ERR_MESSAGE, "no name that a Maildir can have");
	return 0;
}

/* Nobody else makes our names, and NFS knows no flag. */
static int move_out(
	const struct maildir_box *box, const char *name, const struct spot *spot)
{
	const int done =
		renameat2(box->tmp, name, spot->folder, spot->name, RENAME_NOREPLACE);

	return done < 0 && (errno == EINVAL || errno == ENOSYS)
		       ? renameat(box->tmp, name, spot->folder, spot->name)
		       : done;
}

/* Show it there; *shown is where it stood before, and now. A reader that has moved
 * it meanwhile is right. */
static int show(const struct maildir_box *box, const char *name, const struct spot *spot,
	struct spot *shown, struct err *err)
{
	int done;

	if (shown->folder == ELSEWHERE)
		return 0;
	if (shown->folder == spot->folder && strcmp(shown->name, spot->name) == 0)
		return 0;
	if (shown->folder >= 0) {
		done = renameat(shown->folder, shown->name, spot->folder, spot->name);
		if (done < 0 && errno == ENOENT)
			return 0;
	} else {
		done = move_out(box, name, spot);
	}
	if (done < 0)
		return fail(box, "show", name, err);
	*shown = *spot;
	return file_sync_dir(spot->folder, box->path, err);
}

static int find_shown(
	struct maildir_box *box, const char *name, struct spot *shown, struct err *err)
{
	struct maildir_entry *entry = NULL;
	const int left = left_says(box, name, err);

	if (left < 0 || look_for(box, name, &entry, err) < 0)
		return -1;
	shown->folder = left > 0 ? ELSEWHERE : NOWHERE;
	if (!entry)
		return 0;
	shown->folder = folder_of(box, entry);
	(void)snprintf(shown->name, sizeof(shown->name), "%s", entry->name);
	return 0;
}

static int take_back(
	const struct maildir_box *box, const struct spot *shown, struct err *err)
{
	if (shown->folder < 0)
		return 0;
	if (unlinkat(shown->folder, shown->name, 0) < 0 && errno != ENOENT)
		return fail(box, "remove", shown->name, err);
	return file_sync_dir(shown->folder, box->path, err);
}

int maildir_box_replace(
	struct maildir_box *box, const char *old, const char *name, struct err *err)
{
	struct spot shown, spot;
	bool before;

	if (find_shown(box, name, &shown, err) < 0)
		return -1;
	before = shown.folder != NOWHERE;
	for (int i = 0; i < FOLLOW_MAX; i++) {
		struct maildir_entry *entry = NULL;
		int folder;

		if (look_for(box, old, &entry, err) < 0)
			return -1;
		/* Shown before and the other gone: that was where it was cut off. */
		if (!entry)
			return before ? 1 : take_back(box, &shown, err);
		if (spot_of(box, entry, name, &spot, err) < 0 ||
			show(box, name, &spot, &shown, err) < 0)
			return -1;
		folder = folder_of(box, entry);
		if (unlinkat(folder, entry->name, 0) == 0)
			return file_sync_dir(folder, box->path, err) < 0 ? -1 : 1;
		if (errno != ENOENT)
			return fail(box, "remove", entry->name, err);
	}
	return err_set(err, ERR_AGAIN, "%s: another program moves %s again and again",
		box->path, old);
}

void maildir_box_forget(const struct maildir_box *box, const char *name)
{
	const struct maildir maildir = maildir_box_maildir(box);

	if (maildir_is_name(name))
		(void)maildir_drop(&maildir, name, NULL);
}
