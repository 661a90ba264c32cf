/* SPDX-License-Identifier: ISC
 *
 * UTF-8 (RFC 3629), as much as showing text from outside needs. */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include "common/buf.h"

/* The length of the character at the start; 0 if invalid, overlong, a surrogate or nothing. */
size_t utf8_decode(struct span text, uint32_t *code_r);

/* The length of the character at the start if it is valid and may be shown on a terminal: no
 * control character (C0, DEL, C1), no bidirectional override or isolate; else 0. */
size_t utf8_printable(struct span text);

/* Is all of it valid UTF-8? Control characters count as valid. */
bool utf8_valid(struct span text);

/* The text, at most size - 1 bytes of it and a NUL: what is longer loses its middle, shown as "...",
 * so that the end of a file name stays. Cut between characters; NULs in it end it. size: 16 at
 * least. Returns out. */
const char *utf8_shorten(struct span text, char *out, size_t size);

#endif
