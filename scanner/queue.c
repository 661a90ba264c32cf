/* SPDX-License-Identifier: ISC */
#include "scanner/queue.h"

#include <string.h>

void queue_done(struct queue *queue)
{
	while (queue->first)
		queue_remove(queue, queue->first);
}

/* The turn of those that are next: of the first that waits, or else of the last that began. */
static uint64_t present_turn(const struct queue *queue)
{
	uint64_t last = 0;

	for (const struct request *at = queue->first; at; at = at->next) {
		if (at->stage == REQUEST_WAITING)
			return at->turn;
		if (at->stage != REQUEST_ARRIVING)
			last = at->turn;
	}
	return last;
}

/* The first free turn of a client: it does not save up those it let pass. */
static uint64_t next_turn(const struct queue *queue, const struct link_peer *peer)
{
	uint64_t turn = present_turn(queue);

	for (const struct request *at = queue->first; at; at = at->next)
		if (at->turn >= turn && queue_same_peer(&at->peer, peer))
			turn = at->turn + 1;
	return turn;
}

void queue_add(struct queue *queue, struct request *request)
{
	struct request **at = &queue->first;

	request->turn = next_turn(queue, &request->peer);
	while (*at && (*at)->turn <= request->turn)
		at = &(*at)->next;
	request->next = *at;
	*at = request;
	queue->count++;
}

void queue_remove(struct queue *queue, struct request *request)
{
	struct request **at = &queue->first;

	while (*at != request)
		at = &(*at)->next;
	*at = request->next;
	queue->count--;
	request_free(request);
}

void queue_drop(struct queue *queue, struct request *request)
{
	if (request->stage == REQUEST_WORKING)
		request->unwanted = true;
	else
		queue_remove(queue, request);
}

bool queue_same_peer(const struct link_peer *left, const struct link_peer *right)
{
	return left->len == right->len && memcmp(left->id, right->id, left->len) == 0;
}

struct request *queue_find(
	const struct queue *queue, const struct link_peer *peer, uint64_t id)
{
	for (struct request *at = queue->first; at; at = at->next)
		if (at->id == id && !at->unwanted && queue_same_peer(&at->peer, peer))
			return at;
	return NULL;
}

struct request *queue_waiting(const struct queue *queue, const struct request *after)
{
	struct request *at = after ? after->next : queue->first;

	while (at && at->stage != REQUEST_WAITING)
		at = at->next;
	return at;
}

bool queue_is_occupied(const struct queue *queue)
{
	for (const struct request *at = queue->first; at; at = at->next)
		if (at->stage == REQUEST_WORKING && request_is_alone(at))
			return true;
	return false;
}

size_t queue_count(const struct queue *queue, enum request_stage stage)
{
	size_t count = 0;

	for (const struct request *at = queue->first; at; at = at->next)
		count += at->stage == stage;
	return count;
}

size_t queue_count_of(const struct queue *queue, const struct link_peer *peer)
{
	size_t count = 0;

	for (const struct request *at = queue->first; at; at = at->next)
		count += queue_same_peer(&at->peer, peer);
	return count;
}

uint64_t queue_weight(const struct queue *queue)
{
	uint64_t weight = 0;

	for (const struct request *at = queue->first; at; at = at->next)
		weight += request_weight(at);
	return weight;
}

uint64_t queue_weight_of(const struct queue *queue, const struct link_peer *peer)
{
	uint64_t weight = 0;

	for (const struct request *at = queue->first; at; at = at->next)
		if (queue_same_peer(&at->peer, peer))
			weight += request_weight(at);
	return weight;
}
