/* SPDX-License-Identifier: ISC
 *
 * How many descriptors this process may have open: the preset of most systems is 1024, and what they
 * allow is more. */
#ifndef COMMON_DESCRIPTORS_H
#define COMMON_DESCRIPTORS_H

#include <stdbool.h>

/* After EMFILE: twice as many as until now. false: the system does not allow it. */
bool descriptors_allow_more(void);

#endif
