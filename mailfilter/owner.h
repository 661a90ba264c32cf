/* SPDX-License-Identifier: ISC
 *
 * Whose a folder of the state is. Root could write into it, and what root leaves there its owner, the
 * service, could not use: nobody else writes there at all. */
#ifndef MAILFILTER_OWNER_H
#define MAILFILTER_OWNER_H

#include "common/err.h"

/* 0 also for a folder that is not there. For root in another user's folder ERR_SETTINGS, with the command
 * by which to be that user; others the system keeps out. */
int owner_check(const char *folder, struct err *err);

#endif
