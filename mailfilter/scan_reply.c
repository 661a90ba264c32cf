/* SPDX-License-Identifier: ISC
 *
 * What a scanner says, and what it means for the request that it is about. */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

#include "mailfilter/reply.h"
#include "mailfilter/scan_inside.h"

/* The request that this scanner speaks of, or NULL if it has no say in it. */
static struct request *request_of(struct scan *scan, int place, uint64_t id)
{
	struct request *request = requests_find(&scan->requests, id);

	return request && request->sent_to & 1U << place ? request : NULL;
}

/* It has not said yet what it is, in words that are known here: so sounds another release. */
static void not_understood(struct place *at, const struct err *err)
{
	(void)snprintf(at->refusal, sizeof(at->refusal), "%.200s", err->text);
	if (scan_may_tell(at, SCAN_TOLD_HOSTILE))
		log_warning(
			"scanner %s: not understood (%s): it and this mailfilter seem to be "
			"of different releases",
			at->scanner.endpoint, err->text);
}

/* The request that it is about is not sent again: it may well be the message that makes the scanner
 * say such things. */
void scan_hostile(struct scan *scan, int place, uint64_t id, const struct err *err)
{
	struct place *at = &scan->places[place];
	struct request *request = request_of(scan, place, id);

	if (!at->scanner.there) {
		not_understood(at, err);
		return;
	}
	if (scan_may_tell(at, SCAN_TOLD_HOSTILE))
		log_warning("scanner %s: a reply that cannot be used: %s",
			at->scanner.endpoint, err->text);
	if (request && request->at == place)
		scan_give(scan, request, VERDICT_RETRY, REASON_NONE,
			"the reply of scanner %s cannot be used: %s",
			at->scanner.endpoint, err->text);
}

static void take_verdict(struct scan *scan, int place, struct wire_message *message)
{
	const struct wire_state *state = &scan->places[place].scanner.state;
	struct request *request = request_of(scan, place, message->id);
	struct err err = { 0 };

	if (!request)
		return; /* late or twice: the first one counted */
	if (reply_check(request->asked.message, &message->verdict, &err) < 0) {
		if (err.kind == ERR_MESSAGE)
			scan_hostile(scan, place, message->id, &err);
		else
			scan_unread(scan, request, &err);
		return;
	}
	if (message->verdict.generation == state->generation)
		message->verdict.signatures = state->digest;
	if (message->verdict.kind != VERDICT_RETRY)
		scan_is_able(&scan->places[place]);
	else if (request->at != place || scan_again(scan, place, request))
		return;
	if (request->at != place)
		scan_tell_cancel(scan, request);
	scan_answer(scan, request, &message->verdict);
}

static void take_refusal(struct scan *scan, int place, const struct wire_message *message)
{
	struct place *at = &scan->places[place];
	struct request *request = request_of(scan, place, message->id);

	if (!request || request->at != place) {
		if (message->id == 0 && !at->scanner.there)
			memcpy(at->refusal, message->text, sizeof(at->refusal));
		return;
	}
	switch (message->refusal) {
	case WIRE_BUSY:
		request_not_taken(request);
		at->busy_until_ms = clock_ms() + SCAN_BUSY_MS;
		break;
	case WIRE_TOO_LARGE:
		scan_give(scan, request, VERDICT_UNSCANNABLE, REASON_LIMIT,
			"too large for scanner %s: %s", at->scanner.endpoint,
			message->text);
		break;
	case WIRE_UNKNOWN:
		request_waits(request, clock_ms());
		break;
	case WIRE_PROTOCOL:
		scan_give(scan, request, VERDICT_RETRY, REASON_NONE,
			"scanner %s does not understand the request: %s",
			at->scanner.endpoint, message->text);
		break;
	}
}

void scan_take(struct scan *scan, int place, struct wire_message *message)
{
	struct request *request;

	if (message->type == WIRE_VERDICT) {
		take_verdict(scan, place, message);
	} else if (message->type == WIRE_REFUSE) {
		take_refusal(scan, place, message);
	} else {
		request = request_of(scan, place, message->id);
		if (request && request->at == place && message->offset > request->credit)
			request->credit = message->offset;
	}
	wire_message_done(message);
}
