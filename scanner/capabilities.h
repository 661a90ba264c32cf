/* SPDX-License-Identifier: ISC
 *
 * The capabilities that the drop-ins for the sweep give to the service (capabilities(7)), and who has no
 * use for them. */
#ifndef SCANNER_CAPABILITIES_H
#define SCANNER_CAPABILITIES_H

#include "common/err.h"

/* This process has none from here on. */
int capabilities_drop(struct err *err);

/* This process keeps its own, and what it executes from here on has none of them. */
int capabilities_pass_none_on(struct err *err);

#endif
