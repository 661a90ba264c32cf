/* SPDX-License-Identifier: ISC
 *
 * What clients say and hear: the socket, who is there, and their requests from the first byte
 * to the verdict. Everything received is untrusted and bounded: clients, requests, bytes, credit.
 * Knows no workers: the broker takes requests that wait, and answers are sent once done. */
#ifndef SCANNER_CLIENTS_H
#define SCANNER_CLIENTS_H

#include "common/wire.h"

#include "scanner/hostile.h"
#include "scanner/queue.h"
#include "scanner/replies.h"
#include "scanner/settings.h"
#include "scanner/tally.h"

enum {
	CLIENTS_MAX = 1024,
	CLIENTS_BYTES_MB = 512, /* of all messages here, at least */
	CLIENTS_SHARE = 2, /* a client with messages here may have 1/2 of these bytes */
	CLIENTS_TURN_MAX = 32, /* messages taken before others have their turn */
	CLIENTS_SILENCE_MS = 10 * 60 * 1000, /* then a client is forgotten */
	CLIENTS_ARRIVE_MS =
		60 * 1000, /* a message whose next bytes take longer is given up */
	CLIENTS_TICK_MS = 15 * 1000 /* so often clients with requests hear that we live */
};

struct client {
	struct link_peer peer;
	int64_t heard; /* clock_ms() */
};

struct clients {
	const struct settings *settings;
	struct link *link;
	struct client list[CLIENTS_MAX];
	size_t count;
	struct queue queue;
	uint64_t bytes_max; /* of all requests together */
	struct replies replies;
	struct hostile hostile;
	struct tally tally;
	int64_t tick_at;
	struct wire_state state; /* what they are told */
};

/* Listen. ERR_AGAIN names the pid of another scanner that does. */
int clients_open(
	struct clients *clients, const struct settings *settings, struct err *err);
void clients_done(struct clients *clients);

/* Take what has come. -1: the socket is broken. */
int clients_hear(struct clients *clients, struct err *err);

/* Set what clients are told of us, and tell them if it matters to them that it changed. */
void clients_tell(struct clients *clients, const struct wire_state *state);

/* All of what they are told, as it is now. */
void clients_fill(const struct clients *clients, struct wire_state *state_r);

/* Send what is done, and forget it; give up what does not arrive. Returns when to come again. */
int64_t clients_turn(struct clients *clients);

#endif
