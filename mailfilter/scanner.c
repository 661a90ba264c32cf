/* SPDX-License-Identifier: ISC */
#include "mailfilter/scanner.h"

#include <stdio.h>

#include "common/clock.h"

enum {
	STATES_MAX = 16, /* taken in one call of scanner_next */
	PINGS_A_TIMEOUT = 8
};

static int connect_now(struct scanner *scanner, struct err *err)
{
	scanner->opened_ms = clock_ms();
	return link_connect_keys(scanner->endpoint, WIRE_HEAD_MAX,
		scanner->keys.secret ? &scanner->keys : NULL, &scanner->link, err);
}

int scanner_open(struct scanner *scanner, const struct scanner_address *address,
	const struct key *secret, int64_t timeout_ms, struct err *err)
{
	*scanner = (struct scanner){ .endpoint = address->endpoint,
		.ping_ms = SCANNER_PING_MS,
		.silence_ms = SCANNER_SILENCE_MS };
	if (scanner_address_has_key(address))
		scanner->keys = (struct link_keys){ .secret = secret,
			.server = &address->server };
	if (scanner->ping_ms > timeout_ms / PINGS_A_TIMEOUT)
		scanner->ping_ms = timeout_ms / PINGS_A_TIMEOUT;
	if (scanner->silence_ms > timeout_ms / 2)
		scanner->silence_ms = timeout_ms / 2;
	return connect_now(scanner, err);
}

void scanner_close(struct scanner *scanner)
{
	link_close(scanner->link);
	scanner->link = NULL;
	scanner->connection = 0;
	scanner->unheard = 0;
	scanner->there = false;
}

int scanner_say(
	struct scanner *scanner, const struct wire_message *message, struct err *err)
{
	auto_buf struct buf head = { .max = WIRE_HEAD_MAX };
	bool has_data = message->type == WIRE_REQUEST || message->type == WIRE_CHUNK;

	if (!scanner->link)
		return err_set(err, ERR_SESSION, "not connected");
	if (wire_encode(message, &head, err) < 0)
		return -1;
	if (link_send(scanner->link, NULL, buf_span(&head), has_data, message->data,
		    err) < 0)
		return -1;
	scanner->unheard += head.len + message->data.len;
	return 0;
}

bool scanner_ready(const struct scanner *scanner)
{
	return scanner->there && scanner->state.state == WIRE_READY &&
	       scanner->state.jobs > 0;
}

/* When an answer that was asked for does not come any more. */
static int64_t silent_at(const struct scanner *scanner)
{
	uint64_t slow_ms = scanner->unheard / SCANNER_SLOW_RATE;

	if (slow_ms > SCANNER_SLOW_MS)
		slow_ms = SCANNER_SLOW_MS;
	return scanner->asked_ms + scanner->silence_ms + (int64_t)slow_ms;
}

int64_t scanner_due(const struct scanner *scanner)
{
	if (!scanner->link)
		return scanner->opened_ms + SCANNER_REOPEN_MS;
	if (scanner->connection == 0)
		return scanner->opened_ms + scanner->silence_ms;
	if (scanner->asked_ms != 0)
		return silent_at(scanner);
	return scanner->heard_ms + scanner->ping_ms;
}

/* A new link, not ZeroMQ's own reconnect: that one ends for good when the other side broke the
 * protocol. It is made by a later call, so that a hostile scanner sets no pace. */
static enum scanner_event lose(struct scanner *scanner)
{
	bool was_there = scanner->there;

	if (scanner->link)
		scanner->trouble = link_trouble(scanner->link);
	scanner_close(scanner);
	scanner->lost_session = scanner->state.session;
	return was_there ? SCANNER_LOST : SCANNER_NOTHING;
}

/* Ask: HELLO on a new connection, else PING. Either is answered with WIRE_STATE. */
static void ask(struct scanner *scanner, enum wire_type type)
{
	struct wire_message message = { .type = type, .name = "mailfilter" };
	struct err err;

	/* One that does not even take this from us counts as asked: the answer will be missing. */
	if (scanner_say(scanner, &message, &err) < 0 && type == WIRE_HELLO)
		return;
	scanner->asked_ms = clock_ms();
	if (type == WIRE_HELLO) {
		scanner->connection = link_connections(scanner->link);
		scanner->heard_ms = scanner->asked_ms;
	}
}

/* SCANNER_NOTHING: it said nothing that the caller needs to know. */
static enum scanner_event take_state(
	struct scanner *scanner, const struct wire_state *state, struct err *err)
{
	bool anew = scanner->there && scanner->state.session != state->session;
	bool found = !scanner->there;

	if (anew)
		scanner->lost_session = scanner->state.session;
	scanner->state = *state;
	scanner->there = scanner->heard = true;
	scanner->asked_ms = 0;
	scanner->trouble = LINK_FINE;
	if (found)
		return SCANNER_FOUND;
	if (!anew)
		return SCANNER_NOTHING;
	(void)err_set(err, ERR_SESSION, "it was started anew");
	return SCANNER_LOST;
}

/* A sign of life; but only its state greets. */
static void hear(struct scanner *scanner)
{
	scanner->heard_ms = clock_ms();
	scanner->unheard = 0;
	if (scanner->there)
		scanner->asked_ms = 0;
}

static enum scanner_event take(struct scanner *scanner, struct link_message *received,
	struct wire_message *message_r, struct err *err)
{
	enum wire_type type;

	if (wire_decode(received->frames, received->frame_count, message_r, err) < 0) {
		message_r->id = wire_peek_id(received->frames, received->frame_count);
		return SCANNER_MALFORMED;
	}
	type = message_r->type;
	if (type == WIRE_VERDICT || type == WIRE_CREDIT || type == WIRE_REFUSE ||
		type == WIRE_STATE)
		hear(scanner);
	if (type == WIRE_STATE)
		return take_state(scanner, &message_r->state, err);
	if (type == WIRE_VERDICT || type == WIRE_CREDIT || type == WIRE_REFUSE)
		return SCANNER_MESSAGE;
	(void)err_set(err, ERR_MESSAGE, "a scanner spoke as a client does");
	return SCANNER_MALFORMED;
}

/* Is the connection still the one that was greeted? If there is none, begin one. */
static enum scanner_event tend(struct scanner *scanner, struct err *err)
{
	int64_t now = clock_ms();

	if (!scanner->link) {
		if (now >= scanner->opened_ms + SCANNER_REOPEN_MS)
			(void)connect_now(scanner, err);
		return SCANNER_NOTHING;
	}
	if (scanner->connection != 0 &&
		(!link_alive(scanner->link) ||
			link_connections(scanner->link) != scanner->connection)) {
		(void)err_set(err, ERR_SESSION, "the connection ended");
		return lose(scanner);
	}
	if (scanner->connection == 0 && link_trouble(scanner->link) != LINK_FINE)
		scanner->trouble = link_trouble(scanner->link);
	if (scanner->connection == 0 && link_alive(scanner->link))
		ask(scanner, WIRE_HELLO);
	else if (scanner->connection == 0 &&
		 now >= scanner->opened_ms + scanner->silence_ms)
		return lose(scanner); /* something else may have spoken there */
	return SCANNER_NOTHING;
}

static enum scanner_event check_silence(struct scanner *scanner, struct err *err)
{
	int64_t now = clock_ms();

	if (scanner->connection == 0)
		return SCANNER_NOTHING;
	if (scanner->asked_ms != 0 && now >= silent_at(scanner)) {
		(void)err_set(err, ERR_SESSION, "it is connected but does not answer");
		return lose(scanner);
	}
	if (scanner->asked_ms == 0 && now >= scanner->heard_ms + scanner->ping_ms)
		ask(scanner, WIRE_PING);
	return SCANNER_NOTHING;
}

enum scanner_event scanner_next(
	struct scanner *scanner, struct wire_message *message_r, struct err *err)
{
	enum scanner_event event = tend(scanner, err);

	for (int i = 0; i < STATES_MAX && event == SCANNER_NOTHING && scanner->link;
		i++) {
		struct link_message received;
		int rc = link_receive(scanner->link, &received, err);

		if (rc < 0)
			return lose(scanner);
		if (rc == 0)
			return check_silence(scanner, err);
		event = take(scanner, &received, message_r, err);
	}
	return event;
}
