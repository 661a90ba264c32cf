/* SPDX-License-Identifier: ISC
 *
 * Numbers and texts to bytes and back, big-endian, byte by byte. Both ends remember their first
 * failure and do nothing after it, so a caller writes its fields in a row and asks once. Pure. */
#ifndef COMMON_PACK_H
#define COMMON_PACK_H

#include "common/buf.h"

/* Appends to out; on a failure out has what it had at pack_init. */
struct pack {
	struct buf *out;
	struct err *err;
	size_t start;
	bool failed;
};

void pack_init(struct pack *pack, struct buf *out, struct err *err);
void pack_u8(struct pack *pack, uint8_t value);
void pack_u16(struct pack *pack, uint16_t value);
void pack_u32(struct pack *pack, uint32_t value);
void pack_u64(struct pack *pack, uint64_t value);
void pack_bytes(struct pack *pack, const void *data, size_t len);

/* u16 length, then the bytes of a C string in an array of size bytes. */
void pack_text(struct pack *pack, const char *text, size_t size);

/* A failure of the caller's own. */
void pack_refuse(struct pack *pack, const char *what);

/* 0, or -1 with err and out as before. */
int pack_result(struct pack *pack);

/* Reads untrusted bytes. After a failure every number is 0 and every text "". */
struct unpack {
	struct span rest;
	const char *wrong; /* NULL, or what was wrong first; a literal */
};

uint8_t unpack_u8(struct unpack *unpack);
uint16_t unpack_u16(struct unpack *unpack);
uint32_t unpack_u32(struct unpack *unpack);
uint64_t unpack_u64(struct unpack *unpack);

/* A u64 that is a time from 0 to max_s, else it fails. */
int64_t unpack_time(struct unpack *unpack, int64_t max_s, const char *wrong);

/* The next len bytes, borrowed; empty after a failure. */
struct span unpack_span(struct unpack *unpack, size_t len);
void unpack_bytes(struct unpack *unpack, void *data, size_t len);

/* A text that fits in size with its NUL and holds none. */
void unpack_text(struct unpack *unpack, char *text, size_t size);

/* Fail unless what is true. */
void unpack_expect(struct unpack *unpack, bool what, const char *wrong);

#endif
