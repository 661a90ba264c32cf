/* SPDX-License-Identifier: ISC */
#include "scanner/queue.h"

#include <string.h>

void queue_done(struct queue *queue)
{
	while (queue->first)
		queue_remove(queue, queue->first);
}

void queue_add(struct queue *queue, struct request *request)
{
	struct request **last = &queue->first;

	while (*last)
		last = &(*last)->next;
	request->next = NULL;
	*last = request;
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
