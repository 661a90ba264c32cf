/* SPDX-License-Identifier: ISC
 *
 * Which archives are in these bytes? Told by their magic, for those that are looked into beside
 * libclamav. Pure. */
#ifndef SCANNER_SNIFF_H
#define SCANNER_SNIFF_H

#include "common/buf.h"

enum sniff_kind {
	SNIFF_NONE,
	SNIFF_RAR,  /* up to version 4 */
	SNIFF_RAR5, /* from version 5 on */
	SNIFF_ZIP,
	SNIFF_ZIP_END, /* a zip behind other bytes: known by its end */
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
	SNIFF_LOCKED,     /* a document with a password, which libclamav passes over */
	SNIFF_PDF,        /* encrypted, where libclamav does not see it */
	SNIFF_ARJ,        /* libclamav opens it, but passes over volumes */
	SNIFF_AS_FILE,    /* libclamav opens it, but only where it starts a file */
	SNIFF_MAYBE_FILE, /* ... if it is one at all */
	SNIFF_PASSED_OVER, /* no archive: what libclamav does not look at; not found here */
	SNIFF_OPAQUE,      /* some archive or disk image that nobody here opens */
};

/* One archive, or what looks like one. */
struct sniffed {
	enum sniff_kind kind;
	size_t start, len;
};

enum {
	SNIFFED_MAX = 16
};

/* All of them, *count_r of them in list: what the bytes begin with, what they are as a whole (a disk
 * image), and the first of each kind that programs look for behind other bytes (a self-extracting
 * program, a picture): RAR, 7z, ARJ, CAB, and the zip that ends there. */
void sniff(struct span bytes, struct sniffed list[static SNIFFED_MAX], size_t *count_r);

#endif
