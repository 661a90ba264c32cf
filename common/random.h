/* SPDX-License-Identifier: ISC
 *
 * Numbers that nobody can guess, from the kernel. */
#ifndef COMMON_RANDOM_H
#define COMMON_RANDOM_H

#include <stdint.h>

uint64_t random_number(void);

#endif
