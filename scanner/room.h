/* SPDX-License-Identifier: ISC
 *
 * Is there temp space for the scan of a message, and what becomes of one that there is none for? */
#ifndef SCANNER_ROOM_H
#define SCANNER_ROOM_H

#include "scanner/request.h"

/* False: the request has its verdict, held or given up (which takes one that serves). */
bool room_has(const char *dir, bool serving, struct request *request);

#endif
