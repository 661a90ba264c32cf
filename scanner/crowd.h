/* SPDX-License-Identifier: ISC
 *
 * Crowds of files in one text. libclamav's mail parser makes a file of each uuencoded one, however
 * many there are: it counts them against no limit of its own, and looks at no clock meanwhile. Pure;
 * linear. */
#ifndef SCANNER_CROWD_H
#define SCANNER_CROWD_H

#include "common/buf.h"

/* Are there more than max lines that start a uuencoded file there, as libclamav sees it? */
bool crowd_is_over(struct span bytes, uint64_t max);

#endif
