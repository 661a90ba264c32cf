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

struct bound {
	struct endpoint endpoint;
	int lock;
};

struct link {
	void *context, *socket;
	void *monitor; /* of a connected link: says whether the peer is there */
	bool alive, full;
	uint64_t connections;
	struct bound *bound; /* of a bound link */
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
	if (zmq_setsockopt(socket, option, &value, sizeof(value)) < 0)
		return zmq_failed("cannot set a ZeroMQ option", err);
	return 0;
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

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (set(link->socket, options[i].option, options[i].value, err) < 0)
			return -1;
	if (zmq_setsockopt(link->socket, ZMQ_MAXMSGSIZE, &max, sizeof(max)) < 0)
		return zmq_failed("cannot set a ZeroMQ option", err);
	/* To a peer that has gone: an error instead of silence. */
	return set(link->socket,
		type == ZMQ_ROUTER ? ZMQ_ROUTER_MANDATORY : ZMQ_IMMEDIATE, 1, err);
}

static int link_new(int type, size_t frame_max, struct link **link_r, struct err *err)
{
	struct link *link = calloc(1, sizeof(*link));

	if (!link)
		return err_memory(err);
	link->context = zmq_ctx_new();
	if (link->context)
		link->socket = zmq_socket(link->context, type);
	if (!link->socket) {
		(void)zmq_failed("cannot open a ZeroMQ socket", err);
		link_close(link);
		return -1;
	}
	if (set_options(link, type, frame_max, err) < 0) {
		link_close(link);
		return -1;
	}
	*link_r = link;
	return 0;
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
	/* The lock goes last. Its file stays: were it removed, two could hold "the" lock. */
	for (size_t i = 0; i < link->bound_count; i++) {
		if (link->bound[i].endpoint.path[0] != '\0')
			(void)unlink(link->bound[i].endpoint.path);
		if (link->bound[i].lock >= 0)
			(void)close(link->bound[i].lock);
	}
	free(link->bound);
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

static int connect_to(struct link *link, const struct endpoint *to, struct err *err)
{
	if (to->ipv6 && set(link->socket, ZMQ_IPV6, 1, err) < 0)
		return -1;
	if (watch(link, err) < 0)
		return -1;
	if (zmq_connect(link->socket, to->text) < 0)
		return zmq_failed(to->text, err);
	return 0;
}

int link_connect(
	const char *endpoint, size_t frame_max, struct link **link_r, struct err *err)
{
	struct endpoint to;
	struct link *link;

	if (endpoint_parse(endpoint, &to, err) < 0)
		return -1;
	if (link_new(ZMQ_DEALER, frame_max, &link, err) < 0)
		return -1;
	if (connect_to(link, &to, err) < 0) {
		link_close(link);
		return -1;
	}
	*link_r = link;
	return 0;
}

static int bind_one(struct link *link, const char *text, struct err *err)
{
	struct bound *bound = &link->bound[link->bound_count];
	mode_t mask;
	int rc, number;

	if (endpoint_parse(text, &bound->endpoint, err) < 0 ||
		set(link->socket, ZMQ_IPV6, bound->endpoint.ipv6, err) < 0 ||
		endpoint_claim(&bound->endpoint, &bound->lock, err) < 0)
		return -1;
	link->bound_count++; /* from here on link_close removes the path */
	mask = umask(SOCKET_UMASK);
	rc = zmq_bind(link->socket, bound->endpoint.text);
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
	if (link_new(ZMQ_ROUTER, frame_max, &link, err) < 0)
		return -1;
	link->bound = calloc(count, sizeof(*link->bound));
	if (!link->bound) {
		link_close(link);
		return err_memory(err);
	}
	for (size_t i = 0; i < count; i++) {
		if (bind_one(link, endpoints[i], err) < 0) {
			link_close(link);
			return -1;
		}
	}
	*link_r = link;
	return 0;
}

/* Take in what the monitor saw since the last look. */
static void look(struct link *link)
{
	if (!link->monitor)
		return;
	for (;;) {
		uint8_t event
			[8]; /* u16 event, u32 value, native (zmq_socket_monitor(3)) */
		uint16_t kind;
		int len = zmq_recv(link->monitor, event, sizeof(event), ZMQ_DONTWAIT);

		if (len < 0 && zmq_errno() == EINTR)
			continue;
		if (len < 0)
			return;
		if (len < (int)sizeof(kind))
			continue; /* its second frame, the address, may be as short */
		memcpy(&kind, event, sizeof(kind));
		while (zmq_recv(link->monitor, event, sizeof(event), ZMQ_DONTWAIT) < 0 &&
			zmq_errno() == EINTR)
			;
		link->alive = kind == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
		if (link->alive)
			link->connections++;
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

/* 0, or -1 with zmq_errno(). */
static int send_frame(struct link *link, struct span frame, bool more)
{
	int flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);
	int rc;

	do
		rc = zmq_send(link->socket, frame.data, frame.len, flags);
	while (rc < 0 && zmq_errno() == EINTR);
	return rc < 0 ? -1 : 0;
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
	(void)zmq_msg_close(frame);
	return zmq_errno() == EAGAIN ? 0 : zmq_failed("cannot receive", err);
}

static bool more(zmq_msg_t *frame)
{
	return zmq_msg_more(frame) != 0;
}

static int receive_peer(
	struct link *link, struct link_message *message, bool *more_r, struct err *err)
{
	zmq_msg_t frame;
	int rc = receive_frame(link, &frame, err);

	if (rc <= 0)
		return rc;
	message->peer.len = zmq_msg_size(&frame);
	if (message->peer.len > LINK_PEER_MAX)
		message->peer.len = LINK_PEER_MAX; /* ZMTP allows no longer one */
	memcpy(message->peer.id, zmq_msg_data(&frame), message->peer.len);
	*more_r = more(&frame);
	(void)zmq_msg_close(&frame);
	return 1;
}

int link_receive(struct link *link, struct link_message *message_r, struct err *err)
{
	bool next = true, dropped = false;
	zmq_msg_t frame;
	int rc;

	release_held(link);
	message_r->peer.len = message_r->frame_count = 0;
	if (!link->monitor) {
		rc = receive_peer(link, message_r, &next, err);
		if (rc <= 0)
			return rc;
	}
	while (next) {
		rc = receive_frame(link, &frame, err);
		if (rc <= 0)
			return rc;
		next = more(&frame);
		if (link->held_count < LINK_FRAMES_MAX) {
			zmq_msg_t *held = &link->held[link->held_count++];

			(void)zmq_msg_init(held);
			(void)zmq_msg_move(held, &frame);
		} else {
			dropped = true;
		}
		(void)zmq_msg_close(&frame);
	}
	if (dropped)
		release_held(link);
	for (size_t i = 0; i < link->held_count; i++)
		message_r->frames[i] = (struct span){ zmq_msg_data(&link->held[i]),
			zmq_msg_size(&link->held[i]) };
	message_r->frame_count = link->held_count;
	return 1;
}

static short to_zmq(short events)
{
	return (short)((events & POLLIN ? ZMQ_POLLIN : 0) |
		       (events & POLLOUT ? ZMQ_POLLOUT : 0) |
		       (events & POLLPRI ? ZMQ_POLLPRI : 0));
}

static short from_zmq(short events)
{
	return (short)((events & ZMQ_POLLIN ? POLLIN : 0) |
		       (events & ZMQ_POLLOUT ? POLLOUT : 0) |
		       (events & ZMQ_POLLPRI ? POLLPRI : 0) |
		       (events & ZMQ_POLLERR ? POLLERR : 0));
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
		items[2 * link_count + i].events = to_zmq(fds[i].events);
	}
}

int link_wait(struct link *const *links, size_t link_count, bool *readable,
	struct pollfd *fds, size_t fd_count, int timeout_ms, struct err *err)
{
	size_t count = 2 * link_count + fd_count;
	auto_free zmq_pollitem_t *items = calloc(count ? count : 1, sizeof(*items));
	int rc;

	if (!items)
		return err_memory(err);
	fill_items(items, links, link_count, fds, fd_count);
	rc = zmq_poll(items, (int)count, timeout_ms);
	if (rc < 0 && zmq_errno() != EINTR)
		return zmq_failed("cannot wait", err);
	for (size_t i = 0; i < link_count; i++) {
		bool ready = rc > 0 && items[2 * i].revents & ZMQ_POLLIN;

		if (readable)
			readable[i] = ready;
		if (rc > 0 && items[2 * i].revents & ZMQ_POLLOUT)
			links[i]->full = false;
		look(links[i]);
	}
	for (size_t i = 0; i < fd_count; i++)
		fds[i].revents = rc > 0 ? from_zmq(items[2 * link_count + i].revents) : 0;
	return 0;
}
