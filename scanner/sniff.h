/* SPDX-License-Identifier: ISC
 *
 * Which archive are these bytes? Told by their magic, for those that are looked into beside
 * libclamav. Pure. */
#ifndef SCANNER_SNIFF_H
#define SCANNER_SNIFF_H

#include "common/buf.h"

enum sniff_kind {
	SNIFF_NONE,
	SNIFF_RAR,  /* up to version 4 */
	SNIFF_RAR5, /* from version 5 on */
	SNIFF_ZIP,
	SNIFF_7ZIP,
	SNIFF_TAR,
	SNIFF_CPIO,
	SNIFF_AR, /* also Debian packages */
	SNIFF_LHA,
	SNIFF_RPM,
	SNIFF_GZIP,
	SNIFF_BZIP2,
	SNIFF_XZ,
	SNIFF_LZIP,
	SNIFF_LZ4,
	SNIFF_ZSTD,
	SNIFF_COMPRESS, /* .Z */
	SNIFF_LZMA,     /* the form without a magic number of its own */
	SNIFF_ISO,
	SNIFF_XAR,
	SNIFF_OPAQUE, /* some archive or disk image that nobody here opens */
};

/* The archive that starts here, or the first RAR archive behind other bytes (a self-extracting
 * program, a picture): libclamav takes other kinds out of there. Where it starts in *start_r. */
enum sniff_kind sniff(struct span bytes, size_t *start_r);

#endif
