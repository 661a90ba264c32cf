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
		.waiting_ms = now_ms };
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
	return request->losses > 0 || request->blamed != 0;
}

void request_lost(struct request *request, bool alone, int64_t now_ms)
{
	uint32_t bit = 1U << request->at;

	request->blamed |= bit;
	request->alone = alone ? request->alone | bit : request->alone & ~bit;
	request_waits(request, now_ms);
}

static int64_t doubled(int64_t ms, unsigned times, int64_t max)
{
	for (unsigned i = 0; i < times && ms < max; i++)
		ms *= 2;
	return ms < max ? ms : max;
}

bool request_found(struct request *request, int scanner, bool died, int64_t now_ms,
	int64_t pause_max_ms)
{
	uint32_t bit = 1U << scanner;
	bool counts = died && (request->blamed & request->alone & bit) != 0;

	if (died && (request->blamed & bit) != 0)
		request->losses++;
	request->blamed &= ~bit;
	if (!counts)
		return false;
	if (request->deaths++ > 0)
		request->not_before_ms =
			now_ms +
			doubled(REQUEST_PAUSE_MS, request->deaths - 2, pause_max_ms);
	return request->deaths >= REQUEST_DEATHS_MAX;
}

void request_acquit(struct request *request)
{
	request->deaths = 0;
}

bool request_again(struct request *request, int64_t now_ms, int64_t wait_max_ms)
{
	int64_t pause;

	/* It waited for something else, and what is wrong now is another story. */
	if (request->since_ms > request->not_before_ms + REQUEST_AGAIN_GAP_MS) {
		request->retries = 0;
		request->held_ms = 0;
	}
	pause = doubled(REQUEST_AGAIN_MS, request->retries++, REQUEST_AGAIN_MAX_MS);
	if (request->held_ms >= wait_max_ms)
		return false;
	request->held_ms += pause;
	request_waits(request, now_ms);
	request->not_before_ms = now_ms + pause;
	return true;
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
