/* SPDX-License-Identifier: ISC
 *
 * The CRC-32 of zip, RAR, 7z and ARJ. For headers and small members: it is not fast. Pure. */
#ifndef SCANNER_CRC_H
#define SCANNER_CRC_H

#include "common/buf.h"

uint32_t crc_of(struct span bytes);

#endif
