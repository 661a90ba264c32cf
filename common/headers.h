/* SPDX-License-Identifier: ISC
 *
 * The header fields that mailfilter and scanner put on a message they changed or tagged, as
 * edits. Pure. */
#ifndef COMMON_HEADERS_H
#define COMMON_HEADERS_H

#include "common/edits.h"

enum {
	HEADERS_VALUE_MAX = 200, /* of a status or an id, in characters */
};

/* Insert at the start of message:
 *     X-Virus-Status: STATUS
 *     X-Virus-Scanned: mailfilter
 *     X-Quarantine-ID: ID            (if quarantine_id is not "")
 * with eol as line end, and rename such fields that are there to "X-Old-..." (they could be
 * forged), also where only some readers would see one: behind a bare CR, with blanks before the
 * colon. status and quarantine_id are cut and made printable ASCII, so they cannot end their
 * line. A leading mbox "From " line stays first. Errors as edits_add: a header that holds
 * thousands of forged fields is ERR_MESSAGE. */
int headers_mark(struct span message, const char *eol, const char *status,
	const char *quarantine_id, struct edits *edits, struct err *err);

#endif
