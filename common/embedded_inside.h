/* SPDX-License-Identifier: ISC
 *
 * The decoders that embedded.c shares with no one: yEnc and BinHex 4. */
#ifndef COMMON_EMBEDDED_INSIDE_H
#define COMMON_EMBEDDED_INSIDE_H

#include "common/buf.h"

/* 0..63, or -1 if it is none of the alphabet. */
int binhex_value(uint8_t c);

/* Six bits a character, then runs (0x90). Past out's maximum: ERR_MESSAGE. */
int binhex_decode(struct span data, struct buf *out, struct err *err);

/* The lines between "=ybegin" and "=yend". */
int yenc_decode(struct span data, struct buf *out, struct err *err);

#endif
