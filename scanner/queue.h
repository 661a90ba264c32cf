/* SPDX-License-Identifier: ISC
 *
 * All requests that are here, in the order in which they are to be worked on: clients take turns, and
 * those of one client go as they came. So whoever sends a thousand holds nobody up by more than
 * one. Owns them. */
#ifndef SCANNER_QUEUE_H
#define SCANNER_QUEUE_H

#include "scanner/request.h"

struct queue {
	struct request *first;
	size_t count;
};

void queue_done(struct queue *queue);

/* Behind the last of its client, but before those whose turn comes later; taken over. */
void queue_add(struct queue *queue, struct request *request);

/* Take one out and free it. */
void queue_remove(struct queue *queue, struct request *request);

/* Nobody wants it any more: removed, or, while a worker has it, when that is over. */
void queue_drop(struct queue *queue, struct request *request);

bool queue_same_peer(const struct link_peer *left, const struct link_peer *right);

/* The one of this client with this id that is still wanted, or NULL. */
struct request *queue_find(
	const struct queue *queue, const struct link_peer *peer, uint64_t id);

/* The first that waits for a worker, behind after (NULL: from the start), or NULL. */
struct request *queue_waiting(const struct queue *queue, const struct request *after);

/* Is one in work that nothing else may be in work beside? */
bool queue_is_occupied(const struct queue *queue);

size_t queue_count(const struct queue *queue, enum request_stage stage);
size_t queue_count_of(const struct queue *queue, const struct link_peer *peer);

/* Bytes, as request_weight: of all, and of one client's. */
uint64_t queue_weight(const struct queue *queue);
uint64_t queue_weight_of(const struct queue *queue, const struct link_peer *peer);

#endif
