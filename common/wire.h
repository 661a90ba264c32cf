/* SPDX-License-Identifier: ISC
 *
 * What mailfilter and scanner say to each other, to frames and back. Pure: no socket, no
 * clock. Every byte decoded is untrusted; every length is checked here, once. One message is
 * a head frame and, for some types, a data frame with bytes of a mail. PROTOCOL.md beside
 * this file describes it for other clients; a change of meaning changes WIRE_VERSION. */
#ifndef COMMON_WIRE_H
#define COMMON_WIRE_H

#include "common/allow.h"
#include "common/wire_state.h"

enum {
	WIRE_VERSION = 1,
	WIRE_CHUNK_MAX = 256 * 1024, /* bytes of mail in one data frame */
	WIRE_HEAD_MAX = EDITS_BYTES_MAX + 1024 * 1024, /* of any head frame */
};

enum wire_type {
	WIRE_HELLO = 1, /* client: here I am; the scanner answers WIRE_STATE */
	WIRE_PING,      /* client: still there? answered by WIRE_STATE */
	WIRE_STATE,     /* scanner: what I am and can take; also unasked, on change */
	WIRE_REQUEST,   /* client: scan this; the data frame holds the first bytes */
	WIRE_CHUNK,     /* client: more bytes of a request */
	WIRE_CANCEL,    /* client: forget a request */
	WIRE_CREDIT,    /* scanner: bytes of a request may be sent up to this offset */
	WIRE_VERDICT,   /* scanner: the answer to a request */
	WIRE_REFUSE,    /* scanner: a request or frame is not taken, and why */
};

enum wire_refusal {
	WIRE_BUSY = 1,  /* the queue is full: send it again later, or elsewhere */
	WIRE_TOO_LARGE, /* over message_max */
	WIRE_PROTOCOL,  /* a frame that this version does not understand */
	WIRE_UNKNOWN,   /* no such request here: send it whole again */
};

struct wire_request {
	uint64_t size;                     /* of the whole message */
	char quarantine_id[WIRE_TEXT_MAX]; /* for the notice; printable ASCII */
	struct allow allow; /* encoded: borrowed; decoded: owned, the taker's to clear */
};

/* One decoded message; which member is valid follows from type. */
struct wire_message {
	enum wire_type type;
	uint64_t id;              /* of the request; 0 for HELLO, PING, STATE */
	char name[WIRE_TEXT_MAX]; /* HELLO: what the client calls itself */
	struct wire_state state;
	struct wire_request request;
	uint64_t offset;        /* CHUNK: of its bytes; CREDIT: up to where */
	struct verdict verdict; /* owned */
	enum wire_refusal refusal;
	char text[WIRE_TEXT_MAX]; /* REFUSE: a sentence */
	struct span data;         /* REQUEST, CHUNK: borrowed from the data frame */
};

void wire_message_done(struct wire_message *message);

/* Append the head frame of message to head. message->data travels as it is, as the second
 * frame, present exactly for REQUEST and CHUNK. */
int wire_encode(const struct wire_message *message, struct buf *head, struct err *err);

/* Read one message from its frames; frame_count is 1 or 2. *message_r is the caller's to
 * release, and on failure zeroed. A malformed one is ERR_MESSAGE, with what is wrong. An
 * unknown verdict kind or reason decodes as VERDICT_RETRY. */
int wire_decode(const struct span *frames, size_t frame_count,
	struct wire_message *message_r, struct err *err);

/* The id in a message that wire_decode refused, so that its request can be told; 0 if there is
 * none. It is the same place in every version. */
uint64_t wire_peek_id(const struct span *frames, size_t frame_count);

/* A verdict alone, as it stands inside VERDICT; the scanner's own processes use it too. */
int wire_encode_verdict(const struct verdict *verdict, struct buf *out, struct err *err);
int wire_decode_verdict(struct span bytes, struct verdict *verdict_r, struct err *err);

#endif
