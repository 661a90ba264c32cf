/* SPDX-License-Identifier: ISC
 *
 * A TCP connection to a host by name or address: each of its addresses in turn. */
#ifndef MAILFILTER_DIAL_H
#define MAILFILTER_DIAL_H

#include "common/err.h"

struct stream_wait;

/* A connected, non-blocking socket in *fd_r. All addresses together take at most max_ms; the
 * look-up of the name is bounded by the resolver's own options (timeout and attempts in
 * resolv.conf(5): by default 2 times 5 s a name server). Errors: ERR_SESSION. */
int dial(const char *host, unsigned port, int max_ms, const struct stream_wait *wait,
	int *fd_r, struct err *err);

#endif
