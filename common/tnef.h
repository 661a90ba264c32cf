/* SPDX-License-Identifier: ISC
 *
 * The files in a TNEF stream (winmail.dat, [MS-OXTNEF]). A cursor over borrowed, untrusted bytes:
 * it copies nothing, checks no checksum, and takes as much of a cut attribute as there is. Pure. */
#ifndef COMMON_TNEF_H
#define COMMON_TNEF_H

#include "common/buf.h"

struct tnef {
	struct span stream;
	size_t attribute;       /* the offset of the next attribute */
	struct span properties; /* MAPI properties not looked at yet */
};

/* Does a TNEF stream start there? Then the cursor is set to its start. */
bool tnef_open(struct span bytes, struct tnef *tnef_r);

/* The next file, or TNEF stream, in it; false at the end. */
bool tnef_next(struct tnef *tnef, struct span *file_r);

#endif
