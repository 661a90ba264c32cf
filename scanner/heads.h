/* SPDX-License-Identifier: ISC
 *
 * The first headers of archives that programs also open behind other bytes. Pure; bytes are
 * untrusted.
 *
 * Each *_length: if such an archive starts here how far it may reach, else 0. More than the magic
 * number must be right: that may stand anywhere by chance. */
#ifndef SCANNER_HEADS_H
#define SCANNER_HEADS_H

#include "common/buf.h"

size_t sevenzip_length(struct span bytes);
size_t cab_length(struct span bytes);
size_t arj_length(struct span bytes);

/* An ARJ archive that is one volume of several? */
bool arj_is_volume(struct span bytes);

/* A tar archive without the magic number that newer ones have: its first header's sum is right. */
bool is_old_tar(struct span bytes);

#endif
