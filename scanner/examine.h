/* SPDX-License-Identifier: ISC
 *
 * Is there anything in a message? Scanned whole, which lets libclamav read it its way, each part as
 * decoded here, and where others may read it otherwise (readings.h) what they get: each alone misses
 * things that another finds. What two of them read alike is scanned once. Changes nothing. */
#ifndef SCANNER_EXAMINE_H
#define SCANNER_EXAMINE_H

#include "common/mime.h"

#include "scanner/engine.h"

static inline void defer_mime(struct mime **mime)
{
	mime_free(*mime);
}
#define auto_mime DEFER(defer_mime)

/* *verdict_r gets kind, reason, detail and all findings, each with its place (place.h); a find that belongs to
 * no part, or too many of them, is one of part "". CLEAN with a detail: a heuristic find that tags.
 * The parts are the caller's to release. Fails with ERR_FATAL (memory) only. */
int examine(struct engine *engine, struct span message, struct mime **mime_r,
	struct verdict *verdict_r, struct err *err);

#endif
