/* SPDX-License-Identifier: ISC */
#include "mailfilter/maildir_left.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/file.h"

enum {
	SECOND_MAX = MESSAGE_NAME_MAX + 8
};

/* Behind a NAME; no host has such a sign in it. */
static const char second_end[] = "=kept";

static int fail(const char *what, const char *path, struct err *err)
{
	return err_errno(err, file_err_kind(errno), "cannot %s %s", what, path);
}

static void second_name(const char *name, char second[static SECOND_MAX])
{
	(void)snprintf(second, SECOND_MAX, "%s%s", name, second_end);
}

/* 1: it is there; 0: it is not. */
static int look_in_tmp(
	const struct maildir *maildir, const char *name, struct stat *st, struct err *err)
{
	if (fstatat(maildir->tmp, name, st, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : fail("look for a mail in", maildir->tmp_path, err);
}

/* Did nothing but this machine's kernel, while it ran, change its names since? Then a rename was
 * whole. What is from an earlier start, or so old that a cleaner may have come, is not believed. */
static bool is_of_this_time(const struct maildir *maildir, const struct stat *st)
{
	const int64_t age_s = clock_wall_s() - st->st_ctim.tv_sec;

	return st->st_ctim.tv_sec > maildir->boot_s && age_s >= 0 &&
	       age_s < MAILDIR_KEPT_S;
}

int maildir_look(const struct maildir *maildir, const char *name,
	enum maildir_left *left_r, struct err *err)
{
	char second[SECOND_MAX];
	struct stat first_st, second_st;
	int first, kept;
	bool elsewhere;

	second_name(name, second);
	kept = look_in_tmp(maildir, second, &second_st, err);
	first = kept < 0 ? -1 : look_in_tmp(maildir, name, &first_st, err);
	if (first < 0)
		return -1;
	if (!first && !kept) {
		*left_r = MAILDIR_NOTHING;
		return 0;
	}
	elsewhere = (first ? first_st : second_st).st_nlink > (first && kept ? 2 : 1);
	/* A backup is made of links, too: where the rename can be relied upon, they say nothing. */
	if (first && (!elsewhere || (kept && is_of_this_time(maildir, &second_st))))
		*left_r = MAILDIR_WRITTEN;
	else if (elsewhere)
		*left_r = MAILDIR_SHOWN;
	else
		*left_r = is_of_this_time(maildir, &second_st) ? MAILDIR_TAKEN
							       : MAILDIR_DOUBT;
	return 0;
}

static int fail_to_show(const struct maildir *maildir, const char *what, const char *name,
	struct err *err)
{
	if (errno == EPERM || errno == EOPNOTSUPP || errno == EXDEV)
		return err_errno(err, ERR_ACCOUNT,
			"%s is on a file system without hard links, or its tmp on another "
			"than new: delivery needs both",
			maildir->path);
	return err_errno(err,
		errno == EEXIST || errno == ENOENT ? ERR_AGAIN : file_err_kind(errno),
		"cannot %s %s/new/%s", what, maildir->path, name);
}

int maildir_keep(const struct maildir *maildir, const char *name, struct err *err)
{
	char second[SECOND_MAX];

	second_name(name, second);
	if (linkat(maildir->tmp, name, maildir->tmp, second, 0) < 0)
		return fail_to_show(maildir, "link", name, err);
	return 0;
}

int maildir_show(const struct maildir *maildir, const char *name, struct err *err)
{
	enum maildir_left left;

	if (renameat2(maildir->tmp, name, maildir->new, name, RENAME_NOREPLACE) == 0)
		return 0;
	/* NFS knows no such flag; nobody else makes our names. */
	if ((errno == EINVAL || errno == ENOSYS) &&
		renameat(maildir->tmp, name, maildir->new, name) == 0)
		return 0;
	if (errno != ENOENT)
		return fail_to_show(maildir, "make", name, err);
	if (maildir_look(maildir, name, &left, err) < 0)
		return -1;
	if (left == MAILDIR_SHOWN)
		return 0;
	/* Somebody cleans tmp under our hands: what he left must not say that it was shown. */
	(void)maildir_drop(maildir, name, NULL);
	errno = ENOENT;
	return fail_to_show(maildir, "make", name, err);
}

void maildir_forget(const struct maildir *maildir, const char *name)
{
	char second[SECOND_MAX];

	second_name(name, second);
	/* What stays is no harm: readers remove it after 36 hours. Without a second name it was
	 * written by a version that had none. */
	if (unlinkat(maildir->tmp, second, 0) < 0)
		(void)unlinkat(maildir->tmp, name, 0);
}

int maildir_drop(const struct maildir *maildir, const char *name, struct err *err)
{
	char second[SECOND_MAX];

	second_name(name, second);
	/* In this order: the second name alone would say that it was shown. */
	if ((unlinkat(maildir->tmp, second, 0) < 0 && errno != ENOENT) ||
		(unlinkat(maildir->tmp, name, 0) < 0 && errno != ENOENT))
		return fail("remove what was not shown from", maildir->tmp_path, err);
	return 0;
}

/* Does the owner's sign stand at the end of the name's second part? */
static bool is_owners(const char *name, const char *owner)
{
	const char *const second = strchr(name, '.');
	const char *const end = second ? strchr(second + 1, '.') : NULL;
	const size_t len = strlen(owner);

	return end && (size_t)(end - second) > len + 1 &&
	       end[-(ptrdiff_t)len - 1] == 'T' && memcmp(end - len, owner, len) == 0;
}

/* One entry of tmp. */
static int sweep_one(const struct maildir *maildir, const char *entry,
	int (*each)(void *arg, const char *name, struct err *err), void *arg,
	struct err *err)
{
	const char *const end = strchr(entry, '=');
	const size_t len = end ? (size_t)(end - entry) : strlen(entry);
	enum maildir_left left = MAILDIR_NOTHING;
	char name[MESSAGE_NAME_MAX];
	struct stat st;

	if (!is_owners(entry, maildir->owner) || len >= sizeof(name) ||
		(end && strcmp(end, second_end) != 0) ||
		look_in_tmp(maildir, entry, &st, NULL) <= 0 || !S_ISREG(st.st_mode))
		return 0;
	memcpy(name, entry, len);
	name[len] = '\0';
	if (maildir_look(maildir, name, &left, err) < 0)
		return -1;
	switch (left) {
	case MAILDIR_NOTHING:
		break;
	case MAILDIR_WRITTEN:
		/* What cannot be removed now is still in nobody's way. */
		(void)maildir_drop(maildir, name, NULL);
		break;
	case MAILDIR_SHOWN:
	case MAILDIR_TAKEN:
	case MAILDIR_DOUBT:
		return each(arg, name, err);
	}
	return 0;
}

int maildir_sweep(const struct maildir *maildir,
	int (*each)(void *arg, const char *name, struct err *err), void *arg,
	struct err *err)
{
	auto_closedir DIR *dir = file_list(maildir->tmp);
	struct dirent *entry;

	if (!dir)
		return fail("read", maildir->tmp_path, err);
	while ((entry = readdir(dir)))
		if (sweep_one(maildir, entry->d_name, each, arg, err) < 0)
			return -1;
	return 0;
}
