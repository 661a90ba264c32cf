/* SPDX-License-Identifier: ISC
 *
 * The header fields that mailfilter and scanner put on a message they changed or tagged, as
 * edits. Pure. */
#ifndef COMMON_HEADERS_H
#define COMMON_HEADERS_H

#include "common/edits.h"

/* Insert at the start of message:
 *     X-Virus-Status: STATUS
 *     X-Virus-Scanned: mailfilter
 *     X-Quarantine-ID: ID            (if quarantine_id is not "")
 * with eol as line end, and rename such fields that are there to "X-Old-..." (they could be
 * forged). status is cut and made printable ASCII. A leading mbox "From " line stays first. */
int headers_mark(struct span message, const char *eol, const char *status,
	const char *quarantine_id, struct edits *edits, struct err *err);

#endif
