/* SPDX-License-Identifier: ISC */
#include "common/body.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/file.h"

void body_init(struct body *body, const char *dir, uint64_t max)
{
	*body = (struct body){ .dir = dir, .max = max, .fd = -1 };
	buf_init(&body->memory, BODY_MEMORY_MAX);
}

void body_set_memory(struct body *body, size_t max)
{
	body->memory.max = max;
}

static void unmap(struct body *body)
{
	if (body->map)
		(void)munmap(body->map, body->map_size);
	body->map = NULL;
	body->map_size = 0;
}

void body_done(struct body *body)
{
	unmap(body);
	buf_done(&body->memory);
	/* A zeroed body holds no file either; descriptor 0 is never one of ours. */
	if (body->fd > 0)
		(void)close(body->fd);
	body->fd = -1;
	body->size = 0;
}

/* A file that has no name, or none any more, so that nothing is left behind a crash. */
static int open_spool(const char *dir, int *fd_r, struct err *err)
{
	auto_free char *path = NULL;
	int fd = open(dir, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);

	/* Without O_TMPFILE: EOPNOTSUPP from the file system, EISDIR from an old kernel. */
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
		if (asprintf(&path, "%s/spool.XXXXXX", dir) < 0) {
			path = NULL;
			return err_memory(err);
		}
		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0)
			(void)unlink(path);
	}
	if (fd < 0)
		return err_errno(
			err, file_err_kind(errno), "cannot make a file in %s", dir);
	*fd_r = fd;
	return 0;
}

static int spill(struct body *body, struct err *err)
{
	auto_close int fd = -1;

	if (open_spool(body->dir, &fd, err) < 0 ||
		file_write(fd, buf_span(&body->memory), body->dir, err) < 0)
		return -1;
	body->fd = take_fd(&fd);
	buf_done(&body->memory);
	return 0;
}

int body_add(struct body *body, struct span bytes, struct err *err)
{
	if (bytes.len > body->max || body->size > body->max - bytes.len)
		return err_set(
			err, ERR_MESSAGE, "more than %" PRIu64 " bytes", body->max);
	unmap(body);
	if (body->fd < 0 && bytes.len <= body->memory.max - body->memory.len) {
		if (buf_add(&body->memory, bytes.data, bytes.len, err) < 0)
			return -1;
	} else {
		if (body->fd < 0 && spill(body, err) < 0)
			return -1;
		if (file_write(body->fd, bytes, body->dir, err) < 0) {
			/* What did get in is written over by the next, and never seen. */
			(void)lseek(body->fd, (off_t)body->size, SEEK_SET);
			return -1;
		}
	}
	body->size += bytes.len;
	return 0;
}

int body_span(struct body *body, struct span *span_r, struct err *err)
{
	if (body->fd < 0) {
		*span_r = buf_span(&body->memory);
		return 0;
	}
	if (!body->map) {
		void *map = mmap(NULL, body->size, PROT_READ, MAP_PRIVATE, body->fd, 0);

		if (map == MAP_FAILED)
			return err_errno(err, file_err_kind(errno),
				"cannot map %" PRIu64 " bytes", body->size);
		body->map = map;
		body->map_size = body->size;
	}
	*span_r = (struct span){ body->map, body->map_size };
	return 0;
}

void body_take_file(struct body *body, int *fd, uint64_t size)
{
	auto_close int file = take_fd(fd);

	/* Nothing to map is in memory: there, it is an empty span. */
	if (size == 0)
		return;
	body->fd = take_fd(&file);
	body->size = body->max = size;
}

void body_view_done(struct body_view *view)
{
	free(view->room);
	view->room = NULL;
}

/* Of the file from offset on. */
static int read_piece(
	struct body_view *view, uint64_t offset, size_t len, struct err *err)
{
	size_t have = 0;

	if (!view->room)
		view->room = malloc(BODY_PIECE_MAX);
	if (!view->room)
		return err_memory(err);
	while (have < len) {
		const ssize_t got = pread(view->body->fd, view->room + have, len - have,
			(off_t)(offset + have));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, file_err_kind(errno),
				"cannot read what came of a message");
		if (got == 0)
			return err_set(err, ERR_AGAIN,
				"the file of a message has become shorter");
		have += (size_t)got;
	}
	return 0;
}

int body_view_at(
	struct body_view *view, uint64_t offset, struct span *piece_r, struct err *err)
{
	const struct body *body = view->body;
	const uint64_t left = offset < body->size ? body->size - offset : 0;
	const size_t len = left < BODY_PIECE_MAX ? (size_t)left : BODY_PIECE_MAX;

	if (body->fd < 0) {
		*piece_r =
			span_part(buf_span(&body->memory), (size_t)offset, (size_t)left);
		return 0;
	}
	if (len > 0 && read_piece(view, offset, len, err) < 0)
		return -1;
	*piece_r = (struct span){ view->room, len };
	return 0;
}

int body_each(const struct body *body,
	int (*each)(void *arg, struct span piece, struct err *err), void *arg,
	struct err *err)
{
	auto_body_view struct body_view view = { .body = body };
	struct span piece;

	for (uint64_t at = 0; at < body->size; at += piece.len)
		if (body_view_at(&view, at, &piece, err) < 0 || each(arg, piece, err) < 0)
			return -1;
	return 0;
}

static int hash_piece(void *arg, struct span piece, struct err *err)
{
	return hasher_add(arg, piece, err);
}

int body_hash(const struct body *body, struct hash *hash_r, struct err *err)
{
	auto_hasher struct hasher hasher = { 0 };

	if (hasher_init(&hasher, err) < 0 ||
		body_each(body, hash_piece, &hasher, err) < 0)
		return -1;
	hasher_result(&hasher, hash_r);
	return 0;
}

struct saving {
	const char *path;
	int fd;
};

static int save_piece(void *arg, struct span piece, struct err *err)
{
	const struct saving *saving = arg;

	return file_write(saving->fd, piece, saving->path, err);
}

int body_save(const struct body *body, int fd, const char *path, struct err *err)
{
	struct saving saving = { .path = path, .fd = fd };

	return body_each(body, save_piece, &saving, err);
}

void body_move(struct body *to, struct body *from)
{
	*to = *from;
	body_init(from, to->dir, to->max);
}
