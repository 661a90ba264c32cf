/* SPDX-License-Identifier: ISC
 *
 * Keys of CURVE (RFC 26) as text in Z85 (RFC 32), and the files they stand in: one key, on one
 * line. Whoever has a secret key speaks in its owner's name, so its file is the owner's alone.
 * Makes no keys: that is the link's. */
#ifndef COMMON_KEY_H
#define COMMON_KEY_H

#include <sys/types.h>

#include "common/buf.h"

enum {
	KEY_SIZE = 32,
	KEY_TEXT_LEN = 40
};

struct key {
	char text[KEY_TEXT_LEN + 1]; /* "" is none */
};

/* The whole text is a key, else ERR_SETTINGS, which does not show it: it may be a secret. */
int key_parse(const char *text, struct key *key_r, struct err *err);

void key_from_bytes(const uint8_t bytes[static KEY_SIZE], struct key *key_r);

bool key_equal(const struct key *left, const struct key *right);

/* The secret key in a file. Missing, no key, not a regular file, or one that others than its owner
 * may read or write, or whose owner is neither we nor root: ERR_SETTINGS. Wipe it with key_done. */
int key_read_secret(const char *path, struct key *key_r, struct err *err);

/* A new file of exactly this mode, durable. One that is there is never touched: ERR_SETTINGS. On
 * failure none is left. */
int key_write(const char *path, const struct key *key, mode_t mode, struct err *err);

/* Wipe. */
void key_done(struct key *key);

#endif
