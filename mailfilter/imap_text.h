/* SPDX-License-Identifier: ISC
 *
 * Text of ours as IMAP wants it: quoted strings, folder names. Pure. */
#ifndef MAILFILTER_IMAP_TEXT_H
#define MAILFILTER_IMAP_TEXT_H

#include "common/buf.h"

/* Add text as a quoted string. CR and LF cannot be quoted: ERR_ACCOUNT. */
int imap_text_quoted(const char *text, struct buf *buf, struct err *err);

/* Add a folder name (UTF-8) as a quoted string in modified UTF-7 (RFC 3501, 5.1.3). */
int imap_text_folder(const char *name, struct buf *buf, struct err *err);

#endif
