/* SPDX-License-Identifier: ISC */
#include "scanner/pkcs7.h"

#include <string.h>

enum {
	INTEGER = 0x02,
	OCTETS = 0x04,
	OCTETS_IN_PIECES = 0x24,
	OBJECT = 0x06,
	SEQUENCE = 0x30,
	SET = 0x31,
	CONTEXT_0 = 0xa0,
	INDEFINITE = 0x80,
	LENGTH_BYTES_MAX = 4,
};

/* 1.2.840.113549.1.7.2 */
static const struct span signed_data = {
	(const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", 9
};

/* One element's head. 0: there is none, or the two zeros that end an indefinite one. */
static uint8_t read_head(struct span bytes, size_t *at, size_t *len_r, bool *is_open_r)
{
	uint8_t tag, first;
	size_t len = 0;

	if (bytes.len < 2 || *at > bytes.len - 2)
		return 0;
	tag = bytes.data[(*at)++];
	first = bytes.data[(*at)++];
	*is_open_r = first == INDEFINITE;
	if (first < INDEFINITE)
		len = first;
	else if (first - INDEFINITE > LENGTH_BYTES_MAX)
		return 0;
	for (int i = first < INDEFINITE ? 0 : first - INDEFINITE; i > 0; i--) {
		if (*at >= bytes.len)
			return 0;
		len = len << 8 | bytes.data[(*at)++];
	}
	if (len > bytes.len - *at)
		return 0;
	*len_r = len;
	return tag;
}

/* Into the element of this tag, if it is the next. */
static bool enter(struct span bytes, size_t *at, uint8_t tag)
{
	size_t next = *at, len;
	bool is_open;

	if (read_head(bytes, &next, &len, &is_open) != tag)
		return false;
	*at = next;
	return true;
}

/* Past the element of this tag, which must have a length. */
static bool skip(struct span bytes, size_t *at, uint8_t tag, struct span *content_r)
{
	size_t next = *at, len;
	bool is_open;

	if (read_head(bytes, &next, &len, &is_open) != tag || is_open)
		return false;
	*content_r = span_part(bytes, next, len);
	*at = next + len;
	return true;
}

static bool is_end(struct span bytes, size_t at, bool is_open)
{
	if (!is_open)
		return at == bytes.len;
	return span_part(bytes, at, 2).len == 2 && bytes.data[at] == 0 &&
	       bytes.data[at + 1] == 0;
}

/* Of 0x24, up to its end or the two zeros: pieces, as those write who do not know the length. */
static int add_pieces(
	struct span bytes, size_t at, struct buf *out, bool *fine_r, struct err *err)
{
	struct span piece;
	bool is_open;
	size_t len;

	*fine_r = read_head(bytes, &at, &len, &is_open) == OCTETS_IN_PIECES;
	if (!*fine_r)
		return 0;
	if (!is_open)
		bytes = span_part(bytes, 0, at + len);
	while (skip(bytes, &at, OCTETS, &piece))
		if (buf_add(out, piece.data, piece.len, err) < 0)
			return -1;
	*fine_r = is_end(bytes, at, is_open);
	return 0;
}

/* Up to the sequence that says what the content is; *bytes ends with it if it has a length. */
static bool find_content(struct span *bytes, size_t *at, bool *is_open_r)
{
	struct span part;
	size_t len;

	if (!enter(*bytes, at, CONTEXT_0) || !enter(*bytes, at, SEQUENCE) ||
		!skip(*bytes, at, INTEGER, &part) || !skip(*bytes, at, SET, &part) ||
		read_head(*bytes, at, &len, is_open_r) != SEQUENCE)
		return false;
	if (!*is_open_r)
		*bytes = span_part(*bytes, 0, *at + len);
	return skip(*bytes, at, OBJECT, &part);
}

int pkcs7_open(
	struct span bytes, struct buf *out, enum pkcs7_kind *kind_r, struct err *err)
{
	bool fine = false, is_open;
	struct span part;
	size_t at = 0;

	*kind_r = PKCS7_NONE;
	if (!enter(bytes, &at, SEQUENCE) || !skip(bytes, &at, OBJECT, &part) ||
		!span_equal(part, signed_data))
		return 0;
	*kind_r = PKCS7_BROKEN;
	if (!find_content(&bytes, &at, &is_open))
		return 0;
	if (is_end(bytes, at, is_open)) {
		*kind_r = PKCS7_DETACHED;
		return 0;
	}
	if (!enter(bytes, &at, CONTEXT_0))
		return 0;
	if (skip(bytes, &at, OCTETS, &part)) {
		fine = true;
		if (buf_add(out, part.data, part.len, err) < 0)
			return -1;
	} else if (add_pieces(bytes, at, out, &fine, err) < 0) {
		return -1;
	}
	if (fine)
		*kind_r = PKCS7_SIGNED;
	return 0;
}
