/* SPDX-License-Identifier: ISC
 *
 * Where a link goes, as settings write it: "ipc:///path" or "tcp://HOST:PORT" on loopback. */
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

/* Anything else, and tcp off loopback, is ERR_SETTINGS: it would be neither encrypted nor kept to
 * those who may connect. */
int endpoint_parse(const char *text, struct endpoint *endpoint_r, struct err *err);

/* Make the place for a socket ours: its folder (0750 if missing) and PATH.lock. Held by another
 * process: ERR_AGAIN with its pid. Something other than a socket at the path is never removed:
 * ERR_SETTINGS. Nothing to do for tcp. */
int endpoint_claim(struct endpoint *endpoint, struct err *err);

/* Remove the socket, then give up the lock. Its file stays: were it removed, two could hold "the"
 * lock. Nothing happens without a claim. */
void endpoint_release(struct endpoint *endpoint);

#endif
