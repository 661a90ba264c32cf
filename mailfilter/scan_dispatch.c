/* SPDX-License-Identifier: ISC
 *
 * Which request goes to which scanner, and when one has taken too long. */
#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"

#include "mailfilter/scan_inside.h"

static bool takes(const struct place *place)
{
	return scanner_ready(&place->scanner) && clock_ms() >= place->busy_until_ms;
}

bool scan_has_room(const struct scan *scan, int place)
{
	const struct place *at = &scan->places[place];
	size_t jobs = at->scanner.state.jobs;

	if (jobs > SCAN_JOBS_MAX)
		jobs = SCAN_JOBS_MAX;
	return takes(at) && at->load < jobs && !at->suspect && place != scan->reserved;
}

/* Could this scanner have it at all, now or later? */
static bool suits(const struct scan *scan, int place, const struct request *request)
{
	const struct scanner *scanner = &scan->places[place].scanner;

	return scanner->there &&
	       request->asked.message.len <= scanner->state.message_max &&
	       !(request->failed_at & 1U << place);
}

/* The scanner with the least to do that may have the request now, or REQUEST_NOWHERE. */
static int choose(const struct scan *scan, const struct request *request)
{
	bool suspect = request_suspect(request);
	int best = REQUEST_NOWHERE;

	for (int i = 0; i < scan->place_count; i++) {
		const struct place *place = &scan->places[i];

		if (!suits(scan, i, request))
			continue;
		if (suspect ? !takes(place) || place->load > 0 : !scan_has_room(scan, i))
			continue;
		if (best == REQUEST_NOWHERE || place->load < scan->places[best].load)
			best = i;
	}
	return best;
}

/* While a suspect waits, the scanner that is soonest empty takes nothing else, or it would wait
 * for ever. */
static void reserve(struct scan *scan)
{
	const struct request *suspect = NULL;

	scan->reserved = REQUEST_NOWHERE;
	for (size_t i = 0; i < scan->requests.count && !suspect; i++)
		if (scan->requests.list[i].at == REQUEST_NOWHERE &&
			request_suspect(&scan->requests.list[i]))
			suspect = &scan->requests.list[i];
	for (int i = 0; i < scan->place_count && suspect; i++)
		if (suits(scan, i, suspect) && scanner_ready(&scan->places[i].scanner) &&
			(scan->reserved == REQUEST_NOWHERE ||
				scan->places[i].load < scan->places[scan->reserved].load))
			scan->reserved = i;
}

/* The request with its first bytes. */
static void send_first(struct scan *scan, struct request *request, int place)
{
	struct wire_message message = { .type = WIRE_REQUEST,
		.id = request->id,
		.request.size = request->asked.message.len,
		.data = span_part(request->asked.message, 0, WIRE_CHUNK_MAX) };

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

void scan_place_waiting(struct scan *scan)
{
	reserve(scan);
	for (size_t i = 0; i < scan->requests.count; i++) {
		struct request *request = &scan->requests.list[i];
		int place;

		if (request->at != REQUEST_NOWHERE)
			continue;
		place = choose(scan, request);
		/* Full or gone: it waits on, and the next step knows more. */
		if (place != REQUEST_NOWHERE)
			send_first(scan, request, place);
	}
}

/* More bytes, as far as there is credit and room. */
static void send_on(struct scan *scan, struct request *request)
{
	uint64_t size = request->asked.message.len;
	struct wire_message message = { .type = WIRE_CHUNK, .id = request->id };

	while (request->sent < request->credit && request->sent < size) {
		uint64_t len = request->credit - request->sent;

		message.offset = request->sent;
		message.data = span_part(request->asked.message, request->sent,
			len < WIRE_CHUNK_MAX ? len : WIRE_CHUNK_MAX);
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
			request->asked.message.len <= scanner->state.message_max)
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

void scan_dispatch(struct scan *scan)
{
	char hopeless[VERDICT_DETAIL_MAX];
	size_t i = 0;

	(void)scan_hopeless(scan, hopeless, sizeof(hopeless));
	while (i < scan->requests.count) {
		struct request *request = &scan->requests.list[i];
		bool gone = request->at == REQUEST_NOWHERE
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

	for (size_t i = 0; i < scan->requests.count; i++)
		sooner(&due, scan->requests.list[i].since_ms +
				     scan->settings->scan_timeout_ms);
	/* Its owner may be waiting for scan_ready, too. */
	for (int i = 0; i < scan->place_count; i++)
		if (scan->places[i].busy_until_ms > clock_ms())
			sooner(&due, scan->places[i].busy_until_ms);
	return due;
}
