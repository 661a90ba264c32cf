/* SPDX-License-Identifier: ISC
 *
 * Text in UTF-16 and UTF-7 as a reader of it shows it: UTF-8. Lenient: what is no character is left
 * out or stands for itself, nothing fails but for room and memory. Pure. */
#ifndef COMMON_UNICODE_H
#define COMMON_UNICODE_H

#include "common/buf.h"

/* Added to out, at most one and a half times as long. A byte order mark wins over is_big_endian. */
int unicode_from_utf16(
	struct span text, bool is_big_endian, struct buf *out, struct err *err);

/* RFC 2152, and never longer than three halves. */
int unicode_from_utf7(struct span text, struct buf *out, struct err *err);

/* Does it start with the byte order mark of UTF-16? */
bool unicode_has_mark(struct span text);

#endif
