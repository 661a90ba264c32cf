/* SPDX-License-Identifier: ISC */
#include "scanner/clients.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

#include "scanner/guard.h"

enum {
	BLOCKED_MS = 50 /* until the next try where a client takes no more */
};

int clients_open(
	struct clients *clients, const struct settings *settings, struct err *err)
{
	*clients = (struct clients){ .settings = settings };
	clients->bytes_max = (uint64_t)CLIENTS_BYTES_MB << 20;
	/* Whatever may be announced must be able to come, with its cleaned copy. */
	if (clients->bytes_max < 2 * (settings->message_max + EDITS_BYTES_MAX))
		clients->bytes_max = 2 * (settings->message_max + EDITS_BYTES_MAX);
	clients->tick_at = clock_ms() + CLIENTS_TICK_MS;
	/* A client sends no larger frame than a chunk. */
	if (guard_listen(settings, WIRE_CHUNK_MAX, &clients->link, err) < 0)
		return -1;
	clients->replies.link = clients->link;
	return 0;
}

void clients_done(struct clients *clients)
{
	queue_done(&clients->queue);
	link_close(clients->link);
	clients->link = NULL;
}

static void forget_client(struct clients *clients, const struct link_peer *peer)
{
	struct request *next;

	for (struct request *at = clients->queue.first; at; at = next) {
		next = at->next;
		if (queue_same_peer(&at->peer, peer))
			queue_drop(&clients->queue, at);
	}
	for (size_t i = 0; i < clients->count; i++)
		if (queue_same_peer(&clients->list[i].peer, peer))
			clients->list[i--] = clients->list[--clients->count];
}

void clients_fill(const struct clients *clients, struct wire_state *state_r)
{
	*state_r = clients->state;
	state_r->queued = (uint32_t)queue_count(&clients->queue, REQUEST_WAITING);
	state_r->health.counts[HEALTH_FRAMES] = clients->hostile.malformed;
	state_r->health.counts[HEALTH_CONNECTIONS] = clients->hostile.refused;
	tally_fill(&clients->tally, clock_ms(), &state_r->health);
}

static void tell_state(struct clients *clients, const struct link_peer *peer)
{
	struct wire_message message = { .type = WIRE_STATE };
	struct link_peer copy = *peer;

	clients_fill(clients, &message.state);
	if (replies_send(&clients->replies, &copy, &message) < 0)
		forget_client(clients, &copy);
}

static void note_client(struct clients *clients, const struct link_peer *peer)
{
	size_t oldest = 0;

	for (size_t i = 0; i < clients->count; i++) {
		if (queue_same_peer(&clients->list[i].peer, peer)) {
			clients->list[i].heard = clock_ms();
			return;
		}
		if (clients->list[i].heard < clients->list[oldest].heard)
			oldest = i;
	}
	if (clients->count < CLIENTS_MAX)
		oldest = clients->count++;
	clients->list[oldest] = (struct client){ .peer = *peer, .heard = clock_ms() };
}

/* Why a request cannot be taken now, or NULL. */
static const char *busy(const struct clients *clients, const struct link_peer *peer,
	const struct wire_message *message)
{
	size_t count = queue_count_of(&clients->queue, peer);
	uint64_t size = message->request.size;

	if (clients->state.state == WIRE_STOPPING)
		return "the scanner is stopping";
	/* The first of a client is taken where the others' fill the queue. */
	if (clients->queue.count >= (count > 0 ? 1 : 2) * clients->settings->queue)
		return "the queue is full";
	if (count >= clients->state.jobs)
		return "more requests outstanding than this client may have";
	if (count > 0 && queue_weight_of(&clients->queue, peer) + size >
				 clients->bytes_max / CLIENTS_SHARE)
		return "the messages of this client are too large together";
	if (queue_weight(&clients->queue) + size > clients->bytes_max)
		return "the messages here are too large together";
	return NULL;
}

/* The bytes that came with a request or chunk; then more may, or the request waits. */
static void take_bytes(struct clients *clients, struct request *request, uint64_t offset,
	struct span bytes)
{
	struct err err = { 0 };

	if (request_add(request, offset, bytes, &err) == 0) {
		request->arrives_by = clock_ms() + CLIENTS_ARRIVE_MS;
		return;
	}
	if (err.kind != ERR_MESSAGE) {
		request_hold(request, err.text);
		return;
	}
	hostile_message(&clients->hostile, err.text);
	replies_refuse(
		&clients->replies, &request->peer, request->id, WIRE_PROTOCOL, err.text);
	queue_remove(&clients->queue, request);
}

static void hear_request(struct clients *clients, const struct link_peer *peer,
	struct wire_message *message)
{
	struct request *request = queue_find(&clients->queue, peer, message->id);
	struct err err = { 0 };
	const char *why;

	/* In work it is under way already; one that had not all come starts anew. */
	if (request && request->stage != REQUEST_ARRIVING)
		return;
	if (request)
		queue_remove(&clients->queue, request);
	if (message->request.size > clients->settings->message_max) {
		replies_refuse(&clients->replies, peer, message->id, WIRE_TOO_LARGE,
			"the message is larger than message-max");
		return;
	}
	why = busy(clients, peer, message);
	if (why) {
		replies_refuse(&clients->replies, peer, message->id, WIRE_BUSY, why);
		return;
	}
	if (request_new(peer, message->id, &message->request, clients->settings->temp_dir,
		    &request, &err) < 0) {
		replies_refuse(&clients->replies, peer, message->id,
			err.kind == ERR_MESSAGE ? WIRE_PROTOCOL : WIRE_BUSY, err.text);
		return;
	}
	queue_add(&clients->queue, request);
	take_bytes(clients, request, 0, message->data);
}

static void hear_chunk(struct clients *clients, const struct link_peer *peer,
	const struct wire_message *message)
{
	struct request *request = queue_find(&clients->queue, peer, message->id);

	if (!request) {
		replies_refuse(&clients->replies, peer, message->id, WIRE_UNKNOWN,
			"no such request");
		return;
	}
	/* Late bytes of what is decided already: held for short disk. */
	if (request->stage == REQUEST_DONE)
		return;
	if (request->stage != REQUEST_ARRIVING) {
		hostile_message(&clients->hostile, "more bytes than announced");
		replies_refuse(&clients->replies, peer, message->id, WIRE_PROTOCOL,
			"more bytes than announced");
		queue_drop(&clients->queue, request);
		return;
	}
	take_bytes(clients, request, message->offset, message->data);
}

static void hear(struct clients *clients, const struct link_peer *peer,
	struct wire_message *message)
{
	struct request *request;

	note_client(clients, peer);
	switch (message->type) {
	case WIRE_HELLO:
	case WIRE_PING:
		tell_state(clients, peer);
		return;
	case WIRE_REQUEST:
		hear_request(clients, peer, message);
		return;
	case WIRE_CHUNK:
		hear_chunk(clients, peer, message);
		return;
	case WIRE_CANCEL:
		request = queue_find(&clients->queue, peer, message->id);
		if (request)
			queue_drop(&clients->queue, request);
		return;
	case WIRE_STATE:
	case WIRE_CREDIT:
	case WIRE_VERDICT:
	case WIRE_REFUSE:
		hostile_message(&clients->hostile, "a client spoke as a scanner does");
		replies_refuse(&clients->replies, peer, message->id, WIRE_PROTOCOL,
			"only a scanner says this");
		return;
	}
}

int clients_hear(struct clients *clients, struct err *err)
{
	const struct link_refusals *refusals;
	struct link_message received;
	struct wire_message message;
	struct err wrong = { 0 };
	int got = 0;

	for (int i = 0; i < CLIENTS_TURN_MAX; i++) {
		got = link_receive(clients->link, &received, err);
		if (got <= 0)
			break;
		if (wire_decode(received.frames, received.frame_count, &message, &wrong) <
			0) {
			hostile_message(&clients->hostile, wrong.text);
			replies_refuse(&clients->replies, &received.peer,
				wire_peek_id(received.frames, received.frame_count),
				WIRE_PROTOCOL, wrong.text);
			continue;
		}
		hear(clients, &received.peer, &message);
		wire_message_done(&message);
	}
	refusals = link_refusals(clients->link);
	hostile_connections(&clients->hostile, refusals->count, refusals->last);
	return got < 0 ? -1 : 0;
}

static void tell_all(struct clients *clients, bool with_requests_only)
{
	/* From the end: a client that has gone leaves the list. */
	for (size_t i = clients->count; i-- > 0;)
		if (i < clients->count &&
			(!with_requests_only || queue_count_of(&clients->queue,
							&clients->list[i].peer) > 0))
			tell_state(clients, &clients->list[i].peer);
}

void clients_tell(struct clients *clients, const struct wire_state *state)
{
	const struct wire_state *was = &clients->state;
	bool changed = was->state != state->state ||
		       was->generation != state->generation ||
		       strcmp(was->trouble, state->trouble) != 0;

	clients->state = *state;
	if (changed)
		tell_all(clients, false);
}

static void log_verdict(const struct request *request)
{
	const struct verdict *verdict = &request->verdict;
	char signature[LOG_TEXT_MAX], detail[LOG_TEXT_MAX], id[LOG_TEXT_MAX];

	log_info("verdict=%s reason=%s signature=%s size=%" PRIu64
		 " ms=%u worker=%d quarantine_id=%s detail=%s",
		verdict_name(verdict->kind), verdict_reason_name(verdict->reason),
		log_value(span_str(verdict->finding_count > 0
					   ? verdict->findings[0].signature
					   : ""),
			signature),
		request->size, verdict->milliseconds, (int)request->worker,
		log_value(span_str(request->quarantine_id), id),
		log_value(span_str(verdict->detail), detail));
}

/* True: it is over, one way or the other. */
static bool answer(struct clients *clients, struct request *request)
{
	struct wire_message message = {
		.type = WIRE_VERDICT, .id = request->id, .verdict = request->verdict
	}; /* borrowed */
	int sent;

	if (request->unwanted)
		return true;
	sent = replies_send(&clients->replies, &request->peer, &message);
	if (sent == 0)
		return false;
	if (sent > 0) {
		log_verdict(request);
		tally_add(&clients->tally, clock_ms(), request);
	}
	return true;
}

static void credit(struct clients *clients, struct request *request)
{
	struct wire_message message = { .type = WIRE_CREDIT, .id = request->id };
	uint64_t before = request->credit;

	if (!request_extend(request))
		return;
	message.offset = request->credit;
	if (replies_send(&clients->replies, &request->peer, &message) == 0) {
		request->credit = before;
	}
}

/* What is due for one request. False: it is over and gone. */
static bool turn(struct clients *clients, struct request *request)
{
	bool over = false;

	switch (request->stage) {
	case REQUEST_ARRIVING:
		credit(clients, request);
		over = request->arrives_by <= clock_ms();
		if (over)
			replies_refuse(&clients->replies, &request->peer, request->id,
				WIRE_UNKNOWN, "its bytes did not come in time");
		break;
	case REQUEST_WAITING:
		over = request->unwanted;
		break;
	case REQUEST_WORKING:
		break;
	case REQUEST_DONE:
		over = answer(clients, request);
		break;
	}
	if (over)
		queue_remove(&clients->queue, request);
	return !over;
}

static void tick(struct clients *clients)
{
	int64_t now = clock_ms();

	/* Whoever has gone meanwhile is found by the failure to tell it. */
	tell_all(clients, true);
	for (size_t i = clients->count; i-- > 0;)
		if (now - clients->list[i].heard > CLIENTS_SILENCE_MS &&
			queue_count_of(&clients->queue, &clients->list[i].peer) == 0)
			clients->list[i] = clients->list[--clients->count];
	clients->tick_at = now + CLIENTS_TICK_MS;
}

int64_t clients_turn(struct clients *clients)
{
	struct request *following;
	int64_t next;

	replies_again(&clients->replies);
	if (clock_ms() >= clients->tick_at)
		tick(clients);
	next = clients->tick_at;
	for (struct request *at = clients->queue.first; at; at = following) {
		following = at->next;
		if (turn(clients, at) && at->stage == REQUEST_ARRIVING &&
			at->arrives_by < next)
			next = at->arrives_by;
	}
	return clients->replies.blocked ? clock_ms() + BLOCKED_MS : next;
}
