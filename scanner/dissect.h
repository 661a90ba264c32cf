/* SPDX-License-Identifier: ISC
 *
 * Bytes scanned with all that is in them. libclamav goes first; what it looked at is remembered.
 * Then every archive it met is unpacked again here, and each file in it that libclamav did not look
 * at, for whatever reason, is scanned in the same way. So nothing that one of two readers finds in
 * an archive is passed over, nothing is scanned twice, and what neither can read is told. */
#ifndef SCANNER_DISSECT_H
#define SCANNER_DISSECT_H

#include "scanner/engine.h"

/* Of one message: what it may still use, and what is known of the archives in it. */
struct dissection;

/* The engine is borrowed; its time of the message counts. ERR_FATAL without memory. */
int dissection_new(
	struct engine *engine, struct dissection **dissection_r, struct err *err);
void dissection_free(struct dissection *dissection);
static inline void defer_dissection(struct dissection **dissection)
{
	dissection_free(*dissection);
}
#define auto_dissection DEFER(defer_dissection)

/* One scan of bytes, the message or a part of it; results as engine_scan's. Bytes that are also in
 * another call's are not unpacked again. */
void dissect(struct dissection *dissection, struct span bytes, struct result *result_r);

/* The same of a whole message, before its parts. What libclamav takes out of it as its own parts is
 * remembered, unless anything was found, a limit met or a doubt left. */
void dissect_mail(
	struct dissection *dissection, struct span message, struct result *result_r);

/* The same of a part of that message, as decoded here. Nothing is scanned that was remembered; text
 * that was, but with other line ends, in its own bytes only. ERR_FATAL without memory. */
int dissect_part(struct dissection *dissection, struct span part, struct result *result_r,
	struct err *err);

#endif
