/* SPDX-License-Identifier: ISC
 *
 * RAR headers, as far as libarchive leaves them in doubt: is this an archive, a volume, encrypted?
 * Both formats: up to version 4 and from version 5 on. Pure; bytes are untrusted. */
#ifndef SCANNER_RAR_H
#define SCANNER_RAR_H

#include "common/buf.h"

/* If an archive starts here how far it may reach, which is all there is, else 0. Its first block's
 * checksum must be right: a magic number alone may stand in any program that knows of RAR. */
size_t rar_length(struct span bytes);

/* One volume of several? */
bool rar_is_volume(struct span bytes);

/* Are there streams of NTFS in it? libarchive steps over them, WinRAR writes them beside their file,
 * or somewhere else (CVE-2025-8088). */
bool rar_has_streams(struct span bytes);

/* Version 5: is anything encrypted in it? */
bool rar5_is_encrypted(struct span bytes);

#endif
