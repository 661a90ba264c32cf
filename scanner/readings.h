/* SPDX-License-Identifier: ISC
 *
 * How else can the bytes of a message be read? Mail programs differ in which of two fields counts,
 * where a header, a part or base64 ends, and what they take out of text. Each such reading is given
 * to the caller once or more, wherever in the message there is a doubt; a well-formed message has
 * none. Pure; bounded in number, bytes and depth. */
#ifndef SCANNER_READINGS_H
#define SCANNER_READINGS_H

#include "common/mime.h"

enum {
	READINGS_MAX = 4096,                /* of one message */
	READINGS_BYTES_TIMES = 24,          /* as much as the message, all together ... */
	READINGS_BYTES_SPARE = 1024 * 1024, /* ... and this */
	READINGS_LOOK_TIMES =
		128, /* so often as many bytes are gone over to find files in text */
	READINGS_LOOK_SPARE = 16 * 1024 * 1024,
	READINGS_LAYERS_MAX = 24,   /* messages inside of what is encoded */
	READINGS_DEPTH_MAX = 6,     /* of those in each other */
	READINGS_RANGES_MAX = 4096, /* of bytes that need no second look */
};

struct reading {
	struct span bytes; /* decoded; valid during the call */
	size_t start, end; /* the bytes of the message that it was read from */
	const char *why;   /* a few words for people */
};

/* Where they go. */
struct reading_to {
	/* 0: go on; 1: enough; -1 with *err. */
	int (*take)(void *context, const struct reading *reading, struct err *err);
	/* Is what a part holds, decoded as declared, of no interest? Then nothing that stands in it
	 * is given, but other ways to decode it are. */
	bool (*pass)(void *context, struct span bytes);
	void *context;
};

/* All readings but those that mime_decode gives of the parts of mime, in no order that matters.
 * *is_cut_r: there were more than the limits allow, or the caller had enough. -1: memory, or what
 * take failed with. */
int readings_each(struct span message, const struct mime *mime,
	const struct reading_to *to, bool *is_cut_r, struct err *err);

#endif
