/* SPDX-License-Identifier: ISC */
#include "common/link.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/link_inside.h"

enum {
	HEARTBEAT_MS = 5000,
	HEARTBEAT_TIMEOUT_MS =
		30000, /* a large frame on a slow line holds heartbeats up */
	RECONNECT_MS = 100,
	RECONNECT_MAX_MS = 500, /* so late is it noticed that the other end is back */
	SOCKET_UMASK = 0117,
	ITEMS = 3 /* polled for a link: socket, monitor, ZAP */
};

int link_failed(const char *what, struct err *err)
{
	int number = zmq_errno();

	if (number == ENOMEM)
		return err_memory(err);
	return err_set(err, number == EMFILE || number == ENFILE ? ERR_AGAIN : ERR_FATAL,
		"%s: %s", what, zmq_strerror(number));
}

int link_set(void *socket, int option, int value, struct err *err)
{
	int rc = zmq_setsockopt(socket, option, &value, sizeof(value));

	return rc < 0 ? link_failed("cannot set a ZeroMQ option", err) : 0;
}

int link_limit(struct link *link, size_t more, struct err *err)
{
	int64_t max = (int64_t)(link->frame_max + more);

	if (zmq_setsockopt(link->socket, ZMQ_MAXMSGSIZE, &max, sizeof(max)) < 0)
		return link_failed("cannot set a ZeroMQ option", err);
	return 0;
}

static int set_options(struct link *link, struct err *err)
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
		{ ZMQ_HANDSHAKE_IVL, LINK_HANDSHAKE_MS },
		{ ZMQ_TCP_KEEPALIVE, 1 },
		{ ZMQ_RECONNECT_IVL, RECONNECT_MS },
		{ ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS },
	};
	/* To a peer that has gone: an error instead of silence. */
	int sure = link->bound ? ZMQ_ROUTER_MANDATORY : ZMQ_IMMEDIATE;

	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (link_set(link->socket, options[i].option, options[i].value, err) < 0)
			return -1;
	if (link_limit(link, 0, err) < 0)
		return -1;
	return link_set(link->socket, sure, 1, err);
}

static struct link *link_new(int type, size_t frame_max, struct err *err)
{
	struct link *link = calloc(1, sizeof(*link));

	if (!link) {
		(void)err_memory(err);
		return NULL;
	}
	link->bound = type == ZMQ_ROUTER;
	link->frame_max = frame_max;
	link->context = zmq_ctx_new();
	if (link->context)
		link->socket = zmq_socket(link->context, type);
	if (!link->socket)
		(void)link_failed("cannot open a ZeroMQ socket", err);
	else if (set_options(link, err) == 0 && link_watch(link, err) == 0)
		return link;
	link_close(link);
	return NULL;
}

void link_close(struct link *link)
{
	if (!link)
		return;
	link_release(link);
	if (link->monitor) {
		(void)zmq_socket_monitor(link->socket, NULL, 0);
		(void)zmq_close(link->monitor);
	}
	if (link->socket)
		(void)zmq_close(link->socket);
	if (link->zap)
		(void)zmq_close(link->zap);
	while (link->context && zmq_ctx_term(link->context) < 0 && zmq_errno() == EINTR)
		;
	for (size_t i = 0; i < link->endpoint_count; i++)
		endpoint_release(&link->endpoints[i]);
	free(link->clients);
	free(link);
}

int link_check_endpoint(const char *endpoint, struct err *err)
{
	struct endpoint parsed;

	return endpoint_parse(endpoint, ENDPOINT_PLAIN, &parsed, err);
}

static int check(
	const char *endpoint, enum endpoint_use use, bool *tcp_r, struct err *err)
{
	struct endpoint parsed;

	if (endpoint_parse(endpoint, use, &parsed, err) < 0)
		return -1;
	if (tcp_r)
		*tcp_r = parsed.path[0] == '\0';
	return 0;
}

int link_check_connect(const char *endpoint, bool *tcp_r, struct err *err)
{
	return check(endpoint, ENDPOINT_CONNECT, tcp_r, err);
}

int link_check_listen(const char *endpoint, bool *tcp_r, struct err *err)
{
	return check(endpoint, ENDPOINT_LISTEN, tcp_r, err);
}

int link_make_keys(struct key *secret_r, struct key *public_r, struct err *err)
{
	if (zmq_curve_keypair(public_r->text, secret_r->text) < 0)
		return link_failed("cannot make keys", err);
	return 0;
}

/* As the one whose public key follows from keys->secret. */
static int connect_as(struct link *link, const struct link_keys *keys, struct err *err)
{
	struct key own;
	const struct {
		int option;
		const struct key *key;
	} options[] = { { ZMQ_CURVE_SERVERKEY, keys->server },
		{ ZMQ_CURVE_PUBLICKEY, &own }, { ZMQ_CURVE_SECRETKEY, keys->secret } };

	if (zmq_curve_public(own.text, keys->secret->text) < 0)
		return link_failed("cannot encrypt a ZeroMQ socket", err);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (zmq_setsockopt(link->socket, options[i].option, options[i].key->text,
			    KEY_TEXT_LEN + 1) < 0)
			return link_failed("cannot encrypt a ZeroMQ socket", err);
	return link_limit(link, LINK_CURVE_MORE, err);
}

int link_connect_keys(const char *endpoint, size_t frame_max,
	const struct link_keys *keys, struct link **link_r, struct err *err)
{
	struct endpoint to;
	struct link *link;

	if (endpoint_parse(endpoint, keys ? ENDPOINT_CONNECT : ENDPOINT_PLAIN, &to, err) <
		0)
		return -1;
	link = link_new(ZMQ_DEALER, frame_max, err);
	if (!link)
		return -1;
	if (link_set(link->socket, ZMQ_IPV6, to.ipv6, err) < 0 ||
		(keys && connect_as(link, keys, err) < 0) ||
		(zmq_connect(link->socket, to.text) < 0 &&
			link_failed(to.text, err) < 0)) {
		link_close(link);
		return -1;
	}
	*link_r = link;
	return 0;
}

int link_connect(
	const char *endpoint, size_t frame_max, struct link **link_r, struct err *err)
{
	return link_connect_keys(endpoint, frame_max, NULL, link_r, err);
}

static int bind_one(struct link *link, const struct endpoint *endpoint, const char *text,
	struct err *err)
{
	struct endpoint *bound = &link->endpoints[link->endpoint_count];
	mode_t mask;
	int rc, number;

	*bound = *endpoint;
	if (link_set(link->socket, ZMQ_IPV6, bound->ipv6, err) < 0 ||
		endpoint_claim(bound, err) < 0)
		return -1;
	link->endpoint_count++; /* from here on link_close releases it */
	mask = umask(SOCKET_UMASK);
	rc = zmq_bind(link->socket, bound->text);
	number = zmq_errno();
	(void)umask(mask);
	if (rc == 0)
		return 0;
	if (number == EADDRINUSE)
		return err_set(err, ERR_AGAIN,
			"%s is in use: stop the scanner or program that listens there, "
			"or choose another address",
			text);
	return err_set(
		err, ERR_SETTINGS, "cannot listen at %s: %s", text, zmq_strerror(number));
}

/* The sockets first, then, encrypted if there are keys, tcp: ZeroMQ's options hold for what is bound
 * after them. */
static int bind_all(struct link *link, const char *const *endpoints, size_t count,
	const struct link_keys *keys, struct err *err)
{
	enum endpoint_use use = keys ? ENDPOINT_LISTEN : ENDPOINT_PLAIN;

	for (int tcp = 0; tcp <= 1; tcp++) {
		if (tcp && keys && link_guard(link, keys, err) < 0)
			return -1;
		for (size_t i = 0; i < count; i++) {
			struct endpoint endpoint;

			if (endpoint_parse(endpoints[i], use, &endpoint, err) < 0)
				return -1;
			if ((endpoint.path[0] == '\0') == tcp &&
				bind_one(link, &endpoint, endpoints[i], err) < 0)
				return -1;
		}
	}
	return 0;
}

int link_bind_keys(const char *const *endpoints, size_t count, size_t frame_max,
	const struct link_keys *keys, struct link **link_r, struct err *err)
{
	struct link *link;

	if (count == 0 || count > LINK_ENDPOINTS_MAX)
		return err_set(err, ERR_SETTINGS,
			"expected 1 to %d endpoints to listen at", LINK_ENDPOINTS_MAX);
	link = link_new(ZMQ_ROUTER, frame_max, err);
	if (!link)
		return -1;
	if (bind_all(link, endpoints, count, keys, err) < 0) {
		link_close(link);
		return -1;
	}
	*link_r = link;
	return 0;
}

int link_bind(const char *const *endpoints, size_t count, size_t frame_max,
	struct link **link_r, struct err *err)
{
	return link_bind_keys(endpoints, count, frame_max, NULL, link_r, err);
}

bool link_alive(struct link *link)
{
	link_look(link);
	return link->alive;
}

uint64_t link_connections(struct link *link)
{
	link_look(link);
	return link->connections;
}

enum link_trouble link_trouble(struct link *link)
{
	link_look(link);
	return link->trouble;
}

const struct link_refusals *link_refusals(const struct link *link)
{
	return &link->refusals;
}

/* ITEMS for each link, then the fds. */
static void fill_items(zmq_pollitem_t *items, struct link *const *links,
	size_t link_count, const struct pollfd *fds, size_t fd_count)
{
	for (size_t i = 0; i < link_count; i++) {
		zmq_pollitem_t *item = &items[ITEMS * i];

		item[0].socket = links[i]->socket;
		item[0].events = (short)(ZMQ_POLLIN | (links[i]->full ? ZMQ_POLLOUT : 0));
		item[1].socket = links[i]->monitor;
		item[1].events = ZMQ_POLLIN;
		item[2].socket = links[i]->zap;
		item[2].fd = -1; /* where there is no ZAP: never ready */
		item[2].events = ZMQ_POLLIN;
	}
	for (size_t i = 0; i < fd_count; i++) {
		items[ITEMS * link_count + i].fd = fds[i].fd;
		items[ITEMS * link_count + i].events =
			(short)((fds[i].events & POLLIN ? ZMQ_POLLIN : 0) |
				(fds[i].events & POLLOUT ? ZMQ_POLLOUT : 0));
	}
}

/* NOLINTNEXTLINE(readability-function-size): links, fds, each with its count */
int link_wait(struct link *const *links, size_t link_count, bool *readable,
	struct pollfd *fds, size_t fd_count, int timeout_ms, struct err *err)
{
	zmq_pollitem_t items[ITEMS * LINK_WAIT_LINKS_MAX + LINK_WAIT_FDS_MAX] = { 0 };
	int rc;

	if (link_count > LINK_WAIT_LINKS_MAX || fd_count > LINK_WAIT_FDS_MAX)
		return err_set(err, ERR_FATAL, "too many descriptors to wait for");
	fill_items(items, links, link_count, fds, fd_count);
	rc = zmq_poll(items, (int)(ITEMS * link_count + fd_count), timeout_ms);
	if (rc < 0 && zmq_errno() != EINTR)
		return link_failed("cannot wait", err);
	for (size_t i = 0; i < link_count; i++) {
		int got = rc > 0 ? items[ITEMS * i].revents : 0;

		if (readable)
			readable[i] = got & ZMQ_POLLIN;
		if (got & ZMQ_POLLOUT)
			links[i]->full = false;
		link_look(links[i]);
		if (links[i]->zap)
			link_admit(links[i]);
	}
	for (size_t i = 0; i < fd_count; i++) {
		int got = rc > 0 ? items[ITEMS * link_count + i].revents : 0;

		fds[i].revents = (short)((got & ZMQ_POLLIN ? POLLIN : 0) |
					 (got & ZMQ_POLLOUT ? POLLOUT : 0) |
					 (got & ZMQ_POLLERR ? POLLERR : 0));
	}
	return 0;
}
