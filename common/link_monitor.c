/* SPDX-License-Identifier: ISC
 *
 * What ZeroMQ's monitor of a link's socket tells. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "common/clock.h"
#include "common/link_inside.h"

enum {
	LOOKS_MAX = 1024, /* events taken in one look, so that the caller goes on */
	SETTLED_MS = LINK_HANDSHAKE_MS + 1000 /* no handshake takes longer */
};

static const char monitor_name[] = "inproc://monitor";

int link_watch(struct link *link, struct err *err)
{
	/* A connection counts from its handshake: a hung peer's kernel still accepts. A refused
	 * key is counted where it is refused. */
	int events =
		ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
		ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
		(link->bound ? ZMQ_EVENT_ACCEPTED
			     : ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_DISCONNECTED);

	if (zmq_socket_monitor(link->socket, monitor_name, events) < 0)
		return link_failed("cannot watch a ZeroMQ socket", err);
	link->monitor = zmq_socket(link->context, ZMQ_PAIR);
	if (!link->monitor)
		return link_failed("cannot watch a ZeroMQ socket", err);
	/* No limit: at one, ZeroMQ's own thread would wait for us. Some events a connection. */
	if (link_set(link->monitor, ZMQ_RCVHWM, 0, err) < 0 ||
		link_set(link->monitor, ZMQ_LINGER, 0, err) < 0)
		return -1;
	if (zmq_connect(link->monitor, monitor_name) < 0)
		return link_failed("cannot watch a ZeroMQ socket", err);
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

static void take_bound(struct link *link, uint16_t event, uint32_t value)
{
	if (event == ZMQ_EVENT_ACCEPTED)
		link->accepted++;
	else if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
		link->connections++;
	else if (event == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL)
		link_count_refusal(
			link, "it was silent, or ended before its handshake did");
	else if (value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH)
		link_count_refusal(link, "one end encrypts, and the other does not");
	else if (value == ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC)
		link_count_refusal(
			link, "it is encrypted for another key than the one here");
	else
		link_count_refusal(link, "it does not speak ZeroMQ's protocol (0x%08x)",
			(unsigned)value);
}

/* ZeroMQ says nothing of some that failed, above all those that speak another protocol: what was
 * accepted a while ago is made by now, or never will be. */
static void count_unmade(struct link *link)
{
	uint64_t unmade = link->accepted_before > link->connections
				  ? link->accepted_before - link->connections
				  : 0;

	if (clock_ms() < link->settled_ms)
		return;
	if (unmade > link->refusals.count) {
		link_count_refusal(link, "it does not speak ZeroMQ's protocol");
		link->refusals.count = unmade;
	}
	link->accepted_before = link->accepted;
	link->settled_ms = clock_ms() + SETTLED_MS;
}

static void take(struct link *link, uint16_t event)
{
	link->alive = event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
	link->connections += link->alive;
	if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
		link->trouble = LINK_FINE;
	else if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
		link->trouble = LINK_REFUSED;
	else if (event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL)
		link->trouble = LINK_MISMATCH;
	else if (event == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL)
		link->trouble = LINK_CUT;
}

/* Pairs of frames: an event that starts with its native numbers, of 16 and 32 bits, and an
 * address. */
void link_look(struct link *link)
{
	uint8_t bytes[sizeof(uint16_t) + sizeof(uint32_t)] = { 0 };
	uint8_t address;

	for (int i = 0; i < LOOKS_MAX && monitor_frame(link, bytes, sizeof(bytes)) &&
			monitor_frame(link, &address, sizeof(address));
		i++) {
		uint16_t event;
		uint32_t value;

		memcpy(&event, bytes, sizeof(event));
		memcpy(&value, bytes + sizeof(event), sizeof(value));
		if (link->bound)
			take_bound(link, event, value);
		else
			take(link, event);
	}
	if (link->bound)
		count_unmade(link);
}

void link_count_refusal(struct link *link, const char *format, ...)
{
	va_list args;

	link->refusals.count++;
	va_start(args, format);
	(void)vsnprintf(link->refusals.last, sizeof(link->refusals.last), format, args);
	va_end(args);
}
