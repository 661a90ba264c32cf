/* SPDX-License-Identifier: ISC
 *
 * SHA-256 (FIPS 180-4) through GnuTLS. */
#ifndef COMMON_HASH_H
#define COMMON_HASH_H

#include "common/buf.h"

enum {
	HASH_SIZE = 32,
	HASH_TEXT_MAX = 65
};

struct hash {
	uint8_t bytes[HASH_SIZE];
};

int hash_span(struct span bytes, struct hash *hash_r, struct err *err);

/* The same of several spans, as if they stood behind each other. */
struct hasher {
	void *state;
};
int hasher_init(struct hasher *hasher, struct err *err);
int hasher_add(struct hasher *hasher, struct span bytes, struct err *err);
void hasher_result(struct hasher *hasher, struct hash *hash_r); /* and starts anew */
void hasher_done(struct hasher *hasher);
#define auto_hasher DEFER(hasher_done)

bool hash_equal(const struct hash *left, const struct hash *right);

/* Lower-case hexadecimal. Returns text. */
const char *hash_text(const struct hash *hash, char text[static HASH_TEXT_MAX]);

/* 64 hexadecimal digits of either case, and nothing else? */
bool hash_parse(const char *text, struct hash *hash_r);

#endif
