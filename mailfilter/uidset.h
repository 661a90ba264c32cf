/* SPDX-License-Identifier: ISC
 *
 * IMAP UIDs as sets of a command: "1:4,7,9:12". Pure. */
#ifndef MAILFILTER_UIDSET_H
#define MAILFILTER_UIDSET_H

#include <stddef.h>
#include <stdint.h>

#include "mailfilter/source.h"

enum {
	UIDSET_TEXT_MAX = 7000 /* RFC 7162: a command line stays below 8192 */
};

/* The UIDs of items, ascending, each once; the caller's to free(). A uid that is no number is
 * ERR_MESSAGE. */
int uidset_read(const struct source_item *items, size_t count, uint32_t **uids_r,
	size_t *count_r, struct err *err);

/* As many of the ascending UIDs as fit go to text; returns how many. */
size_t uidset_text(const uint32_t *uids, size_t count, char text[static UIDSET_TEXT_MAX]);

#endif
