/* SPDX-License-Identifier: ISC
 *
 * Files that libclamav passes over because of a few bytes, changed so that it looks at them: it does
 * not look at what begins as music does, and takes for an archive what only begins as one. Pure. */
#ifndef SCANNER_CHANGED_H
#define SCANNER_CHANGED_H

#include "scanner/sniff.h"

/* Must a file be changed, which libclamav calls so, and which is an archive or is not? */
bool changed_must(const char *type, bool is_archive);

/* Was that done already, in vain? */
bool changed_already(struct span bytes);

/* A copy, changed: of SNIFF_PASSED_OVER or SNIFF_PDF. Not empty; errors as buf_add. */
int changed_make(
	enum sniff_kind kind, struct span bytes, struct buf *out_r, struct err *err);

#endif
