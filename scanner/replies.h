/* SPDX-License-Identifier: ISC
 *
 * What goes out to clients. Nothing waits for a client that does not read: ZeroMQ takes so many
 * messages for it and no more, and looks only now and then how many it has read. A refusal is
 * kept until it can be sent, since nobody else remembers it; all else the caller sends again. */
#ifndef SCANNER_REPLIES_H
#define SCANNER_REPLIES_H

#include "common/link.h"
#include "common/wire.h"

enum {
	REPLIES_KEPT_MAX =
		1024 /* refusals; beyond, a client that never reads hears nothing */
};

struct refusal {
	struct link_peer peer;
	uint64_t id;
	enum wire_refusal why;
	char text[WIRE_TEXT_MAX];
};

struct replies {
	struct link *link; /* borrowed */
	struct refusal kept[REPLIES_KEPT_MAX];
	size_t kept_count;
	bool blocked; /* since replies_again, something could not be sent */
};

/* 1: sent; 0: not now, and blocked is set; -1: the client has gone. */
int replies_send(struct replies *replies, const struct link_peer *peer,
	const struct wire_message *message);

void replies_refuse(struct replies *replies, const struct link_peer *peer, uint64_t id,
	enum wire_refusal why, const char *text);

/* Try what was kept. */
void replies_again(struct replies *replies);

#endif
