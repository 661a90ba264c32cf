/* SPDX-License-Identifier: ISC
 *
 * What the hosts (hosts.c), their start (hosts_start.c) and the waiting for them (hosts_wait.c)
 * share. */
#ifndef SCANNER_HOSTS_INSIDE_H
#define SCANNER_HOSTS_INSIDE_H

#include "scanner/hosts.h"

/* The first in this state that does not serve, or NULL. */
struct host *hosts_in_state(struct hosts *hosts, enum host_state state);

/* Why none serves, or not the newest; logged when it changes, or the signatures do. */
void hosts_set_trouble(struct hosts *hosts, const char *text);

/* One could not start, or not load, or ended on its own: the next one waits longer each time. */
void hosts_delay_start(struct hosts *hosts);

/* Start one now, if it can begin well: there is a place for it, temp space, and no signature file is
 * being written. Else later. */
void hosts_start(struct hosts *hosts);

/* Take what one host says, on its control socket. */
void hosts_hear_one(struct hosts *hosts, struct host *host);

#endif
