/* SPDX-License-Identifier: ISC
 *
 * What the files of the link share: the struct, its monitor, and who may connect. Not for others. */
#ifndef COMMON_LINK_INSIDE_H
#define COMMON_LINK_INSIDE_H

#include <zmq.h>

#include "common/endpoint.h"
#include "common/link.h"

enum {
	LINK_HANDSHAKE_MS = 2000,
	LINK_CURVE_MORE = 64 /* at least what CURVE adds to a frame */
};

struct link {
	void *context, *socket;
	void *monitor; /* says whether the peer is there, or who failed to become one */
	void *zap;     /* of a bound link with keys: asks whether a client may connect */
	bool bound;
	bool alive, full;
	uint64_t connections;
	enum link_trouble trouble;
	struct link_refusals refusals;
	uint64_t accepted,
		accepted_before; /* by a bound link, in all and when last looked at: */
	int64_t settled_ms;
	size_t frame_max;
	struct link_client *clients;
	size_t client_count;
	struct endpoint endpoints[LINK_ENDPOINTS_MAX]; /* of a bound link */
	size_t endpoint_count;
	zmq_msg_t held[LINK_FRAMES_MAX]; /* what the frames last given out point into */
	size_t held_count;
};

/* The error of the ZeroMQ call that just failed. */
int link_failed(const char *what, struct err *err);

int link_set(void *socket, int option, int value, struct err *err);

/* From here on frames that come over endpoints may have frame_max bytes, and so many more. */
int link_limit(struct link *link, size_t more, struct err *err);

/* Forget the frames last given out. */
void link_release(struct link *link);

/* Watch handshakes and ends; before the first bind or connect. */
int link_watch(struct link *link, struct err *err);

/* Take in what the monitor saw since the last look. */
void link_look(struct link *link);

/* Count a connection that was refused. */
void link_count_refusal(struct link *link, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* From here on endpoints that are bound take only encrypted connections of these clients. */
int link_guard(struct link *link, const struct link_keys *keys, struct err *err);

/* Say who of those in their handshake may connect. */
void link_admit(struct link *link);

/* May whoever sent this still be here? If not, it is counted. */
bool link_may_speak(struct link *link, const zmq_msg_t *frame);

#endif
