/* SPDX-License-Identifier: ISC */
#include "common/link.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <zmq.h>

#include "common/endpoint.h"

enum {
	HEARTBEAT_MS = 5000,
	HEARTBEAT_TIMEOUT_MS =
		30000, /* a large frame on a slow line holds heartbeats up */
	HANDSHAKE_MS = 2000,
	RECONNECT_MS = 100,
	RECONNECT_MAX_MS = 2000,
	SOCKET_UMASK = 0117
};

static const char monitor_name[] = "inproc://monitor";

struct link {
	void *context, *socket;
	void *monitor; /* of a connected link: says whether the peer is there */
	bool alive, full;
	uint64_t connections;
	struct endpoint bound[LINK_ENDPOINTS_MAX];
	size_t bound_count;
	zmq_msg_t held[LINK_FRAMES_MAX]; /* what the frames last given out point into */
	size_t held_count;
};

static int zmq_failed(const char *what, struct err *err)
{
	int number = zmq_errno();

	if (number == ENOMEM)
		return err_memory(err);
	return err_set(err, number == EMFILE || number == ENFILE ? ERR_AGAIN : ERR_FATAL,
		"%s: %s", what, zmq_strerror(number));
}

static int set(void *socket, int option, int value, struct err *err)
{
	int rc = zmq_setsockopt(socket, option, &value, sizeof(value));

	return rc < 0 ? zmq_failed("cannot set a ZeroMQ option", err) : 0;
}

static int set_options(struct link *link, int type, size_t frame_max, struct err *err)
{
	static const struct {
		int option, value;
	} options[] = {
		{ ZMQ_LINGER, 0 },
		{ ZMQ_SNDHWM, LINK_SEND_MAX },
		{ ZMQ_RCVHWM, LINK_RECEIVE_MAX },
		{ ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS },
		{ ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS },
		{ ZMQ_HEARTBEAT_TTL, HEARTBEAT_TIMEOUT_MS },
		{ ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS },
		{ ZMQ_TCP_KEEPALIVE, 1 },
		{ ZMQ_RECONNECT_IVL, RECONNECT_MS },
		{ ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS },
	};
	int64_t max = (int64_t)frame_max;
	/* To a peer that has gone: an error instead of silence. */
	int sure = type == ZMQ_ROUTER ? ZMQ_ROUTER_MANDATORY : ZMQ_IMMEDIATE;

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (set(link->socket, options[i].option, options[i].value, err) < 0)
			return -1;
	if (zmq_setsockopt(link->socket, ZMQ_MAXMSGSIZE, &max, sizeof(max)) < 0)
		return zmq_failed("cannot set a ZeroMQ option", err);
	return set(link->socket, sure, 1, err);
}

static struct link *link_new(int type, size_t frame_max, struct err *err)
{
	struct link *link = calloc(1, sizeof(*link));

	if (!link) {
		(void)err_memory(err);
		return NULL;
	}
	link->context = zmq_ctx_new();
	if (link->context)
		link->socket = zmq_socket(link->context, type);
	if (!link->socket)
		(void)zmq_failed("cannot open a ZeroMQ socket", err);
	else if (set_options(link, type, frame_max, err) == 0)
		return link;
	link_close(link);
	return NULL;
}

static void release_held(struct link *link)
{
	while (link->held_count > 0)
		(void)zmq_msg_close(&link->held[--link->held_count]);
}

void link_close(struct link *link)
{
	if (!link)
		return;
	release_held(link);
	if (link->monitor) {
		(void)zmq_socket_monitor(link->socket, NULL, 0);
		(void)zmq_close(link->monitor);
	}
	if (link->socket)
		(void)zmq_close(link->socket);
	while (link->context && zmq_ctx_term(link->context) < 0 && zmq_errno() == EINTR)
		;
	for (size_t i = 0; i < link->bound_count; i++)
		endpoint_release(&link->bound[i]);
	free(link);
}

int link_check_endpoint(const char *endpoint, struct err *err)
{
	struct endpoint parsed;

	return endpoint_parse(endpoint, &parsed, err);
}

/* A connection counts from its handshake: a hung peer's kernel still accepts. */
static int watch(struct link *link, struct err *err)
{
	if (zmq_socket_monitor(link->socket, monitor_name,
		    ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED) < 0)
		return zmq_failed("cannot watch a ZeroMQ socket", err);
	link->monitor = zmq_socket(link->context, ZMQ_PAIR);
	if (!link->monitor)
		return zmq_failed("cannot watch a ZeroMQ socket", err);
	/* No limit: at one, ZeroMQ's own thread would wait for us. Two events a reconnect. */
	if (set(link->monitor, ZMQ_RCVHWM, 0, err) < 0 ||
		set(link->monitor, ZMQ_LINGER, 0, err) < 0)
		return -1;
	if (zmq_connect(link->monitor, monitor_name) < 0)
		return zmq_failed("cannot watch a ZeroMQ socket", err);
	return 0;
}

int link_connect(
	const char *endpoint, size_t frame_max, struct link **link_r, struct err *err)
{
	struct endpoint to;
	struct link *link;

	if (endpoint_parse(endpoint, &to, err) < 0)
		return -1;
	link = link_new(ZMQ_DEALER, frame_max, err);
	if (!link)
		return -1;
	if (set(link->socket, ZMQ_IPV6, to.ipv6, err) < 0 || watch(link, err) < 0 ||
		(zmq_connect(link->socket, to.text) < 0 &&
			zmq_failed(to.text, err) < 0)) {
		link_close(link);
		return -1;
	}
	*link_r = link;
	return 0;
}

static int bind_one(struct link *link, const char *text, struct err *err)
{
	struct endpoint *bound = &link->bound[link->bound_count];
	mode_t mask;
	int rc, number;

	if (endpoint_parse(text, bound, err) < 0 ||
		set(link->socket, ZMQ_IPV6, bound->ipv6, err) < 0 ||
		endpoint_claim(bound, err) < 0)
		return -1;
	link->bound_count++; /* from here on link_close releases it */
	mask = umask(SOCKET_UMASK);
	rc = zmq_bind(link->socket, bound->text);
	number = zmq_errno();
	(void)umask(mask);
	if (rc == 0)
		return 0;
	if (number == EADDRINUSE)
		return err_set(err, ERR_AGAIN,
			"%s is in use: another scanner or program listens there", text);
	return err_set(
		err, ERR_SETTINGS, "cannot listen at %s: %s", text, zmq_strerror(number));
}

int link_bind(const char *const *endpoints, size_t count, size_t frame_max,
	struct link **link_r, struct err *err)
{
	struct link *link;

	if (count == 0 || count > LINK_ENDPOINTS_MAX)
		return err_set(err, ERR_SETTINGS,
			"expected 1 to %d endpoints to listen at", LINK_ENDPOINTS_MAX);
	link = link_new(ZMQ_ROUTER, frame_max, err);
	if (!link)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (bind_one(link, endpoints[i], err) < 0) {
			link_close(link);
			return -1;
		}
	}
	*link_r = link;
	return 0;
}

/* 1, or 0 when there is none now. What does not fit is cut. */
static int monitor_frame(struct link *link, void *bytes, size_t size)
{
	int len;

	do
		len = zmq_recv(link->monitor, bytes, size, ZMQ_DONTWAIT);
	while (len < 0 && zmq_errno() == EINTR);
	return len >= 0;
}

/* Take in what the monitor saw since the last look: pairs of frames, an event that starts with its
 * native 16-bit number and an address. */
static void look(struct link *link)
{
	uint16_t event = 0;
	uint8_t address;

	while (link->monitor && monitor_frame(link, &event, sizeof(event)) &&
		monitor_frame(link, &address, sizeof(address))) {
		link->alive = event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
		link->connections += link->alive;
	}
}

bool link_alive(struct link *link)
{
	look(link);
	return link->alive;
}

uint64_t link_connections(struct link *link)
{
	look(link);
	return link->connections;
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
		return zmq_failed("cannot send", err);
	if (link->monitor && !link_alive(link))
		return err_set(err, ERR_SESSION, "the connection is lost");
	link->full = link->monitor != NULL;
	return err_set(err, ERR_AGAIN, "the other end does not take more now");
}

int link_send(struct link *link, const struct link_peer *peer, struct span head,
	bool has_data, struct span data, struct err *err)
{
	if (link->monitor && !link_alive(link))
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
	rc = zmq_errno() == EAGAIN ? 0 : zmq_failed("cannot receive", err);
	(void)zmq_msg_close(frame);
	return rc;
}

/* The frame moves to where it belongs. A routing id is never empty, nor longer than ZMTP allows. */
static bool keep_frame(struct link *link, struct link_message *message, zmq_msg_t *frame)
{
	if (!link->monitor && message->peer.len == 0) {
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

int link_receive(struct link *link, struct link_message *message_r, struct err *err)
{
	bool next = true, whole = true;

	release_held(link);
	message_r->peer.len = message_r->frame_count = 0;
	while (next) {
		zmq_msg_t frame;
		int rc = receive_frame(link, &frame, err);

		if (rc <= 0)
			return rc;
		next = zmq_msg_more(&frame) != 0;
		whole = keep_frame(link, message_r, &frame) && whole;
		(void)zmq_msg_close(&frame);
	}
	if (!whole)
		release_held(link);
	for (size_t i = 0; i < link->held_count; i++)
		message_r->frames[i] = (struct span){ zmq_msg_data(&link->held[i]),
			zmq_msg_size(&link->held[i]) };
	message_r->frame_count = link->held_count;
	return 1;
}

/* Two items a link, its socket and its monitor, then the fds. */
static void fill_items(zmq_pollitem_t *items, struct link *const *links,
	size_t link_count, const struct pollfd *fds, size_t fd_count)
{
	for (size_t i = 0; i < link_count; i++) {
		items[2 * i].socket = links[i]->socket;
		items[2 * i].events =
			(short)(ZMQ_POLLIN | (links[i]->full ? ZMQ_POLLOUT : 0));
		items[2 * i + 1].socket = links[i]->monitor;
		items[2 * i + 1].fd = -1; /* where there is no monitor: never ready */
		items[2 * i + 1].events = ZMQ_POLLIN;
	}
	for (size_t i = 0; i < fd_count; i++) {
		items[2 * link_count + i].fd = fds[i].fd;
		items[2 * link_count + i].events =
			(short)((fds[i].events & POLLIN ? ZMQ_POLLIN : 0) |
				(fds[i].events & POLLOUT ? ZMQ_POLLOUT : 0));
	}
}

/* NOLINTNEXTLINE(readability-function-size): links, fds, each with its count */
int link_wait(struct link *const *links, size_t link_count, bool *readable,
	struct pollfd *fds, size_t fd_count, int timeout_ms, struct err *err)
{
	zmq_pollitem_t items[2 * LINK_WAIT_LINKS_MAX + LINK_WAIT_FDS_MAX] = { 0 };
	int rc;

	if (link_count > LINK_WAIT_LINKS_MAX || fd_count > LINK_WAIT_FDS_MAX)
		return err_set(err, ERR_FATAL, "too many descriptors to wait for");
	fill_items(items, links, link_count, fds, fd_count);
	rc = zmq_poll(items, (int)(2 * link_count + fd_count), timeout_ms);
	if (rc < 0 && zmq_errno() != EINTR)
		return zmq_failed("cannot wait", err);
	for (size_t i = 0; i < link_count; i++) {
		int got = rc > 0 ? items[2 * i].revents : 0;

		if (readable)
			readable[i] = got & ZMQ_POLLIN;
		if (got & ZMQ_POLLOUT)
			links[i]->full = false;
		look(links[i]);
	}
	for (size_t i = 0; i < fd_count; i++) {
		int got = rc > 0 ? items[2 * link_count + i].revents : 0;

		fds[i].revents = (short)((got & ZMQ_POLLIN ? POLLIN : 0) |
					 (got & ZMQ_POLLOUT ? POLLOUT : 0) |
					 (got & ZMQ_POLLERR ? POLLERR : 0));
	}
	return 0;
}
