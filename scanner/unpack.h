/* SPDX-License-Identifier: ISC
 *
 * What is in an archive: each member's bytes, within limits. The only user of libarchive, in scan
 * workers only. It reads memory, starts no program and writes nothing but a large member into the
 * temp folder. Nothing is passed over in silence: what cannot be read is told. */
#ifndef SCANNER_UNPACK_H
#define SCANNER_UNPACK_H

#include "scanner/result.h"
#include "scanner/sniff.h"

enum {
	UNPACK_RATIO_MAX = 2000, /* bytes out for one in; more is a bomb ... */
	UNPACK_RATIO_FREE = 32 * 1024 * 1024, /* ... past so many */
	UNPACK_DEPTH_MAX = 32,      /* archives in archives, whatever the settings */
	UNPACK_ARCHIVES_MAX = 2000, /* of one message */
	UNPACK_WAITING_MAX =
		256 * 1024 * 1024, /* bytes of archives yet to be looked into */
};

/* What one message may still use. Shared by all archives in it, each takes its share away. */
struct unpack_budget {
	const char *temp_dir;
	uint64_t members;    /* left */
	uint64_t bytes;      /* left, of all members */
	uint64_t member_max; /* bytes of one */
	int64_t deadline_ms; /* of clock_ms() */
};

/* A member, or as much of it as could be read; the name is printable UTF-8. What this returns ends
 * the unpacking if it is not 0. */
typedef int (*unpack_take)(
	void *context, const char *name, struct span bytes, struct err *err);

/* Where it all goes. */
struct unpack_to {
	unpack_take take;
	void *context;
	struct result *trouble;
};

/* Give every member of the archive to to->take. What is encrypted, damaged, not known or over a
 * limit is added to *to->trouble with the member's name, after what could be read was given. A kind
 * that can be read in two ways is, and both are given. Fails with ERR_FATAL (memory), ERR_AGAIN
 * (temp space) or as take did. */
int unpack(enum sniff_kind kind, struct span archive, struct unpack_budget *budget,
	const struct unpack_to *to, struct err *err);

/* "libarchive 3.6.2". */
const char *unpack_version(void);

#endif
