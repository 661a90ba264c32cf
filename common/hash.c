/* SPDX-License-Identifier: ISC */
#include "common/hash.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <string.h>

int hasher_init(struct hasher *hasher, struct err *err)
{
	gnutls_hash_hd_t state = NULL;
	int rc = gnutls_hash_init(&state, GNUTLS_DIG_SHA256);

	hasher->state = NULL;
	if (rc < 0)
		return err_set(err, ERR_FATAL, "cannot compute SHA-256: %s",
			gnutls_strerror(rc));
	hasher->state = state;
	return 0;
}

int hasher_add(struct hasher *hasher, struct span bytes, struct err *err)
{
	int rc;

	if (bytes.len == 0)
		return 0;
	rc = gnutls_hash(hasher->state, bytes.data, bytes.len);
	if (rc < 0)
		return err_set(err, ERR_FATAL, "cannot compute SHA-256: %s",
			gnutls_strerror(rc));
	return 0;
}

void hasher_result(struct hasher *hasher, struct hash *hash_r)
{
	gnutls_hash_output(hasher->state, hash_r->bytes);
}

void hasher_done(struct hasher *hasher)
{
	if (hasher->state)
		gnutls_hash_deinit(hasher->state, NULL);
	hasher->state = NULL;
}

int hash_span(struct span bytes, struct hash *hash_r, struct err *err)
{
	auto_hasher struct hasher hasher = { 0 };

	if (hasher_init(&hasher, err) < 0 || hasher_add(&hasher, bytes, err) < 0)
		return -1;
	hasher_result(&hasher, hash_r);
	return 0;
}

bool hash_equal(const struct hash *left, const struct hash *right)
{
	return memcmp(left->bytes, right->bytes, HASH_SIZE) == 0;
}

const char *hash_text(const struct hash *hash, char text[static HASH_TEXT_MAX])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < HASH_SIZE; i++) {
		text[2 * i] = digits[hash->bytes[i] >> 4];
		text[2 * i + 1] = digits[hash->bytes[i] & 0x0f];
	}
	text[HASH_TEXT_MAX - 1] = '\0';
	return text;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool hash_parse(const char *text, struct hash *hash_r)
{
	struct hash hash;

	if (strnlen(text, HASH_TEXT_MAX) != HASH_TEXT_MAX - 1)
		return false;
	for (size_t i = 0; i < HASH_SIZE; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		hash.bytes[i] = (uint8_t)(high << 4 | low);
	}
	*hash_r = hash;
	return true;
}
