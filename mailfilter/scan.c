/* SPDX-License-Identifier: ISC */
#include "mailfilter/scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

#include "mailfilter/scan_inside.h"

/* A process of its own reads the secret key: it is not in the settings that all of them have. */
static int open_places(
	struct scan *scan, const struct settings *settings, struct err *err)
{
	for (size_t i = 0; i < settings->scanners.count; i++) {
		struct place *place = &scan->places[i];

		if (scanner_address_parse(
			    settings->scanners.items[i], &place->address, err) < 0)
			return -1;
		if (scanner_address_has_key(&place->address) &&
			scan->secret.text[0] == '\0' &&
			key_read_secret(settings->curve_key, &scan->secret, err) < 0)
			return -1;
		if (scanner_open(&place->scanner, &place->address, &scan->secret,
			    settings->scan_timeout_ms, err) < 0)
			return -1;
		scan->place_count++;
	}
	return 0;
}

int scan_open(const struct settings *settings, struct scan **scan_r, struct err *err)
{
	struct scan *scan;

	if (settings->scanners.count == 0 || settings->scanners.count > SCAN_SCANNERS_MAX)
		return err_set(err, ERR_SETTINGS, "scanners: expected 1 to %d of them",
			SCAN_SCANNERS_MAX);
	scan = calloc(1, sizeof(*scan));
	if (!scan)
		return err_memory(err);
	scan->settings = settings;
	scan->reserved = REQUEST_NOWHERE;
	if (open_places(scan, settings, err) < 0) {
		scan_close(scan);
		return err_wrap(err, "scanners");
	}
	*scan_r = scan;
	return 0;
}

void scan_close(struct scan *scan)
{
	if (!scan)
		return;
	for (int i = 0; i < scan->place_count; i++)
		scanner_close(&scan->places[i].scanner);
	key_done(&scan->secret);
	free(scan);
}

void scan_count(struct scan *scan)
{
	for (int i = 0; i < scan->place_count; i++) {
		scan->places[i].load = 0;
		scan->places[i].suspect = false;
	}
	for (size_t i = 0; i < scan->requests.count; i++) {
		const struct request *request = &scan->requests.list[i];

		if (request->at == REQUEST_NOWHERE)
			continue;
		scan->places[request->at].load++;
		if (request_suspect(request))
			scan->places[request->at].suspect = true;
	}
}

bool scan_may_tell(struct place *place, enum scan_told kind)
{
	int64_t now = clock_ms();

	if (place->told_ms[kind] != 0 && now < place->told_ms[kind] + SCAN_LOG_MS)
		return false;
	place->told_ms[kind] = now;
	return true;
}

void scan_answer(struct scan *scan, struct request *request, struct verdict *verdict)
{
	struct scan_request asked = request->asked;

	/* Gone before the call: its owner may do as it likes. */
	requests_remove(&scan->requests, request);
	scan->answers++;
	asked.answer(asked.arg, verdict);
	verdict_done(verdict);
}

void scan_give(struct scan *scan, struct request *request, enum verdict_kind kind,
	enum verdict_reason reason, const char *format, ...)
{
	struct verdict verdict = { .kind = kind, .reason = reason };
	va_list args;

	va_start(args, format);
	(void)vsnprintf(verdict.detail, sizeof(verdict.detail), format, args);
	va_end(args);
	if (kind == VERDICT_UNSCANNABLE &&
		body_hash(request->asked.message, &verdict.message, NULL) < 0)
		verdict.kind = VERDICT_RETRY;
	scan_answer(scan, request, &verdict);
}

void scan_tell_cancel(struct scan *scan, const struct request *request)
{
	struct wire_message message = { .type = WIRE_CANCEL, .id = request->id };

	/* If it does not get there, its verdict comes and is ignored. */
	if (request->at != REQUEST_NOWHERE)
		(void)scanner_say(&scan->places[request->at].scanner, &message, NULL);
}

void scan_unread(struct scan *scan, struct request *request, const struct err *err)
{
	scan_tell_cancel(scan, request);
	scan_give(scan, request, VERDICT_RETRY, REASON_NONE,
		"the message cannot be read here: %s", err->text);
}

/* What was there waits again, and will be sent alone: one of them may have been the cause (see
 * request.h). A scanner that said it would stop was killed by none. */
static void lost(struct scan *scan, int place, const struct err *err)
{
	struct place *at = &scan->places[place];
	bool died = at->scanner.state.state != WIRE_STOPPING;
	size_t count = 0;

	for (size_t i = 0; i < scan->requests.count; i++)
		count += scan->requests.list[i].at == place;
	for (size_t i = 0; i < scan->requests.count; i++) {
		struct request *request = &scan->requests.list[i];

		request->sent_to &= ~(1U << place);
		if (request->at != place)
			continue;
		if (died)
			request_lost(request, count == 1, clock_ms());
		else
			request_waits(request, clock_ms());
	}
	at->acquits = died && count != 1;
	at->unable_ms = 0;
	if (scan_may_tell(at, SCAN_TOLD_LOST))
		log_warning("scanner %s: lost: %s; messages to be sent again: %zu",
			at->scanner.endpoint, err->text, count);
}

/* Only now it is known whether it had died: who is to blame for that, and who is not? */
static void blame(struct scan *scan, int place)
{
	struct place *at = &scan->places[place];
	bool died = at->scanner.state.session != at->scanner.lost_session;
	int64_t pause_max_ms = scan->settings->scan_timeout_ms / SCAN_PAUSES;

	for (size_t i = scan->requests.count; i-- > 0;) {
		struct request *request = &scan->requests.list[i];

		if (died && at->acquits)
			request_acquit(request);
		if (request_found(request, place, died, clock_ms(), pause_max_ms))
			scan_give(scan, request, VERDICT_RETRY, REASON_NONE,
				"the scanner died %d times with this message",
				REQUEST_DEATHS_MAX);
	}
	at->acquits = false;
}

static void found(struct scan *scan, int place)
{
	struct place *at = &scan->places[place];
	const struct wire_state *state = &at->scanner.state;

	at->busy_until_ms = 0;
	at->refusal[0] = '\0';
	blame(scan, place);
	if (state->trouble[0] && scan_may_tell(at, SCAN_TOLD_FOUND))
		log_warning("scanner %s: in trouble: %s", at->scanner.endpoint,
			state->trouble);
	else
		log_debug("scanner %s: there, %s, %s, %" PRIu64 " signatures",
			at->scanner.endpoint,
			state->state == WIRE_READY ? "ready" : "not ready yet",
			state->engine, state->signatures);
}

static void hear(struct scan *scan, int place)
{
	for (int i = 0; i < SCAN_EVENTS_MAX; i++) {
		struct wire_message message = { 0 };
		struct err err = { 0 };

		switch (scanner_next(&scan->places[place].scanner, &message, &err)) {
		case SCANNER_NOTHING:
			return;
		case SCANNER_FOUND:
			found(scan, place);
			break;
		case SCANNER_LOST:
			lost(scan, place, &err);
			/* Started anew behind a connection that stands: it is back already. */
			if (scan->places[place].scanner.there)
				found(scan, place);
			break;
		case SCANNER_MESSAGE:
			scan_take(scan, place, &message);
			break;
		case SCANNER_MALFORMED:
			scan_hostile(scan, place, message.id, &err);
			break;
		}
	}
}

int scan_step(struct scan *scan)
{
	scan->answers = 0;
	for (int i = 0; i < scan->place_count; i++)
		hear(scan, i);
	scan_look(scan);
	scan_dispatch(scan);
	return scan->answers;
}

int scan_wait(struct scan *scan, struct pollfd *fds, size_t count, int timeout_ms,
	struct err *err)
{
	int64_t due = scan_dispatch_due(scan);
	struct link *links[SCAN_SCANNERS_MAX];
	size_t link_count = 0;

	for (int i = 0; i < scan->place_count; i++) {
		int64_t scanner_at = scanner_due(&scan->places[i].scanner);

		if (due < 0 || scanner_at < due)
			due = scanner_at;
		if (scan->places[i].scanner.link)
			links[link_count++] = scan->places[i].scanner.link;
	}
	if (timeout_ms < 0 || clock_left(due) < timeout_ms)
		timeout_ms = clock_left(due);
	if (link_wait(links, link_count, NULL, fds, count, timeout_ms, err) < 0)
		return -1;
	(void)scan_step(scan);
	return 0;
}

bool scan_ready(const struct scan *scan)
{
	for (int i = 0; i < scan->place_count; i++)
		if (scan_has_room(scan, i))
			return scan->requests.count < REQUESTS_MAX;
	return false;
}

int scan_send(struct scan *scan, const struct scan_request *request, uint64_t *id_r,
	struct err *err)
{
	if (!scan_ready(scan))
		return err_set(err, ERR_AGAIN, "no scanner takes a request now");
	(void)requests_add(&scan->requests, request, ++scan->last_id, clock_ms());
	*id_r = scan->last_id;
	scan_place_waiting(scan);
	return 0;
}

void scan_cancel(struct scan *scan, uint64_t id)
{
	struct request *request = requests_find(&scan->requests, id);

	if (!request)
		return;
	scan_tell_cancel(scan, request);
	requests_remove(&scan->requests, request);
	scan_count(scan);
}

size_t scan_outstanding(const struct scan *scan)
{
	return scan->requests.count;
}

const char *scan_scanner(
	const struct scan *scan, size_t i, bool *alive_r, struct wire_state *state_r)
{
	const struct scanner *scanner;

	if (i >= (size_t)scan->place_count)
		return NULL;
	scanner = &scan->places[i].scanner;
	*alive_r = scanner->heard && scanner->there;
	*state_r = scanner->heard ? scanner->state : (struct wire_state){ 0 };
	return scanner->endpoint;
}
