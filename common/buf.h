/* SPDX-License-Identifier: ISC
 *
 * Bytes. A span is borrowed and passed by value; a buf owns its bytes, grows, and is created
 * with the most it may ever hold, so what comes from outside cannot outgrow what its owner
 * allowed. Message bytes are never C strings: they may hold NUL. */
#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defer.h"
#include "common/err.h"

struct span {
	const uint8_t *data;
	size_t len;
};

struct buf {
	uint8_t *data;
	size_t len;
	size_t size;
	size_t max;
};

/* A span over a C string, without its NUL. */
struct span span_str(const char *text);

/* The part of a span from..from+len, cut to what there is. */
struct span span_part(struct span span, size_t from, size_t len);

bool span_equal(struct span left, struct span right);

/* Does it hold the same as the C string, ASCII case aside? */
bool span_is(struct span span, const char *text);

/* The offset of the first place where needle stands, or -1. */
ptrdiff_t span_find(struct span span, struct span needle);

/* Without leading and trailing blanks (space, tab, CR, LF). */
struct span span_trim(struct span span);

/* Owns nothing yet; max is in bytes. */
void buf_init(struct buf *buf, size_t max);

/* Releases; accepts a zeroed one and may be called twice. */
void buf_done(struct buf *buf);
#define auto_buf DEFER(buf_done)

/* The same, of secrets: wipes first. Growing leaves copies behind, so reserve all at once. */
void buf_wipe(struct buf *buf);

/* Append. Beyond max: ERR_MESSAGE, no memory: ERR_FATAL; the content is then unchanged. */
int buf_add(struct buf *buf, const void *data, size_t len, struct err *err);
int buf_add_str(struct buf *buf, const char *text, struct err *err);
int buf_printf(struct buf *buf, struct err *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Room for len more bytes; their start in *room_r, valid until the next call; buf->len is the
 * caller's to move. Errors as buf_add. */
int buf_reserve(struct buf *buf, size_t len, uint8_t **room_r, struct err *err);

/* Drop the first len bytes. */
void buf_consume(struct buf *buf, size_t len);

/* Forget the content, keep the memory. */
void buf_clear(struct buf *buf);

struct span buf_span(const struct buf *buf);

/* The content as a C string owned by the buf: a NUL stands behind the last byte. Errors as
 * buf_add. Bytes inside may be NUL as well; use for text of our own. */
int buf_text(struct buf *buf, const char **text_r, struct err *err);

#endif
