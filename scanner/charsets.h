/* SPDX-License-Identifier: ISC
 *
 * The charsets of mail, loaded. The C library loads each as a library when it is first named, and a
 * worker in its sandbox can load none: what it cannot convert, signatures of text do not find. */
#ifndef SCANNER_CHARSETS_H
#define SCANNER_CHARSETS_H

#include <iconv.h>
#include <stddef.h>

#include "common/defer.h"

enum {
	CHARSETS_MAX = 128
};

struct charsets {
	iconv_t open[CHARSETS_MAX];
	size_t count;
};

/* Load those that the system has; they stay until charsets_close, and in forked processes. */
void charsets_open(struct charsets *charsets);
void charsets_close(struct charsets *charsets);
#define auto_charsets DEFER(charsets_close)

#endif
