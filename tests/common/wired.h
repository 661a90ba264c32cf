/* SPDX-License-Identifier: ISC
 *
 * One valid message of every type, encoded, decoded, and compared. */
#ifndef TESTS_COMMON_WIRED_H
#define TESTS_COMMON_WIRED_H

#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "common/wire.h"

enum {
	SAMPLES = 11
};

/* The layout of PROTOCOL.md, as offsets in the head frame. */
enum {
	AT_VERSION = 2,
	AT_TYPE = 3,
	AT_ID = 4,
	AT_BODY = 12,
	AT_DETAIL = AT_BODY + 1 + 1 + 8 + 4 + 32 + 32, /* of a verdict */
};

static const char mail[] = "From: a@example.org\r\n\r\nhello\r\n";

static inline void fill_state(struct wire_message *message)
{
	message->state = (struct wire_state){ .state = WIRE_READY,
		.session = 0x0123456789abcdef,
		.generation = 7,
		.message_max = 52428800,
		.signatures = 8700000,
		.dated_s = 1767225600,
		.jobs = 8,
		.workers = 2,
		.busy = 1,
		.queued = 3,
		.lookups = 5000000000,
		.hits = 4000000000,
		.engine = "libclamav 1.4.6",
		.unprotected = "RAR",
		.trouble = "none" };
	message->state.checks = (struct checks){ .count = 2,
		.list = { { "space", 1700000000,
				  { CHECK_CRITICAL, "temp-dir /x: 3 MB are left" } },
			{ "clock", 1800000000, { CHECK_OK, "" } } } };
	message->state.swept = (struct swept){ .on = true,
		.pass = 3,
		.now = { .began_s = 1800000000, .files = 5 },
		.last = { 1700000000, 1700003600, 1, 2, 3, 4, 5, 6, 7 },
		.trouble = "/srv is not swept" };
	memset(message->state.digest.bytes, 0x5a, HASH_SIZE);
	for (size_t i = 0; i < HEALTH_COUNTS; i++)
		message->state.health.counts[i] = i << 40;
	for (uint32_t i = 0; i < HEALTH_CLASSES; i++)
		message->state.health.times[i] =
			(struct health_times){ i, { i + 1, 2, 3 }, { i + 4, 5, 6 } };
}

static inline void fill_infected(struct verdict *verdict)
{
	struct finding finding = { "1.2", "a.zip", "application/zip", 184, "Eicar",
		{ { 3, 4 } } };
	struct finding nameless = { .signature = "Eicar" };
	struct err err;

	verdict->kind = VERDICT_INFECTED;
	verdict->reason = REASON_ENCRYPTED;
	verdict->generation = 7;
	verdict->milliseconds = 35;
	(void)snprintf(verdict->detail, sizeof(verdict->detail), "one part was cut");
	memset(verdict->message.bytes, 1, HASH_SIZE);
	memset(verdict->cleaned.bytes, 2, HASH_SIZE);
	assert_int_equal(verdict_add_finding(verdict, &finding, &err), 0);
	assert_int_equal(verdict_add_finding(verdict, &nameless, &err), 0);
	assert_int_equal(
		edits_add(&verdict->edits, 0, 0, span_str("X-A: b\r\n"), &err), 0);
	assert_int_equal(edits_add(&verdict->edits, 90, 184, span_str(""), &err), 0);
}

static inline void fill_allow(struct allow *allow)
{
	struct hash hash = { { 0x27, 0x5a } };

	assert_int_equal(allow_add_hash(allow, &hash, NULL), 0);
	hash.bytes[31] = 1;
	assert_int_equal(allow_add_hash(allow, &hash, NULL), 0);
	assert_int_equal(allow_add_name(allow, "Win.Worm.X-1", NULL), 0);
}

/* One valid message of every type, and of both verdicts that differ in shape. */
static inline void sample(size_t i, struct wire_message *message)
{
	static const enum wire_type types[SAMPLES] = { WIRE_HELLO, WIRE_PING, WIRE_STATE,
		WIRE_REQUEST, WIRE_REQUEST, WIRE_CHUNK, WIRE_CANCEL, WIRE_CREDIT,
		WIRE_VERDICT, WIRE_VERDICT, WIRE_REFUSE };

	memset(message, 0, sizeof(*message));
	message->type = types[i];
	if (message->type > WIRE_STATE)
		message->id = 0x1122334455667788;
	if (message->type == WIRE_HELLO)
		(void)snprintf(message->name, sizeof(message->name), "mailfilter");
	if (message->type == WIRE_STATE)
		fill_state(message);
	if (message->type == WIRE_REQUEST) {
		message->request.size = i == 3 ? sizeof(mail) - 1 : 0;
		(void)snprintf(message->request.quarantine_id,
			sizeof(message->request.quarantine_id), "20260131-ab");
		if (i == 3)
			message->data = span_str(mail);
		if (i == 3)
			fill_allow(&message->request.allow);
	}
	if (message->type == WIRE_CHUNK) {
		message->offset = WIRE_CHUNK_MAX;
		message->data = span_str(mail);
	}
	if (message->type == WIRE_CREDIT)
		message->offset = 1048576;
	if (i == 8)
		message->verdict.kind = VERDICT_CLEAN;
	if (i == 9)
		fill_infected(&message->verdict);
	if (message->type == WIRE_REFUSE) {
		message->refusal = WIRE_BUSY;
		(void)snprintf(message->text, sizeof(message->text), "the queue is full");
	}
}

static inline void encode(const struct wire_message *message, struct buf *head)
{
	struct err err;

	buf_init(head, WIRE_HEAD_MAX);
	assert_int_equal(wire_encode(message, head, &err), 0);
}

static inline int decode(struct span head, bool has_data, struct span data,
	struct wire_message *message, struct err *err)
{
	struct span frames[2] = { head, data };

	return wire_decode(frames, has_data ? 2 : 1, message, err);
}

static inline bool two_frames(const struct wire_message *message)
{
	return message->type == WIRE_REQUEST || message->type == WIRE_CHUNK;
}

/* Is it zeroed, as a failed decode promises? */
static inline bool zeroed(const struct wire_message *message)
{
	const uint8_t *bytes = (const uint8_t *)message;

	for (size_t i = 0; i < sizeof(*message); i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

static inline void refused(struct span head, bool has_data, struct span data)
{
	struct wire_message message;
	struct err err = { 0 };

	assert_int_equal(decode(head, has_data, data, &message, &err), -1);
	assert_int_equal(err.kind, ERR_MESSAGE);
	assert_true(strlen(err.text) > 0);
	assert_true(zeroed(&message));
}

static inline void put_u32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static inline void same_verdict(const struct verdict *left, const struct verdict *right)
{
	assert_int_equal(left->kind, right->kind);
	assert_int_equal(left->reason, right->reason);
	assert_string_equal(left->detail, right->detail);
	assert_int_equal(left->generation, right->generation);
	assert_int_equal(left->milliseconds, right->milliseconds);
	assert_true(hash_equal(&left->message, &right->message));
	assert_true(hash_equal(&left->cleaned, &right->cleaned));
	assert_int_equal(left->finding_count, right->finding_count);
	for (size_t i = 0; i < left->finding_count; i++) {
		assert_string_equal(left->findings[i].part, right->findings[i].part);
		assert_string_equal(left->findings[i].name, right->findings[i].name);
		assert_string_equal(left->findings[i].type, right->findings[i].type);
		assert_int_equal(left->findings[i].size, right->findings[i].size);
		assert_string_equal(
			left->findings[i].signature, right->findings[i].signature);
		assert_true(
			hash_equal(&left->findings[i].hash, &right->findings[i].hash));
	}
	assert_int_equal(left->edits.count, right->edits.count);
	for (size_t i = 0; i < left->edits.count; i++) {
		assert_int_equal(left->edits.list[i].offset, right->edits.list[i].offset);
		assert_int_equal(left->edits.list[i].length, right->edits.list[i].length);
		assert_true(span_equal(buf_span(&left->edits.list[i].text),
			buf_span(&right->edits.list[i].text)));
	}
}

#endif
