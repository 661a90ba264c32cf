/* SPDX-License-Identifier: ISC
 *
 * A scanner for tests, in the same thread: it takes requests under credit, remembers them, and
 * says what the test tells it to say. It checks what a client may do as it goes. */
#ifndef TESTS_MAILFILTER_FAKE_SCANNER_H
#define TESTS_MAILFILTER_FAKE_SCANNER_H

#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "common/link.h"
#include "common/wire.h"

enum {
	FAKE_REQUESTS_MAX = 64,
	FAKE_BYTES_MAX = 16 * 1024 * 1024,
	FAKE_CREDIT = 512 * 1024,
	FAKE_DIGEST = 0xd1, /* its first byte, of the signatures */
};

/* One REQUEST as it came; the same id twice are two. */
struct fake_request {
	struct link_peer peer;
	uint64_t id, size, credit;
	char quarantine_id[WIRE_TEXT_MAX];
	size_t sums, signatures; /* that are allowed */
	struct buf bytes;
	bool answered, cancelled;
};

struct fake {
	struct link *link;
	struct wire_state state;
	struct link_peer peer; /* who spoke last */
	bool mute;             /* does not answer HELLO and PING */
	bool clean;            /* answers every request at once */
	struct fake_request list[FAKE_REQUESTS_MAX];
	size_t count;
	size_t most; /* requests open at one time, ever */
	unsigned hellos, pings, cancels;
};

static inline void fake_open(struct fake *fake, const char *endpoint, uint64_t session)
{
	struct err err = { 0 };

	memset(fake, 0, sizeof(*fake));
	fake->state = (struct wire_state){ .state = WIRE_READY,
		.session = session,
		.generation = 1,
		.digest = { { FAKE_DIGEST } },
		.message_max = FAKE_BYTES_MAX,
		.signatures = 4,
		.jobs = 4,
		.workers = 2,
		.engine = "fake" };
	assert_int_equal(link_bind(&endpoint, 1, WIRE_HEAD_MAX, &fake->link, &err), 0);
}

/* Accepts a closed one. */
static inline void fake_close(struct fake *fake)
{
	link_close(fake->link);
	fake->link = NULL;
	for (size_t i = 0; i < fake->count; i++)
		buf_done(&fake->list[i].bytes);
	fake->count = 0;
}

static inline void fake_say(struct fake *fake, const struct wire_message *message)
{
	auto_buf struct buf head = { .max = WIRE_HEAD_MAX };
	struct err err = { 0 };

	assert_int_equal(wire_encode(message, &head, &err), 0);
	assert_int_equal(link_send(fake->link, &fake->peer, buf_span(&head), false,
				 (struct span){ NULL, 0 }, &err),
		0);
}

/* Bytes that are no message of ours. */
static inline void fake_say_bytes(struct fake *fake, const void *bytes, size_t len)
{
	struct err err = { 0 };

	assert_int_equal(link_send(fake->link, &fake->peer, (struct span){ bytes, len },
				 false, (struct span){ NULL, 0 }, &err),
		0);
}

static inline void fake_say_state(struct fake *fake)
{
	fake_say(
		fake, &(struct wire_message){ .type = WIRE_STATE, .state = fake->state });
}

static inline void fake_refuse(
	struct fake *fake, uint64_t id, enum wire_refusal refusal, const char *text)
{
	struct wire_message message = {
		.type = WIRE_REFUSE, .id = id, .refusal = refusal
	};

	(void)snprintf(message.text, sizeof(message.text), "%s", text);
	for (size_t i = 0; i < fake->count; i++)
		if (fake->list[i].id == id)
			fake->list[i].answered = true;
	fake_say(fake, &message);
}

/* A verdict for an id; the verdict is released. */
static inline void fake_verdict(struct fake *fake, uint64_t id, struct verdict *verdict)
{
	struct wire_message message = { .type = WIRE_VERDICT, .id = id };

	message.verdict = *verdict;
	for (size_t i = 0; i < fake->count; i++)
		if (fake->list[i].id == id)
			fake->list[i].answered = true;
	fake_say(fake, &message);
	wire_message_done(&message);
	memset(verdict, 0, sizeof(*verdict));
}

/* The truthful start of a verdict on what came. */
static inline struct verdict fake_verdict_of(
	const struct fake_request *request, enum verdict_kind kind)
{
	struct verdict verdict = { .kind = kind, .generation = 1, .milliseconds = 2 };
	struct err err;

	assert_int_equal(hash_span(buf_span(&request->bytes), &verdict.message, &err), 0);
	return verdict;
}

/* The last REQUEST of an id, or NULL. */
static inline struct fake_request *fake_find(struct fake *fake, uint64_t id)
{
	for (size_t i = fake->count; i-- > 0;)
		if (fake->list[i].id == id)
			return &fake->list[i];
	return NULL;
}

/* Is there a request of this id without an answer? */
static inline bool fake_waits(struct fake *fake, uint64_t id)
{
	const struct fake_request *request = fake_find(fake, id);

	return request && !request->answered;
}

/* What came is clean. */
static inline void fake_clean(struct fake *fake, uint64_t id)
{
	const struct fake_request *request = fake_find(fake, id);
	struct verdict verdict = { 0 };

	if (!request)
		fail_msg("no such request at the fake scanner");
	else
		verdict = fake_verdict_of(request, VERDICT_CLEAN);
	fake_verdict(fake, id, &verdict);
}

static inline bool fake_whole(const struct fake_request *request)
{
	return request->bytes.len == request->size;
}

static inline size_t fake_open_requests(const struct fake *fake)
{
	size_t count = 0;

	for (size_t i = 0; i < fake->count; i++)
		count += !fake->list[i].answered && !fake->list[i].cancelled;
	return count;
}

static inline void fake_take_bytes(
	struct fake *fake, struct fake_request *request, struct span data)
{
	struct wire_message credit = { .type = WIRE_CREDIT, .id = request->id };
	struct err err = { 0 };

	assert_int_equal(buf_add(&request->bytes, data.data, data.len, &err), 0);
	assert_true(request->bytes.len <= request->credit);
	if (fake_whole(request)) {
		if (fake->clean)
			fake_clean(fake, request->id);
	} else if (request->bytes.len == request->credit) {
		request->credit += FAKE_CREDIT;
		credit.offset = request->credit; /* may pass the size */
		fake_say(fake, &credit);
	}
}

static inline void fake_take(struct fake *fake, const struct wire_message *message)
{
	struct fake_request *request = fake_find(fake, message->id);

	if (message->type == WIRE_HELLO || message->type == WIRE_PING) {
		*(message->type == WIRE_HELLO ? &fake->hellos : &fake->pings) += 1;
		if (!fake->mute)
			fake_say_state(fake);
	} else if (message->type == WIRE_CANCEL) {
		fake->cancels++;
		if (request)
			request->cancelled = true;
	} else if (message->type == WIRE_CHUNK) {
		assert_non_null(request);
		assert_int_equal(message->offset, request->bytes.len);
		fake_take_bytes(fake, request, message->data);
	} else {
		assert_int_equal(message->type, WIRE_REQUEST);
		assert_true(fake->count < FAKE_REQUESTS_MAX);
		assert_true(message->request.size <= fake->state.message_max);
		request = &fake->list[fake->count++];
		*request = (struct fake_request){ .peer = fake->peer,
			.id = message->id,
			.size = message->request.size,
			.sums = message->request.allow.hash_count,
			.signatures = message->request.allow.name_count,
			.credit = WIRE_CHUNK_MAX };
		memcpy(request->quarantine_id, message->request.quarantine_id,
			sizeof(request->quarantine_id));
		buf_init(&request->bytes, FAKE_BYTES_MAX);
		if (fake_open_requests(fake) > fake->most)
			fake->most = fake_open_requests(fake);
		assert_true(fake->most <= fake->state.jobs);
		fake_take_bytes(fake, request, message->data);
	}
}

/* Take all that has come. */
static inline void fake_turn(struct fake *fake)
{
	struct link_message received;
	struct wire_message message;
	struct err err = { 0 };

	while (fake->link && link_receive(fake->link, &received, &err) == 1) {
		fake->peer = received.peer;
		assert_int_equal(wire_decode(received.frames, received.frame_count,
					 &message, &err),
			0);
		fake_take(fake, &message);
		wire_message_done(&message);
	}
}

#endif
