/* SPDX-License-Identifier: ISC
 *
 * Encrypted PDF. Most can be opened by everybody, and libclamav decrypts those, but it looks for the
 * word in the last two kilobytes only; programs read the whole file. Pure; bytes are untrusted. */
#ifndef SCANNER_PDF_H
#define SCANNER_PDF_H

#include "common/buf.h"

enum pdf_encryption {
	PDF_PLAIN,     /* not encrypted, or where libclamav sees it; or no PDF */
	PDF_OVERSEEN,  /* encrypted, and libclamav may not see it */
	PDF_AMBIGUOUS, /* encrypted in more than one way, as it seems */
};

enum pdf_encryption pdf_encryption(struct span bytes);

/* One that is OVERSEEN, with a trailer that libclamav sees. Errors as buf_add. */
int pdf_add_trailer(struct span bytes, struct buf *out, struct err *err);

#endif
