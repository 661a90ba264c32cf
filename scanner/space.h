/* SPDX-License-Identifier: ISC
 *
 * Room in the folder where archives are unpacked. libclamav calls a mail clean when there is none. */
#ifndef SCANNER_SPACE_H
#define SCANNER_SPACE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	SPACE_SPARE = 4 * 1024 * 1024 /* bytes to be free beside the message itself */
};

/* May a scan of so many bytes start? No, if the folder is missing, not writable or too full. */
bool space_for(const char *dir, uint64_t message_size);

/* Is it full, so that what is being unpacked may not have been written? Also if it is gone. */
bool space_is_out(const char *dir);

#endif
