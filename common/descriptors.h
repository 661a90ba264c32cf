/* SPDX-License-Identifier: ISC
 *
 * The descriptors of this process: how many it may have open, and which it keeps. */
#ifndef COMMON_DESCRIPTORS_H
#define COMMON_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

/* After EMFILE: twice as many as until now, for the preset of most systems is 1024, and what they allow
 * is more. false: the system does not allow it. */
bool descriptors_allow_more(void);

/* Close all but 0, 1, 2 and these, which are in any order. ERR_FATAL. */
int descriptors_close_others(const int *kept, size_t count, struct err *err);

#endif
