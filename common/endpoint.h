/* SPDX-License-Identifier: ISC
 *
 * Where a link goes, as settings write it: "ipc:///path" or "tcp://HOST:PORT", which leaves this
 * machine only where the link is encrypted. */
#ifndef COMMON_ENDPOINT_H
#define COMMON_ENDPOINT_H

#include "common/buf.h"

enum {
	ENDPOINT_TEXT_MAX = 256,
	ENDPOINT_PATH_MAX = 108 /* of sockaddr_un, NUL included */
};

struct endpoint {
	char text[ENDPOINT_TEXT_MAX]; /* for ZeroMQ */
	char path[ENDPOINT_PATH_MAX]; /* of an ipc socket; "" for tcp */
	bool ipv6;
	int lock; /* held from endpoint_claim to endpoint_release; -1: none */
};

enum endpoint_use {
	ENDPOINT_PLAIN,   /* tcp on loopback only: 127.x.y.z, [::1] or localhost */
	ENDPOINT_CONNECT, /* encrypted tcp to any host; a name means its IPv4 address */
	ENDPOINT_LISTEN /* encrypted tcp at any address of this machine, no name; 0.0.0.0: all */
};

/* Anything else is ERR_SETTINGS; tcp off loopback, too, where it would be neither encrypted nor
 * kept to those who may connect. */
int endpoint_parse(const char *text, enum endpoint_use use, struct endpoint *endpoint_r,
	struct err *err);

/* Make the place for a socket ours: its folder (0750 if missing) and PATH.lock. Held by another
 * process: ERR_AGAIN with its pid. Something other than a socket at the path is never removed:
 * ERR_SETTINGS. Nothing to do for tcp. */
int endpoint_claim(struct endpoint *endpoint, struct err *err);

/* Remove the socket, then give up the lock. Its file stays: were it removed, two could hold "the"
 * lock. Nothing happens without a claim. */
void endpoint_release(struct endpoint *endpoint);

#endif
