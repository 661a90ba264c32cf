/* SPDX-License-Identifier: ISC
 *
 * What the hosts (hosts.c) and the waiting for them (hosts_wait.c) share. */
#ifndef SCANNER_HOSTS_INSIDE_H
#define SCANNER_HOSTS_INSIDE_H

#include "scanner/hosts.h"

/* Take what one host says, on its control socket. */
void hosts_hear_one(struct hosts *hosts, struct host *host);

#endif
