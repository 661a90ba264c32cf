/* SPDX-License-Identifier: ISC
 *
 * Who may connect where tcp leaves this machine: CURVE says that a client has the key it shows, and
 * ZAP (RFC 27) asks us whether that key may come in. ZeroMQ asks over a socket of the same context
 * and lets the handshake wait, so the loop that waits for the link answers: no thread is needed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/link_inside.h"

enum {
	ADMIT_MAX = 256, /* questions answered in one turn */
	FRAME_MAX = 256,
	FRAME_VERSION = 0, /* of a question, in their order */
	FRAME_ID,
	FRAME_DOMAIN,
	FRAME_ADDRESS,
	FRAME_IDENTITY,
	FRAME_MECHANISM,
	FRAME_KEY,
	FRAMES
};

static const char domain[] = "mailfilter";
static const char version[] = "1.0";

struct frame {
	uint8_t bytes[FRAME_MAX];
	size_t len;
};

int link_allow(struct link *link, const struct link_client *clients, size_t count,
	struct err *err)
{
	struct link_client *copy = NULL;

	if (count > 0) {
		copy = calloc(count, sizeof(*copy));
		if (!copy)
			return err_memory(err);
		memcpy(copy, clients, count * sizeof(*copy));
	}
	free(link->clients);
	link->clients = copy;
	link->client_count = count;
	return 0;
}

int link_guard(struct link *link, const struct link_keys *keys, struct err *err)
{
	static const char what[] = "cannot encrypt a ZeroMQ socket";

	if (link_allow(link, keys->clients, keys->client_count, err) < 0)
		return -1;
	link->zap = zmq_socket(link->context, ZMQ_REP);
	if (!link->zap || zmq_bind(link->zap, "inproc://zeromq.zap.01") < 0)
		return link_failed(what, err);
	if (link_set(link->zap, ZMQ_LINGER, 0, err) < 0 ||
		link_set(link->socket, ZMQ_CURVE_SERVER, 1, err) < 0)
		return -1;
	if (zmq_setsockopt(link->socket, ZMQ_CURVE_SECRETKEY, keys->secret->text,
		    KEY_TEXT_LEN + 1) < 0 ||
		zmq_setsockopt(link->socket, ZMQ_ZAP_DOMAIN, domain, strlen(domain)) < 0)
		return link_failed(what, err);
	return link_limit(link, LINK_CURVE_MORE, err);
}

/* 1: the next frame; 0: there is none. What is longer is cut, and its length then too great. */
static int next_frame(void *socket, struct frame *frame, bool *more_r)
{
	size_t size = sizeof(int);
	int len, more = 0;

	do
		len = zmq_recv(socket, frame->bytes, sizeof(frame->bytes), ZMQ_DONTWAIT);
	while (len < 0 && zmq_errno() == EINTR);
	if (len < 0)
		return 0;
	frame->len = (size_t)len;
	*more_r = zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) == 0 && more;
	return 1;
}

/* 1: a whole question; 0: there is none. */
static int next_question(void *socket, struct frame *frames, size_t *count_r)
{
	struct frame rest;
	bool more = true;

	for (*count_r = 0; more; (*count_r)++)
		if (!next_frame(
			    socket, *count_r < FRAMES ? &frames[*count_r] : &rest, &more))
			return 0;
	return 1;
}

static bool frame_is(const struct frame *frame, const char *text)
{
	return frame->len == strlen(text) && memcmp(frame->bytes, text, frame->len) == 0;
}

static const struct link_client *find_client(
	const struct link *link, const struct key *key)
{
	for (size_t i = 0; i < link->client_count; i++)
		if (key_equal(&link->clients[i].key, key))
			return &link->clients[i];
	return NULL;
}

/* Whatever is not as it must be is refused. */
static bool allowed(
	struct link *link, const struct frame *frames, size_t count, struct key *key_r)
{
	if (count != FRAMES || !frame_is(&frames[FRAME_VERSION], version) ||
		!frame_is(&frames[FRAME_DOMAIN], domain) ||
		!frame_is(&frames[FRAME_MECHANISM], "CURVE") ||
		frames[FRAME_KEY].len != KEY_SIZE) {
		link_count_refusal(link, "it shows no key");
		return false;
	}
	key_from_bytes(frames[FRAME_KEY].bytes, key_r);
	if (find_client(link, key_r))
		return true;
	link_count_refusal(link, "the key %s of %.*s is none of those allowed",
		key_r->text,
		frames[FRAME_ADDRESS].len < FRAME_MAX ? (int)frames[FRAME_ADDRESS].len
						      : 0,
		(const char *)frames[FRAME_ADDRESS].bytes);
	return false;
}

/* user: what ZeroMQ will say of each message over this connection. */
static void answer(void *socket, const struct frame *id, bool yes, const char *user)
{
	const struct {
		const void *bytes;
		size_t len;
	} frames[] = { { version, strlen(version) }, { id->bytes, id->len },
		{ yes ? "200" : "400", 3 }, { yes ? "OK" : "No", 2 },
		{ user, strlen(user) }, { "", 0 } };
	const size_t count = sizeof(frames) / sizeof(frames[0]);

	/* To one that has gone meanwhile ZeroMQ drops it. */
	for (size_t i = 0; i < count; i++)
		(void)zmq_send(socket, frames[i].bytes, frames[i].len,
			ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0));
}

void link_admit(struct link *link)
{
	struct frame frames[FRAMES];
	size_t count;

	for (int i = 0; i < ADMIT_MAX && next_question(link->zap, frames, &count); i++) {
		struct key key = { "" };
		bool yes = allowed(link, frames, count, &key);

		if (count <= FRAME_ID || frames[FRAME_ID].len > FRAME_MAX)
			frames[FRAME_ID].len = 0;
		answer(link->zap, &frames[FRAME_ID], yes, yes ? key.text : "");
	}
}

bool link_may_speak(struct link *link, const zmq_msg_t *frame)
{
	/* A connection over a socket of this machine has no such name. */
	const char *user = link->zap ? zmq_msg_gets(frame, "User-Id") : NULL;
	struct key key;

	if (!user)
		return true;
	if (key_parse(user, &key, NULL) == 0 && find_client(link, &key))
		return true;
	link_count_refusal(link, "the key %.*s is allowed no more", KEY_TEXT_LEN, user);
	return false;
}
