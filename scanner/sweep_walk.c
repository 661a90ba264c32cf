/* SPDX-License-Identifier: ISC */
#include "scanner/sweep_walk.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/glob.h"

struct level {
	DIR *dir;
	size_t path_len; /* of the directory's own path */
	bool is_maildir; /* cur or new of one */
};

struct sweep_walk {
	const struct schema_list *roots, *excludes;
	bool cross;
	size_t next_root;
	dev_t device; /* of the root */
	struct stat spared;
	bool spares;
	struct level levels[SWEEP_DEPTH_MAX];
	size_t depth;
	const char *name; /* the last one read, in path */
	char path[SWEEP_PATH_MAX];
};

int sweep_walk_new(const struct schema_list *roots, const struct schema_list *excludes,
	bool cross, struct sweep_walk **walk_r, struct err *err)
{
	struct sweep_walk *walk = calloc(1, sizeof(*walk));

	if (!walk)
		return err_memory(err);
	walk->roots = roots;
	walk->excludes = excludes;
	walk->cross = cross;
	*walk_r = walk;
	return 0;
}

void sweep_walk_free(struct sweep_walk *walk)
{
	if (!walk)
		return;
	while (walk->depth > 0)
		(void)closedir(walk->levels[--walk->depth].dir);
	free(walk);
}

void sweep_walk_spare(struct sweep_walk *walk, const struct stat *folder)
{
	walk->spared = *folder;
	walk->spares = true;
}

/* Reading leaves no trace where we may do without: that is the owner's, and a capability's. */
static int open_quietly(int dirfd, const char *name, int flags)
{
	int fd;

	flags |= O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	fd = openat(dirfd, name, flags | O_NOATIME);
	if (fd < 0 && errno == EPERM)
		fd = openat(dirfd, name, flags);
	return fd;
}

static bool is_dir_at(int dirfd, const char *name)
{
	struct stat stat;

	return fstatat(dirfd, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISDIR(stat.st_mode);
}

/* cur or new of one, by its path or name. */
static bool is_of_maildir(int fd, const char *name)
{
	const char *slash = strrchr(name, '/');

	name = slash ? slash + 1 : name;
	return (strcmp(name, "cur") == 0 || strcmp(name, "new") == 0) &&
	       is_dir_at(fd, "../cur") && is_dir_at(fd, "../new") &&
	       is_dir_at(fd, "../tmp");
}

/* As those who deliver name it: a time, a dot, and more. */
static bool is_mail_name(const char *name)
{
	return isdigit((unsigned char)name[0]) && strchr(name, '.') != NULL;
}

/* A pattern with a slash is of the whole path, else of the name. */
static bool is_excluded(const struct sweep_walk *walk, const char *name)
{
	for (size_t i = 0; i < walk->excludes->count; i++) {
		const char *pattern = walk->excludes->items[i];

		if (glob_match(pattern, strchr(pattern, '/') ? walk->path : name))
			return true;
	}
	return false;
}

static enum sweep_step pass(struct sweep_entry *entry, enum sweep_why why, int errnum)
{
	entry->why = why;
	entry->errnum = errnum;
	return SWEEP_PASSED;
}

static enum sweep_step enter(
	struct sweep_walk *walk, int parent, const char *name, struct sweep_entry *entry)
{
	struct level *level = &walk->levels[walk->depth];
	auto_close int fd = -1;
	struct stat stat;

	if (walk->depth == SWEEP_DEPTH_MAX)
		return pass(entry, SWEEP_WHY_DEEP, 0);
	fd = open_quietly(parent, name, O_DIRECTORY);
	if (fd < 0 || fstat(fd, &stat) < 0)
		return pass(entry, SWEEP_WHY_UNREADABLE, errno);
	if (walk->spares && stat.st_dev == walk->spared.st_dev &&
		stat.st_ino == walk->spared.st_ino)
		return pass(entry, SWEEP_WHY_EXCLUDED, 0);
	if (walk->depth == 0)
		walk->device = stat.st_dev;
	if (stat.st_dev != walk->device && !walk->cross)
		return pass(entry, SWEEP_WHY_ELSEWHERE, 0);
	level->is_maildir = is_of_maildir(fd, name);
	level->path_len = strlen(walk->path);
	level->dir = fdopendir(fd);
	if (!level->dir)
		return pass(entry, SWEEP_WHY_UNREADABLE, errno);
	(void)take_fd(&fd);
	walk->depth++;
	return pass(entry, SWEEP_WHY_NONE, 0);
}

/* Without the slashes at its end, which would follow a link. */
static void take_root(const char *root, char path_r[static SWEEP_PATH_MAX])
{
	size_t len = strnlen(root, SWEEP_PATH_MAX - 1);

	memcpy(path_r, root, len);
	while (len > 1 && path_r[len - 1] == '/')
		len--;
	path_r[len] = '\0';
}

int sweep_walk_look(const struct schema_list *roots, struct err *err)
{
	char path[SWEEP_PATH_MAX];

	for (size_t i = 0; i < roots->count; i++) {
		auto_close int fd = -1;

		take_root(roots->items[i], path);
		fd = open_quietly(AT_FDCWD, path, O_DIRECTORY);
		if (fd < 0)
			return err_errno(err, ERR_AGAIN, "%.160s is not swept", path);
	}
	return 0;
}

static enum sweep_step enter_root(struct sweep_walk *walk, struct sweep_entry *entry)
{
	if (walk->next_root == walk->roots->count)
		return SWEEP_END;
	take_root(walk->roots->items[walk->next_root++], walk->path);
	entry->path = walk->path;
	return enter(walk, AT_FDCWD, walk->path, entry);
}

static enum sweep_step leave(struct sweep_walk *walk, struct sweep_entry *entry)
{
	(void)closedir(walk->levels[--walk->depth].dir);
	return pass(entry, SWEEP_WHY_NONE, 0);
}

/* false: the path would be too long. */
static bool append(struct sweep_walk *walk, const struct level *level, const char *name)
{
	size_t at = level->path_len, len = strlen(name);

	if (at + len + 2 > SWEEP_PATH_MAX)
		return false;
	if (at > 1)
		walk->path[at++] = '/';
	memcpy(walk->path + at, name, len + 1);
	walk->name = walk->path + at;
	return true;
}

static enum sweep_step look(
	struct sweep_walk *walk, const struct level *level, struct sweep_entry *entry)
{
	int fd = dirfd(level->dir);

	if (fstatat(fd, walk->name, &entry->stat, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) <
		0)
		return errno == ENOENT ? pass(entry, SWEEP_WHY_NONE, 0)
				       : pass(entry, SWEEP_WHY_UNREADABLE, errno);
	if (is_excluded(walk, walk->name))
		return pass(entry, SWEEP_WHY_EXCLUDED, 0);
	if (S_ISLNK(entry->stat.st_mode))
		return pass(entry, SWEEP_WHY_LINK, 0);
	if (entry->stat.st_dev != walk->device && !walk->cross)
		return pass(entry, SWEEP_WHY_ELSEWHERE, 0);
	if (S_ISDIR(entry->stat.st_mode))
		return enter(walk, fd, walk->name, entry);
	if (!S_ISREG(entry->stat.st_mode))
		return pass(entry, SWEEP_WHY_SPECIAL, 0);
	entry->is_mail = level->is_maildir && is_mail_name(walk->name);
	return SWEEP_FOUND;
}

enum sweep_step sweep_walk_next(struct sweep_walk *walk, struct sweep_entry *entry_r)
{
	const struct level *level;
	const struct dirent *found;

	*entry_r = (struct sweep_entry){ .path = walk->path };
	if (walk->depth == 0)
		return enter_root(walk, entry_r);
	level = &walk->levels[walk->depth - 1];
	walk->path[level->path_len] = '\0';
	errno = 0;
	found = readdir(level->dir);
	if (!found && errno != 0) {
		(void)leave(walk, entry_r);
		return pass(entry_r, SWEEP_WHY_UNREADABLE, errno);
	}
	if (!found)
		return leave(walk, entry_r);
	if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
		return pass(entry_r, SWEEP_WHY_NONE, 0);
	if (!append(walk, level, found->d_name))
		return pass(entry_r, SWEEP_WHY_DEEP, 0);
	return look(walk, level, entry_r);
}

int sweep_walk_open(const struct sweep_walk *walk, const struct sweep_entry *entry,
	int *fd_r, struct stat *stat_r)
{
	auto_close int fd = -1;

	fd = open_quietly(dirfd(walk->levels[walk->depth - 1].dir), walk->name, 0);
	if (fd < 0 || fstat(fd, stat_r) < 0)
		return -1;
	if (!S_ISREG(stat_r->st_mode) || stat_r->st_dev != entry->stat.st_dev ||
		stat_r->st_ino != entry->stat.st_ino) {
		errno = ESTALE;
		return -1;
	}
	*fd_r = take_fd(&fd);
	return 0;
}

int sweep_walk_place(const struct sweep_walk *walk, const char **name_r)
{
	*name_r = walk->name;
	return dirfd(walk->levels[walk->depth - 1].dir);
}
