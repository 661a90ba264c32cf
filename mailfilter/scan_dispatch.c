/* SPDX-License-Identifier: ISC
 *
 * Which request goes to which scanner, and when one has taken too long. */
#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"

#include "mailfilter/scan_inside.h"

/* Could this scanner have it at all, now or later? */
static bool suits(const struct scan *scan, int place, const struct request *request)
{
	const struct scanner *scanner = &scan->places[place].scanner;

	return scanner->there &&
	       request->asked.message->size <= scanner->state.message_max &&
	       !(request->failed_at & 1U << place);
}

/* It cannot scan just now, as far as we know. */
static bool unable(const struct place *place)
{
	return place->unable_ms != 0 &&
	       clock_ms() < place->unable_last_ms + SCAN_UNABLE_GAP_MS;
}

/* One message at a time asks an unable scanner whether it is able again, until it is given up. */
static bool rests(const struct scan *scan, const struct place *place)
{
	int64_t now = clock_ms();

	return unable(place) &&
	       now < place->unable_ms + scan->settings->scanner_wait_ms &&
	       (place->load > 0 || now < place->unable_last_ms + REQUEST_AGAIN_MS);
}

static bool takes(const struct scan *scan, const struct place *place)
{
	return scanner_ready(&place->scanner) && clock_ms() >= place->busy_until_ms &&
	       !rests(scan, place);
}

/* Is this one unable, and another is not? Then that one gets all, also if it must be waited for.
 * request: that it must suit, or NULL. */
static bool passed_over(const struct scan *scan, int place, const struct request *request)
{
	if (!unable(&scan->places[place]))
		return false;
	for (int i = 0; i < scan->place_count; i++)
		if (scanner_ready(&scan->places[i].scanner) &&
			!unable(&scan->places[i]) &&
			(!request || suits(scan, i, request)))
			return true;
	return false;
}

bool scan_has_room(const struct scan *scan, int place)
{
	const struct place *at = &scan->places[place];
	size_t jobs = at->scanner.state.jobs;

	if (jobs > SCAN_JOBS_MAX)
		jobs = SCAN_JOBS_MAX;
	return takes(scan, at) && at->load < jobs && !at->suspect &&
	       place != scan->reserved && !passed_over(scan, place, NULL);
}

static bool may_have(const struct scan *scan, int place, const struct request *request)
{
	const struct place *at = &scan->places[place];

	if (!suits(scan, place, request) || passed_over(scan, place, request))
		return false;
	return request_suspect(request) ? takes(scan, at) && at->load == 0
					: scan_has_room(scan, place);
}

/* The scanner with the least to do that may have the request now, or REQUEST_NOWHERE. */
static int choose(const struct scan *scan, const struct request *request)
{
	int best = REQUEST_NOWHERE;

	if (clock_ms() < request->not_before_ms)
		return REQUEST_NOWHERE;
	for (int i = 0; i < scan->place_count; i++)
		if (may_have(scan, i, request) &&
			(best == REQUEST_NOWHERE ||
				scan->places[i].load < scan->places[best].load))
			best = i;
	return best;
}

/* What was lost more than once, a large message above all, lets others go first for a while. */
static bool yields(const struct request *request)
{
	return request->losses > 1 && clock_ms() < request->waiting_ms + SCAN_YIELD_MS;
}

/* While a suspect waits, the scanner that is soonest empty takes nothing else, or it would wait
 * for ever. */
static void reserve(struct scan *scan)
{
	const struct request *suspect = NULL;

	scan->reserved = REQUEST_NOWHERE;
	for (size_t i = 0; i < scan->requests.count && !suspect; i++)
		if (scan->requests.list[i].at == REQUEST_NOWHERE &&
			clock_ms() >= scan->requests.list[i].not_before_ms &&
			!yields(&scan->requests.list[i]) &&
			request_suspect(&scan->requests.list[i]))
			suspect = &scan->requests.list[i];
	for (int i = 0; i < scan->place_count && suspect; i++)
		if (suits(scan, i, suspect) && scanner_ready(&scan->places[i].scanner) &&
			!passed_over(scan, i, suspect) &&
			(scan->reserved == REQUEST_NOWHERE ||
				scan->places[i].load < scan->places[scan->reserved].load))
			scan->reserved = i;
}

/* The request with its first bytes. */
static void send_first(struct scan *scan, struct request *request, int place)
{
	auto_body_view struct body_view view = { .body = request->asked.message };
	struct wire_message message = { .type = WIRE_REQUEST,
		.id = request->id,
		.request.size = request->asked.message->size };

	if (body_view_at(&view, 0, &message.data, NULL) < 0) {
		request->unread = true;
		return;
	}
	message.data = span_part(message.data, 0, WIRE_CHUNK_MAX);
	(void)snprintf(message.request.quarantine_id,
		sizeof(message.request.quarantine_id), "%s",
		request->asked.quarantine_id);
	if (request->asked.allow)
		message.request.allow = *request->asked.allow;
	if (scanner_say(&scan->places[place].scanner, &message, NULL) < 0)
		return;
	request_sent(request, place, message.data.len, clock_ms());
	scan->places[place].load++;
	scan->places[place].suspect = request_suspect(request);
}

void scan_is_able(struct place *place)
{
	place->able_ms = clock_ms();
	place->unable_ms = 0;
}

bool scan_again(struct scan *scan, int place, struct request *request)
{
	struct place *at = &scan->places[place];
	int64_t now = clock_ms(), wait_ms = scan->settings->scanner_wait_ms;

	/* What it has no verdict on beside others that it has may be that message. */
	if (now >= at->able_ms + SCAN_ABLE_MS) {
		at->unable_ms = unable(at) ? at->unable_ms : now;
		at->unable_last_ms = now;
	}
	if (passed_over(scan, place, request)) {
		request_waits(request, now);
		return true;
	}
	/* The first ones waited for all. */
	return (!unable(at) || now < at->unable_ms + wait_ms) &&
	       request_again(request, now, wait_ms);
}

static void place_waiting(struct scan *scan, bool yielding)
{
	for (size_t i = 0; i < scan->requests.count; i++) {
		struct request *request = &scan->requests.list[i];
		int place;

		if (request->at != REQUEST_NOWHERE || yields(request) != yielding)
			continue;
		place = choose(scan, request);
		/* Full or gone: it waits on, and the next step knows more. */
		if (place != REQUEST_NOWHERE)
			send_first(scan, request, place);
	}
}

void scan_place_waiting(struct scan *scan)
{
	reserve(scan);
	place_waiting(scan, false);
	place_waiting(scan, true);
}

/* More bytes, as far as there is credit and room. */
static void send_on(struct scan *scan, struct request *request)
{
	auto_body_view struct body_view view = { .body = request->asked.message };
	uint64_t size = request->asked.message->size;
	struct wire_message message = { .type = WIRE_CHUNK, .id = request->id };

	while (request->sent < request->credit && request->sent < size) {
		uint64_t len = request->credit - request->sent;

		message.offset = request->sent;
		if (body_view_at(&view, request->sent, &message.data, NULL) < 0) {
			request->unread = true;
			return;
		}
		message.data = span_part(
			message.data, 0, len < WIRE_CHUNK_MAX ? len : WIRE_CHUNK_MAX);
		if (scanner_say(&scan->places[request->at].scanner, &message, NULL) < 0)
			return;
		request->sent += message.data.len;
	}
}

static bool elsewhere(const struct scan *scan, const struct request *request)
{
	for (int i = 0; i < scan->place_count; i++)
		if (suits(scan, i, request))
			return true;
	return false;
}

/* Do scanners take requests, but none one of this size? */
static bool too_large(const struct scan *scan, const struct request *request)
{
	bool ready = false;

	for (int i = 0; i < scan->place_count; i++) {
		const struct scanner *scanner = &scan->places[i].scanner;

		if (scanner->there &&
			request->asked.message->size <= scanner->state.message_max)
			return false;
		ready = ready || scanner_ready(scanner);
	}
	return ready;
}

/* One that is at a scanner. True: it was answered and is gone. */
static bool check_sent(struct scan *scan, struct request *request)
{
	int64_t timeout_ms = scan->settings->scan_timeout_ms;
	const char *endpoint = scan->places[request->at].scanner.endpoint;

	if (clock_ms() < request->since_ms + timeout_ms)
		return false;
	scan_tell_cancel(scan, request);
	request->failed_at |= 1U << request->at;
	if (elsewhere(scan, request)) {
		request_waits(request, clock_ms());
		return false;
	}
	scan_give(scan, request, VERDICT_RETRY, REASON_NONE,
		"no answer from scanner %s in %" PRId64 " s", endpoint,
		timeout_ms / 1000);
	return true;
}

static bool check_waiting(
	struct scan *scan, struct request *request, const char *hopeless)
{
	int64_t timeout_ms = scan->settings->scan_timeout_ms;

	if (hopeless[0])
		scan_give(scan, request, VERDICT_RETRY, REASON_NONE, "%s", hopeless);
	else if (too_large(scan, request))
		scan_give(scan, request, VERDICT_UNSCANNABLE, REASON_LIMIT,
			"larger than any scanner takes");
	else if (request->sends >= REQUEST_SENDS_MAX)
		scan_give(scan, request, VERDICT_RETRY, REASON_NONE,
			"sent to scanners %u times without an answer", request->sends);
	else if (clock_ms() >= request->since_ms + timeout_ms)
		scan_give(scan, request, VERDICT_RETRY, REASON_NONE,
			"no scanner had room for it in %" PRId64 " s", timeout_ms / 1000);
	else
		return false;
	return true;
}

/* A disk that has errors, say. True: it was answered and is gone; what can be read by now goes on. */
static bool check_unread(struct scan *scan, struct request *request)
{
	auto_body_view struct body_view view = { .body = request->asked.message };
	const uint64_t at = request->at == REQUEST_NOWHERE ? 0 : request->sent;
	struct err err = { 0 };
	struct span bytes;

	request->unread = false;
	if (body_view_at(&view, at, &bytes, &err) == 0)
		return false;
	scan_unread(scan, request, &err);
	return true;
}

void scan_dispatch(struct scan *scan)
{
	char hopeless[VERDICT_DETAIL_MAX];
	size_t i = 0;

	(void)scan_hopeless(scan, hopeless, sizeof(hopeless));
	while (i < scan->requests.count) {
		struct request *request = &scan->requests.list[i];
		bool gone = request->unread && check_unread(scan, request);

		if (!gone)
			gone = request->at == REQUEST_NOWHERE
				       ? check_waiting(scan, request, hopeless)
				       : check_sent(scan, request);
		i += gone ? 0 : 1;
	}
	scan_count(scan);
	scan_place_waiting(scan);
	for (i = 0; i < scan->requests.count; i++)
		if (scan->requests.list[i].at != REQUEST_NOWHERE)
			send_on(scan, &scan->requests.list[i]);
}

static void sooner(int64_t *due, int64_t when)
{
	if (*due < 0 || when < *due)
		*due = when;
}

int64_t scan_dispatch_due(const struct scan *scan)
{
	int64_t due = scan_hope_due(scan);

	for (size_t i = 0; i < scan->requests.count; i++) {
		const struct request *request = &scan->requests.list[i];

		sooner(&due, request->unread ? clock_ms()
					     : request->since_ms +
						       scan->settings->scan_timeout_ms);
		if (request->not_before_ms > clock_ms())
			sooner(&due, request->not_before_ms);
		if (yields(request))
			sooner(&due, request->waiting_ms + SCAN_YIELD_MS);
	}
	/* Its owner may be waiting for scan_ready, too. */
	for (int i = 0; i < scan->place_count; i++) {
		const struct place *place = &scan->places[i];

		if (place->busy_until_ms > clock_ms())
			sooner(&due, place->busy_until_ms);
		if (rests(scan, place) && place->load == 0)
			sooner(&due, place->unable_last_ms + REQUEST_AGAIN_MS);
	}
	return due;
}
