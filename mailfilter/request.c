/* SPDX-License-Identifier: ISC */
#include "mailfilter/request.h"

#include <string.h>

struct request *requests_add(struct requests *requests, const struct scan_request *asked,
	uint64_t id, int64_t now_ms)
{
	struct request *request;

	if (requests->count == REQUESTS_MAX)
		return NULL;
	request = &requests->list[requests->count++];
	*request = (struct request){ .asked = *asked,
		.id = id,
		.at = REQUEST_NOWHERE,
		.since_ms = now_ms,
		.waiting_ms = now_ms,
		.blamed = REQUEST_NOWHERE };
	return request;
}

struct request *requests_find(struct requests *requests, uint64_t id)
{
	for (size_t i = 0; i < requests->count; i++)
		if (requests->list[i].id == id)
			return &requests->list[i];
	return NULL;
}

void requests_remove(struct requests *requests, struct request *request)
{
	size_t behind = requests->count - 1 - (size_t)(request - requests->list);

	memmove(request, request + 1, behind * sizeof(*request));
	requests->count--;
}

bool request_suspect(const struct request *request)
{
	return request->deaths > 0;
}

void request_sent(struct request *request, int scanner, uint64_t sent, int64_t now_ms)
{
	request->at = scanner;
	request->sent_to |= 1U << scanner;
	request->sent = request->credit = sent;
	request->since_ms = now_ms;
	request->sends++;
}

void request_waits(struct request *request, int64_t now_ms)
{
	request->at = REQUEST_NOWHERE;
	request->since_ms = request->waiting_ms = now_ms;
}

void request_not_taken(struct request *request)
{
	request->sent_to &= ~(1U << request->at);
	request->at = REQUEST_NOWHERE;
	request->since_ms = request->waiting_ms;
	request->sends--;
}
