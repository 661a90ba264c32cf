/* SPDX-License-Identifier: ISC
 *
 * RAR headers, as far as libarchive leaves them in doubt: is this an archive, a volume, encrypted?
 * Both formats: up to version 4 and from version 5 on. Pure; bytes are untrusted. */
#ifndef SCANNER_RAR_H
#define SCANNER_RAR_H

#include "common/buf.h"

enum {
	RAR_MAGIC_LEN = 6 /* what the magic numbers of both begin with */
};
extern const struct span rar_magic;

/* Does an archive start here? Its first block's checksum must be right: a magic number alone may
 * stand in any program that knows of RAR. */
bool rar_starts(struct span bytes);

/* One volume of several? */
bool rar_is_volume(struct span bytes);

/* Version 5: is anything encrypted in it? */
bool rar5_is_encrypted(struct span bytes);

#endif
