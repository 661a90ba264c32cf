/* SPDX-License-Identifier: ISC
 *
 * The bytes of one message on their way: in memory while small, past BODY_MEMORY_MAX (or what its owner
 * says) in an unlinked file of the given directory, so that a large mail costs no memory and leaves no
 * rest behind a crash. Untrusted bytes throughout. One owner at a time. */
#ifndef COMMON_BODY_H
#define COMMON_BODY_H

#include "common/hash.h"

enum {
	BODY_MEMORY_MAX = 256 * 1024,
	BODY_PIECE_MAX = 256 * 1024,
};

struct body {
	const char *dir; /* borrowed; where the file goes */
	uint64_t max;    /* bytes it may ever hold */
	uint64_t size;
	struct buf memory; /* its max: what may be there before the file is made */
	int fd;            /* -1 while in memory */
	void *map;
	size_t map_size;
};

/* Empty. dir must outlive the body. */
void body_init(struct body *body, const char *dir, uint64_t max);
void body_done(struct body *body);

/* Of an empty body: so much of it stays in memory. A file costs what a copy of the bytes does. */
void body_set_memory(struct body *body, size_t max);
#define auto_body DEFER(body_done)

/* Append. Beyond max: ERR_MESSAGE; disk full: ERR_AGAIN; no memory: ERR_FATAL. */
int body_add(struct body *body, struct span bytes, struct err *err);

/* All bytes as one span, valid until the next body_add or body_done; a file is mapped. */
int body_span(struct body *body, struct span *span_r, struct err *err);

/* Hold the bytes of a file, which are only read and may not change meanwhile; *fd becomes -1. The
 * body is empty before. */
void body_take_file(struct body *body, int *fd, uint64_t size);

/* The bytes piece by piece, for whoever goes through all of them: a large mail that is mapped as a
 * whole stays in memory as a whole. A zeroed struct with its body is a view. */
struct body_view {
	const struct body *body;
	uint8_t *room; /* of a file's piece */
};
void body_view_done(struct body_view *view);
#define auto_body_view DEFER(body_view_done)

/* Those from offset on: all of them while in memory, else up to BODY_PIECE_MAX; none at the end. Valid
 * until the next call of this view, or as long as a span of the body. */
int body_view_at(
	struct body_view *view, uint64_t offset, struct span *piece_r, struct err *err);

/* Call for each piece, until it returns -1. */
int body_each(const struct body *body,
	int (*each)(void *arg, struct span piece, struct err *err), void *arg,
	struct err *err);

int body_hash(const struct body *body, struct hash *hash_r, struct err *err);

/* Write all bytes to fd from its current offset. path is for the error text only. */
int body_save(const struct body *body, int fd, const char *path, struct err *err);

/* Hand over: *to becomes what *from was, *from becomes empty. *to must hold nothing. */
void body_move(struct body *to, struct body *from);

#endif
