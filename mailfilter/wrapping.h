/* SPDX-License-Identifier: ISC
 *
 * EICAR, the harmless test virus (eicar.org), in the wrappings in which mail carries viruses. Made
 * at run time, so that no scanner takes our own files for infected. Pure. */
#ifndef MAILFILTER_WRAPPING_H
#define MAILFILTER_WRAPPING_H

#include "common/buf.h"

enum wrapping {
	WRAPPING_NONE, /* the same mail with harmless bytes: must be clean */
	WRAPPING_ATTACHMENT,
	WRAPPING_ZIP,
	WRAPPING_NESTED,
	WRAPPING_INLINE,
	WRAPPING_UUENCODE,
	WRAPPINGS,
};

enum {
	WRAPPING_MAIL_MAX = 16 * 1024
};

/* Append the whole mail (CRLF) to out. */
int wrapping_make(enum wrapping wrapping, struct buf *out, struct err *err);

/* "in a base64 attachment", for people. */
const char *wrapping_name(enum wrapping wrapping);

#endif
