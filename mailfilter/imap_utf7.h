/* SPDX-License-Identifier: ISC
 *
 * Folder names on the wire: modified UTF-7 (RFC 3501, 5.1.3), both ways. Decoding is strict: a name
 * that would not be encoded as it came is refused, because it could not be asked for. Pure. */
#ifndef MAILFILTER_IMAP_UTF7_H
#define MAILFILTER_IMAP_UTF7_H

#include "common/buf.h"

/* Add the wire's form of a name. Not UTF-8: ERR_ACCOUNT. */
int imap_utf7_encode(const char *name, struct buf *buf, struct err *err);

/* A name from the wire as UTF-8 with a NUL behind it. ERR_MESSAGE if it is none, is empty, has a
 * NUL in it or does not fit. */
int imap_utf7_decode(struct span wire, char *name, size_t size, struct err *err);

#endif
