/* SPDX-License-Identifier: ISC
 *
 * What a person decides of a file in quarantine: back to its place, or gone for good. Called by root, or
 * by the scanner's user for what may be that user's. */
#ifndef SCANNER_QUARANTINE_RELEASE_H
#define SCANNER_QUARANTINE_RELEASE_H

#include "scanner/quarantine.h"

/* Under the lock: put it back where it was, or to another whole path, with its owner, mode (without
 * set-user-ID and the like) and times, if its bytes are what they were. Never over what is there, never
 * through a link. Then its bytes leave the quarantine; what is known of it stays and has the sweep leave
 * files with these bytes where they are. One that was cut off is ended. 1: it was released before. */
int quarantine_release(const struct quarantine *quarantine, const char *id,
	const char *to, struct quarantine_item *item_r, struct err *err);

/* Under the lock: its bytes, and what is known of it; of one that was released the latter alone, and
 * the sweep moves such files again. */
int quarantine_delete(const struct quarantine *quarantine, const char *id,
	struct quarantine_item *item_r, struct err *err);

#endif
