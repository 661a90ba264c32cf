/* SPDX-License-Identifier: ISC
 *
 * The process that holds the signatures: exec'd by the parent, loads them with one thread, then
 * only forks workers that share them copy-on-write, reaps them and wipes their temp folders. */
#ifndef SCANNER_ENGINEHOST_H
#define SCANNER_ENGINEHOST_H

#include "scanner/settings.h"

/* The whole life of an engine host, whose control socket is ROLE_FD. Returns its exit code. */
int enginehost_main(const struct settings *settings);

#endif
