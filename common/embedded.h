/* SPDX-License-Identifier: ISC
 *
 * Files inside of text, which mail programs take out: uuencode, yEnc, BinHex, and base64 that no
 * header declares. Found by their lines (LF ends one), decoded leniently. Pure; linear, also where
 * block after block may start in one run of base64. */
#ifndef COMMON_EMBEDDED_H
#define COMMON_EMBEDDED_H

#include "common/buf.h"

enum {
	EMBEDDED_BASE64_MIN = 64, /* fewer characters are words */
	EMBEDDED_BINHEX_MIN = 20,
	EMBEDDED_LONG_LINE = 56, /* of base64: words end before, a file begins */
};

enum embedded_kind {
	EMBEDDED_BASE64,
	EMBEDDED_UUENCODE,
	EMBEDDED_YENC,
	EMBEDDED_BINHEX,
};

struct embedded {
	enum embedded_kind kind;
	size_t start, end; /* with all its lines, offsets into the text */
	size_t data;       /* where the encoded bytes start */
	size_t next;       /* where to look for the next */
	size_t looked;     /* bytes that were looked at to find it: the work it was */
};

/* The first block that starts at or behind pos, the start of a line. *block is what the last call gave
 * for this text, zeroed before the first: the next one is then looked for no farther than it must.
 * False if there is none; then only looked is set. A block of base64 goes on over padding and
 * blank lines; where another reader would see one start inside of it, that is the next block. */
bool embedded_find(struct span text, size_t pos, struct embedded *block);

/* The decoded bytes, never more than the block's own, added to out. (BinHex: the bytes that
 * binhex_forks takes apart.) */
int embedded_decode(
	struct span text, const struct embedded *block, struct buf *out, struct err *err);

/* The data fork and the resource fork of decoded BinHex, cut to what there is. */
void binhex_forks(struct span decoded, struct span *data_r, struct span *resource_r);

#endif
