/* SPDX-License-Identifier: ISC
 *
 * What the files of dissect.h share: dissect.c scans bytes with all that is in them, dissect_mail.c
 * leaves out of that what a mail's own scan did. */
#ifndef SCANNER_DISSECT_INSIDE_H
#define SCANNER_DISSECT_INSIDE_H

#include "scanner/alone.h"
#include "scanner/dissect.h"
#include "scanner/parts.h"
#include "scanner/trail.h"
#include "scanner/unpack.h"

/* An archive that was met, and what came of it and of all in it. */
struct met {
	struct hash hash;
	enum sniff_kind kind;
	ptrdiff_t parent; /* the one it was unpacked from here; -1: none */
	uint32_t depth;   /* archives and parts around it */
	struct result result;
};

/* One that is still to be unpacked. */
struct waiting {
	size_t met;
	enum sniff_kind kind;
	struct span bytes;
	uint8_t *own; /* its memory, unless it lies in the bytes that are dissected */
	char path[TRAIL_MAX];
};

struct dissection {
	struct engine *engine;
	struct unpack_budget budget;
	struct met *met;
	size_t met_count;
	struct waiting *waiting; /* the last is unpacked first */
	size_t waiting_count;
	uint64_t waiting_bytes;
	struct parts parts; /* of the whole message, as libclamav takes it apart */

	/* of one call: */
	struct span whole;
	struct seen seen;
	struct result *sum;
	bool is_as_is;

	/* of one scan: */
	ptrdiff_t parent;
	const char *path;
	uint32_t depth;
	struct alone alone;
	bool may_be_none; /* these bytes may be no file at all */
};

#endif
