/* SPDX-License-Identifier: ISC */
#include "common/filebatch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"

struct filebatch_file {
	char name[FILEBATCH_NAME_MAX];
	int fd; /* -1: closed */
};

static int fail(const struct filebatch *batch, const char *what, const char *name,
	struct err *err)
{
	return err_errno(err, errno == EEXIST ? ERR_AGAIN : file_err_kind(errno),
		"cannot %s %s/%s", what, batch->path, name);
}

void filebatch_init(struct filebatch *batch, int dirfd, const char *path)
{
	*batch = (struct filebatch){ .dirfd = dirfd, .path = path };
}

void filebatch_done(struct filebatch *batch)
{
	filebatch_clear(batch);
	free(batch->files);
	batch->files = NULL;
	batch->size = 0;
}

const char *filebatch_name(const struct filebatch *batch, size_t i)
{
	return batch->files[i].name;
}

static int reserve(struct filebatch *batch, struct err *err)
{
	struct filebatch_file *files;
	size_t size = batch->size ? batch->size * 2 : FILEBATCH_SINGLY_MAX;

	if (batch->count < batch->size)
		return 0;
	if (batch->count >= FILEBATCH_MAX)
		return err_set(err, ERR_AGAIN, "%s: more than %d files at once",
			batch->path, FILEBATCH_MAX);
	files = realloc(batch->files, size * sizeof(*files));
	if (!files)
		return err_memory(err);
	batch->files = files;
	batch->size = size;
	return 0;
}

static int write_file(const struct filebatch *batch, int fd, const char *name,
	struct body *body, struct err *err)
{
	struct stat st;

	if (body_save(body, fd, batch->path, err) < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return fail(batch, "look at", name, err);
	/* Somebody else at it, or a file system that lies: either way it is not our message. */
	if ((uint64_t)st.st_size != body->size)
		return err_set(err, ERR_AGAIN, "%s/%s has not the size that was written",
			batch->path, name);
	return 0;
}

/* A close that fails (a quota, a file server) is remembered: the file is not to be trusted. */
static void close_file(struct filebatch *batch, struct filebatch_file *file)
{
	int fd = take_fd(&file->fd);

	if (fd >= 0 && close(fd) < 0 && errno != EINTR)
		batch->errnum = errno;
}

int filebatch_add(
	struct filebatch *batch, const char *name, struct body *body, struct err *err)
{
	struct filebatch_file *file;
	auto_close int fd = -1;

	if (strlen(name) >= FILEBATCH_NAME_MAX) {
		errno = ENAMETOOLONG;
		return fail(batch, "make", name, err);
	}
	if (reserve(batch, err) < 0)
		return -1;
	fd = openat(batch->dirfd, name,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (fd < 0)
		return fail(batch, "make", name, err);
	if (write_file(batch, fd, name, body, err) < 0) {
		(void)unlinkat(batch->dirfd, name, 0);
		return -1;
	}
	file = &batch->files[batch->count++];
	(void)snprintf(file->name, sizeof(file->name), "%s", name);
	file->fd = take_fd(&fd);
	if (batch->count >= FILEBATCH_SINGLY_MAX)
		batch->whole = true;
	for (size_t i = 0; batch->whole && i < batch->count; i++)
		close_file(batch, &batch->files[i]);
	return 0;
}

int filebatch_sync(struct filebatch *batch, struct err *err)
{
	/* syncfs reports what went wrong since the folder was opened, of closed files too. */
	if (batch->whole && syncfs(batch->dirfd) < 0)
		return fail(batch, "sync", "", err);
	for (size_t i = 0; i < batch->count; i++) {
		struct filebatch_file *file = &batch->files[i];

		if (file->fd >= 0 && fdatasync(file->fd) < 0)
			return fail(batch, "sync", file->name, err);
		close_file(batch, file);
	}
	if (batch->errnum) {
		errno = batch->errnum;
		return fail(batch, "close a file in", "", err);
	}
	return 0;
}

void filebatch_remove(struct filebatch *batch, const char *name)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct filebatch_file *file = &batch->files[i];

		if (strcmp(file->name, name) != 0)
			continue;
		close_file(batch, file);
		(void)unlinkat(batch->dirfd, name, 0);
		*file = batch->files[--batch->count];
		return;
	}
}

void filebatch_discard(struct filebatch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		(void)unlinkat(batch->dirfd, batch->files[i].name, 0);
	filebatch_clear(batch);
}

void filebatch_clear(struct filebatch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		close_file(batch, &batch->files[i]);
	batch->count = 0;
	batch->whole = false;
	batch->errnum = 0;
}
