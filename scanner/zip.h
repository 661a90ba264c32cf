/* SPDX-License-Identifier: ISC
 *
 * Where a zip lies in a file. Programs look for its end, whatever it starts with: a picture, a
 * letter, a program. Pure; bytes are untrusted. */
#ifndef SCANNER_ZIP_H
#define SCANNER_ZIP_H

#include "common/buf.h"

enum {
	ZIP_PLACES_MAX = 2
};

struct zip_place {
	size_t start; /* its offsets count from here */
	size_t end;   /* behind the record at the end, without the comment */
};

/* The last zip that lists a file, and, if that is another, the last whose comment is the last of the
 * file: programs differ in what they believe. Returns their number. */
size_t zip_places(struct span bytes, struct zip_place places[static ZIP_PLACES_MAX]);

#endif
