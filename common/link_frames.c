/* SPDX-License-Identifier: ISC
 *
 * Messages of a link, sent and received. */
#include <errno.h>
#include <string.h>

#include "common/link_inside.h"

enum {
	UNWANTED_MAX = 64 /* messages dropped in one turn */
};

void link_release(struct link *link)
{
	while (link->held_count > 0)
		(void)zmq_msg_close(&link->held[--link->held_count]);
}

/* -1 with zmq_errno(), else not. */
static int send_frame(struct link *link, struct span frame, bool more)
{
	int flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);
	int rc;

	do
		rc = zmq_send(link->socket, frame.data, frame.len, flags);
	while (rc < 0 && zmq_errno() == EINTR);
	return rc;
}

static int send_failed(struct link *link, struct err *err)
{
	int number = zmq_errno();

	if (number == EHOSTUNREACH)
		return err_set(err, ERR_SESSION, "the client has gone");
	if (number != EAGAIN)
		return link_failed("cannot send", err);
	if (!link->bound && !link_alive(link))
		return err_set(err, ERR_SESSION, "the connection is lost");
	link->full = !link->bound;
	return err_set(err, ERR_AGAIN, "the other end does not take more now");
}

int link_send(struct link *link, const struct link_peer *peer, struct span head,
	bool has_data, struct span data, struct err *err)
{
	if (!link->bound && !link_alive(link))
		return err_set(err, ERR_SESSION, "not connected");
	/* Only the first frame can find the pipe full: ZeroMQ takes a message as a whole. */
	if (peer && send_frame(link, (struct span){ peer->id, peer->len }, true) < 0)
		return send_failed(link, err);
	if (send_frame(link, head, has_data) < 0)
		return send_failed(link, err);
	if (has_data && send_frame(link, data, false) < 0)
		return send_failed(link, err);
	link->full = false;
	return 0;
}

/* The next frame into *frame, which is initialised only then: 1; 0: none there. */
static int receive_frame(struct link *link, zmq_msg_t *frame, struct err *err)
{
	int rc;

	(void)zmq_msg_init(frame);
	do
		rc = zmq_msg_recv(frame, link->socket, ZMQ_DONTWAIT);
	while (rc < 0 && zmq_errno() == EINTR);
	if (rc >= 0)
		return 1;
	rc = zmq_errno() == EAGAIN ? 0 : link_failed("cannot receive", err);
	(void)zmq_msg_close(frame);
	return rc;
}

/* The frame moves to where it belongs. A routing id is never empty, nor longer than ZMTP allows. */
static bool keep_frame(struct link *link, struct link_message *message, zmq_msg_t *frame)
{
	if (link->bound && message->peer.len == 0) {
		message->peer.len = zmq_msg_size(frame);
		if (message->peer.len > LINK_PEER_MAX)
			message->peer.len = LINK_PEER_MAX;
		memcpy(message->peer.id, zmq_msg_data(frame), message->peer.len);
		return true;
	}
	if (link->held_count == LINK_FRAMES_MAX)
		return false;
	(void)zmq_msg_init(&link->held[link->held_count]);
	(void)zmq_msg_move(&link->held[link->held_count++], frame);
	return true;
}

/* 1: a whole message, or what is left of one; 0: none there. */
static int receive_one(struct link *link, struct link_message *message_r, bool *wanted_r,
	struct err *err)
{
	bool next = true, whole = true;

	link_release(link);
	message_r->peer.len = message_r->frame_count = 0;
	*wanted_r = true;
	while (next) {
		zmq_msg_t frame;
		int rc = receive_frame(link, &frame, err);

		if (rc <= 0)
			return rc;
		next = zmq_msg_more(&frame) != 0;
		if (!next)
			*wanted_r = link_may_speak(link, &frame);
		whole = keep_frame(link, message_r, &frame) && whole;
		(void)zmq_msg_close(&frame);
	}
	if (!whole)
		link_release(link);
	return 1;
}

int link_receive(struct link *link, struct link_message *message_r, struct err *err)
{
	bool wanted = false;

	for (int i = 0; i < UNWANTED_MAX && !wanted; i++) {
		int rc = receive_one(link, message_r, &wanted, err);

		if (rc <= 0)
			return rc;
	}
	if (!wanted) {
		link_release(link);
		return 0;
	}
	for (size_t i = 0; i < link->held_count; i++)
		message_r->frames[i] = (struct span){ zmq_msg_data(&link->held[i]),
			zmq_msg_size(&link->held[i]) };
	message_r->frame_count = link->held_count;
	return 1;
}
