/* SPDX-License-Identifier: ISC
 *
 * Can a scanner's verdict be true of the message that was sent? Pure; all of it is untrusted. What
 * passes here holds together: it is about these very bytes, and its edits give the bytes that the
 * scanner says it scanned clean. */
#ifndef MAILFILTER_REPLY_H
#define MAILFILTER_REPLY_H

#include "common/verdict.h"

/* ERR_MESSAGE says what cannot be true; then the verdict must not be used. Edits are put in order.
 * ERR_FATAL: SHA-256 failed. ERR_AGAIN: the message cannot be read. */
int reply_check(const struct body *message, struct verdict *verdict, struct err *err);

#endif
