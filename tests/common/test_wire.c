/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "common/wire.h"

enum {
	SAMPLES = 11,
	MUTATIONS = 40000
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

static void fill_state(struct wire_message *message)
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

static void fill_infected(struct verdict *verdict)
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

static void fill_allow(struct allow *allow)
{
	struct hash hash = { { 0x27, 0x5a } };

	assert_int_equal(allow_add_hash(allow, &hash, NULL), 0);
	hash.bytes[31] = 1;
	assert_int_equal(allow_add_hash(allow, &hash, NULL), 0);
	assert_int_equal(allow_add_name(allow, "Win.Worm.X-1", NULL), 0);
}

/* One valid message of every type, and of both verdicts that differ in shape. */
static void sample(size_t i, struct wire_message *message)
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

static void encode(const struct wire_message *message, struct buf *head)
{
	struct err err;

	buf_init(head, WIRE_HEAD_MAX);
	assert_int_equal(wire_encode(message, head, &err), 0);
}

static int decode(struct span head, bool has_data, struct span data,
	struct wire_message *message, struct err *err)
{
	struct span frames[2] = { head, data };

	return wire_decode(frames, has_data ? 2 : 1, message, err);
}

static bool two_frames(const struct wire_message *message)
{
	return message->type == WIRE_REQUEST || message->type == WIRE_CHUNK;
}

/* Is it zeroed, as a failed decode promises? */
static bool zeroed(const struct wire_message *message)
{
	const uint8_t *bytes = (const uint8_t *)message;

	for (size_t i = 0; i < sizeof(*message); i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

static void refused(struct span head, bool has_data, struct span data)
{
	struct wire_message message;
	struct err err = { 0 };

	assert_int_equal(decode(head, has_data, data, &message, &err), -1);
	assert_int_equal(err.kind, ERR_MESSAGE);
	assert_true(strlen(err.text) > 0);
	assert_true(zeroed(&message));
}

static void same_verdict(const struct verdict *left, const struct verdict *right)
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

static void every_type_comes_back_as_it_was_sent(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		struct wire_message sent, got;
		auto_buf struct buf head = { 0 };
		struct err err;

		sample(i, &sent);
		encode(&sent, &head);
		assert_int_equal(
			decode(buf_span(&head), two_frames(&sent), sent.data, &got, &err),
			0);
		assert_int_equal(got.type, sent.type);
		assert_int_equal(got.id, sent.id);
		assert_string_equal(got.name, sent.name);
		assert_int_equal(got.state.state, sent.state.state);
		assert_int_equal(got.state.session, sent.state.session);
		assert_int_equal(got.state.generation, sent.state.generation);
		assert_int_equal(got.state.message_max, sent.state.message_max);
		assert_int_equal(got.state.signatures, sent.state.signatures);
		assert_int_equal(got.state.jobs, sent.state.jobs);
		assert_int_equal(got.state.workers, sent.state.workers);
		assert_int_equal(got.state.busy, sent.state.busy);
		assert_int_equal(got.state.dated_s, sent.state.dated_s);
		assert_int_equal(got.state.queued, sent.state.queued);
		assert_int_equal(got.state.lookups, sent.state.lookups);
		assert_int_equal(got.state.hits, sent.state.hits);
		assert_memory_equal(
			&got.state.health, &sent.state.health, sizeof(sent.state.health));
		assert_memory_equal(
			&got.state.checks, &sent.state.checks, sizeof(sent.state.checks));
		assert_memory_equal(
			&got.state.swept, &sent.state.swept, sizeof(sent.state.swept));
		assert_true(hash_equal(&got.state.digest, &sent.state.digest));
		assert_string_equal(got.state.engine, sent.state.engine);
		assert_string_equal(got.state.unprotected, sent.state.unprotected);
		assert_string_equal(got.state.trouble, sent.state.trouble);
		assert_int_equal(got.request.size, sent.request.size);
		assert_string_equal(
			got.request.quarantine_id, sent.request.quarantine_id);
		assert_int_equal(
			got.request.allow.hash_count, sent.request.allow.hash_count);
		assert_int_equal(
			got.request.allow.name_count, sent.request.allow.name_count);
		for (size_t n = 0; n < sent.request.allow.hash_count; n++)
			assert_true(allow_has_hash(
				&got.request.allow, &sent.request.allow.hashes[n]));
		for (size_t n = 0; n < sent.request.allow.name_count; n++)
			assert_true(allow_has_name(
				&got.request.allow, sent.request.allow.names[n]));
		assert_int_equal(got.offset, sent.offset);
		assert_int_equal(got.refusal, sent.refusal);
		assert_string_equal(got.text, sent.text);
		assert_true(span_equal(got.data, sent.data));
		same_verdict(&got.verdict, &sent.verdict);
		wire_message_done(&got);
		wire_message_done(&sent);
	}
}

static void numbers_are_big_endian_at_the_places_of_the_description(void **state)
{
	static const uint8_t start[] = { 'M', 'F', 1, WIRE_CREDIT, 0x11, 0x22, 0x33, 0x44,
		0x55, 0x66, 0x77, 0x88, 0, 0, 0, 0, 0, 0x10, 0, 0 };
	struct wire_message message;
	auto_buf struct buf head = { 0 };

	(void)state;
	sample(7, &message);
	encode(&message, &head);
	assert_int_equal(head.len, sizeof(start));
	assert_memory_equal(head.data, start, sizeof(start));
}

/* A frame of a client is at most a chunk. */
static void the_longest_request_fits_in_a_frame(void **state)
{
	struct wire_message message = { .type = WIRE_REQUEST, .id = 1 };
	auto_buf struct buf head = { 0 };
	char name[FINDING_SIGNATURE_MAX];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memset(message.request.quarantine_id, 'q', WIRE_TEXT_MAX - 1);
	for (unsigned i = 0; i < ALLOW_HASHES_MAX; i++) {
		struct hash hash = { { (uint8_t)i, (uint8_t)(i >> 8) } };

		assert_int_equal(allow_add_hash(&message.request.allow, &hash, NULL), 0);
	}
	for (unsigned i = 0; i < ALLOW_NAMES_MAX; i++) {
		name[0] = (char)('A' + i / 16);
		name[1] = (char)('A' + i % 16);
		assert_int_equal(allow_add_name(&message.request.allow, name, NULL), 0);
	}
	encode(&message, &head);
	assert_in_range(head.len, 1, WIRE_CHUNK_MAX);
	wire_message_done(&message);
}

static void every_truncation_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		struct wire_message message;
		auto_buf struct buf head = { 0 };

		sample(i, &message);
		encode(&message, &head);
		for (size_t len = 0; len < head.len; len++) {
			/* A copy of its own, so that a read past its end is seen. */
			auto_free uint8_t *copy = malloc(len + 1);

			assert_non_null(copy);
			memcpy(copy, head.data, len);
			copy = realloc(copy, len ? len : 1);
			assert_non_null(copy);
			refused((struct span){ copy, len }, two_frames(&message),
				message.data);
		}
		wire_message_done(&message);
	}
}

static void bytes_behind_the_end_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		struct wire_message message;
		auto_buf struct buf head = { 0 };
		struct err err;

		sample(i, &message);
		encode(&message, &head);
		assert_int_equal(buf_add(&head, "", 1, &err), 0);
		refused(buf_span(&head), two_frames(&message), message.data);
		wire_message_done(&message);
	}
}

static void a_wrong_number_of_frames_is_refused(void **state)
{
	struct span frames[3] = { { NULL, 0 } };
	struct wire_message message;
	struct err err;

	(void)state;
	for (size_t i = 0; i < SAMPLES; i++) {
		auto_buf struct buf head = { 0 };

		sample(i, &message);
		encode(&message, &head);
		refused(buf_span(&head), !two_frames(&message), span_str(mail));
		frames[0] = buf_span(&head);
		wire_message_done(&message);
		assert_int_equal(wire_decode(frames, 0, &message, &err), -1);
		assert_int_equal(wire_decode(frames, 3, &message, &err), -1);
		assert_true(zeroed(&message));
	}
}

/* One byte of a valid head changed to a value that may not stand there. */
static void what_is_out_of_range_is_refused(void **state)
{
	static const struct {
		size_t sample, at;
		uint8_t value;
	} cases[] = {
		{ 0, 0, 'm' }, { 1, 1, 'f' }, { 1, AT_VERSION, 0 },
		{ 1, AT_VERSION, WIRE_VERSION + 1 }, { 1, AT_VERSION, 255 },
		{ 1, AT_TYPE, 0 }, { 1, AT_TYPE, WIRE_REFUSE + 1 }, { 1, AT_TYPE, 255 },
		{ 1, AT_ID + 7, 1 },              /* PING has no id */
		{ 2, AT_BODY, 0 },                /* state */
		{ 2, AT_BODY, 4 },                /* state */
		{ 2, AT_BODY + 1 + 4 * 8, 0x80 }, /* the date of the signatures */
		{ 3, AT_BODY + 7, 5 },            /* a size below the data */
		{ 3, AT_BODY + 10, '\x1b' },      /* quarantine id not printable */
		{ 3, AT_BODY + 11, 0 },           /* NUL in it */
		{ 9, AT_DETAIL, 1 },              /* a text of 256 + x bytes */
		{ 10, AT_BODY, 0 },               /* refusal */
		{ 10, AT_BODY, 5 },               /* refusal */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct wire_message message;
		auto_buf struct buf head = { 0 };

		sample(cases[i].sample, &message);
		encode(&message, &head);
		assert_int_not_equal(head.data[cases[i].at], cases[i].value);
		head.data[cases[i].at] = cases[i].value;
		refused(buf_span(&head), two_frames(&message), message.data);
		wire_message_done(&message);
	}
}

static void an_id_of_zero_is_refused_where_a_request_is_meant(void **state)
{
	(void)state;
	for (size_t i = 3; i < SAMPLES - 1; i++) {
		struct wire_message message;
		auto_buf struct buf head = { 0 };

		sample(i, &message);
		encode(&message, &head);
		memset(head.data + AT_ID, 0, 8);
		refused(buf_span(&head), two_frames(&message), message.data);
		wire_message_done(&message);
	}
}

static void put_u32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Counts that lie are refused before anything is allocated for them. */
static void counts_past_their_limit_are_refused(void **state)
{
	static const uint32_t lies[] = { FINDINGS_MAX + 1, EDITS_MAX + 1, 0x7fffffff,
		0x80000000, 0xffffffff };

	(void)state;
	for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		struct wire_message message;
		auto_buf struct buf head = { 0 };

		sample(8,
			&message); /* no detail, findings or edits: two counts at the end */
		encode(&message, &head);
		put_u32(head.data + head.len - 4, lies[i]);
		refused(buf_span(&head), false, message.data);
		put_u32(head.data + head.len - 4, 0);
		put_u32(head.data + head.len - 8, lies[i]);
		refused(buf_span(&head), false, message.data);
	}
}

static void an_edit_past_its_limit_is_refused(void **state)
{
	struct wire_message message;
	auto_buf struct buf head = { 0 };
	uint8_t bytes[EDIT_TEXT_MAX + 1];
	struct err err;

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	sample(8, &message);
	encode(&message, &head);
	put_u32(head.data + head.len - 4, 1);
	assert_int_equal(buf_add(&head, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, &err), 0);
	assert_int_equal(buf_add(&head, "\x10\x01", 2, &err), 0);
	assert_int_equal(buf_add(&head, bytes, EDIT_TEXT_MAX + 1, &err), 0);
	refused(buf_span(&head), false, message.data);
	head.data[head.len - EDIT_TEXT_MAX - 2] = 0; /* 4096: the limit itself is fine */
	head.len--;
	assert_int_equal(decode(buf_span(&head), false, message.data, &message, &err), 0);
	assert_int_equal(message.verdict.edits.list[0].text.len, EDIT_TEXT_MAX);
	wire_message_done(&message);
}

static void edits_past_their_sum_are_refused(void **state)
{
	struct wire_message message;
	auto_buf struct buf head = { 0 };
	static uint8_t edit[18 + EDIT_TEXT_MAX];
	struct err err;

	(void)state;
	edit[16] = EDIT_TEXT_MAX >> 8;
	memset(edit + 18, 'x', EDIT_TEXT_MAX);
	sample(8, &message);
	encode(&message, &head);
	put_u32(head.data + head.len - 4, EDITS_BYTES_MAX / EDIT_TEXT_MAX);
	for (size_t i = 0; i < EDITS_BYTES_MAX / EDIT_TEXT_MAX; i++)
		assert_int_equal(buf_add(&head, edit, sizeof(edit), &err), 0);
	assert_int_equal(decode(buf_span(&head), false, message.data, &message, &err), 0);
	assert_int_equal(message.verdict.edits.bytes, EDITS_BYTES_MAX);
	wire_message_done(&message);
}

static void data_frames_past_their_limit_are_refused(void **state)
{
	auto_free uint8_t *bytes = calloc(1, WIRE_CHUNK_MAX + 1);
	struct wire_message message;
	auto_buf struct buf head = { 0 };
	struct err err;

	(void)state;
	assert_non_null(bytes);
	sample(5, &message);
	encode(&message, &head);
	refused(buf_span(&head), true, (struct span){ bytes, WIRE_CHUNK_MAX + 1 });
	refused(buf_span(&head), true, (struct span){ bytes, 0 });
	message.data = (struct span){ bytes, WIRE_CHUNK_MAX + 1 };
	assert_int_equal(wire_encode(&message, &head, &err), -1);
	memset(head.data + AT_BODY, 0xff, 8); /* an offset that would wrap */
	refused(buf_span(&head), true, (struct span){ bytes, 2 });
}

static void a_head_past_its_limit_is_refused(void **state)
{
	auto_free uint8_t *bytes = calloc(1, WIRE_HEAD_MAX + 1);

	(void)state;
	assert_non_null(bytes);
	memcpy(bytes, "MF\x01\x08\0\0\0\0\0\0\0\x01", AT_BODY);
	refused((struct span){ bytes, WIRE_HEAD_MAX + 1 }, false,
		(struct span){ NULL, 0 });
}

static void the_largest_verdict_fits_a_head(void **state)
{
	struct wire_message message = { .type = WIRE_VERDICT, .id = 1 };
	static uint8_t text[EDIT_TEXT_MAX];
	struct finding finding;
	auto_buf struct buf head = { 0 };
	struct err err;
	struct wire_message got;

	(void)state;
	memset(text, 'x', sizeof(text));
	memset(&finding, 'y', sizeof(finding));
	finding.part[FINDING_PART_MAX - 1] = '\0';
	finding.name[FINDING_NAME_MAX - 1] = '\0';
	finding.type[FINDING_TYPE_MAX - 1] = '\0';
	finding.signature[FINDING_SIGNATURE_MAX - 1] = '\0';
	for (size_t i = 0; i < FINDINGS_MAX; i++)
		assert_int_equal(
			verdict_add_finding(&message.verdict, &finding, &err), 0);
	for (size_t i = 0; i < EDITS_MAX; i++)
		assert_int_equal(
			edits_add(&message.verdict.edits, i, 0,
				(struct span){ text, i < EDITS_BYTES_MAX / EDIT_TEXT_MAX
							     ? EDIT_TEXT_MAX
							     : 0 },
				&err),
			0);
	encode(&message, &head);
	assert_int_equal(
		decode(buf_span(&head), false, (struct span){ NULL, 0 }, &got, &err), 0);
	same_verdict(&got.verdict, &message.verdict);
	wire_message_done(&got);
	wire_message_done(&message);
}

static void an_unknown_verdict_or_reason_holds_the_message(void **state)
{
	static const struct {
		uint8_t kind, reason;
	} unknown[] = { { VERDICT_UNSCANNABLE + 1, 0 }, { 255, 0 },
		{ VERDICT_CLEAN, REASON_ERROR + 1 }, { VERDICT_INFECTED, 255 },
		{ VERDICT_UNSCANNABLE, 200 } };

	(void)state;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
		struct wire_message message;
		auto_buf struct buf head = { 0 };
		struct err err;

		sample(9, &message);
		encode(&message, &head);
		wire_message_done(&message);
		head.data[AT_BODY] = unknown[i].kind;
		head.data[AT_BODY + 1] = unknown[i].reason;
		assert_int_equal(decode(buf_span(&head), false, (struct span){ NULL, 0 },
					 &message, &err),
			0);
		assert_int_equal(message.verdict.kind, VERDICT_RETRY);
		assert_int_equal(message.verdict.reason, REASON_NONE);
		assert_int_equal(message.verdict.finding_count, 0);
		assert_int_equal(message.verdict.edits.count, 0);
		assert_true(strlen(message.verdict.detail) > 0);
		wire_message_done(&message);
	}
}

static void encode_refuses_what_decode_would_and_leaves_the_head_alone(void **state)
{
	struct wire_message message = { .type = WIRE_PING, .id = 1 };
	auto_buf struct buf head = { 0 };
	struct err err = { 0 };

	(void)state;
	buf_init(&head, WIRE_HEAD_MAX);
	assert_int_equal(buf_add_str(&head, "before", &err), 0);
	assert_int_equal(wire_encode(&message, &head, &err), -1);
	assert_int_equal(err.kind, ERR_MESSAGE);
	sample(0, &message);
	memset(message.name, 'x', sizeof(message.name));
	assert_int_equal(wire_encode(&message, &head, &err), -1);
	sample(3, &message);
	message.request.size = 1;
	assert_int_equal(wire_encode(&message, &head, &err), -1);
	wire_message_done(&message);
	sample(7, &message);
	message.id = 0;
	assert_int_equal(wire_encode(&message, &head, &err), -1);
	assert_true(span_is(buf_span(&head), "before"));
}

static void the_id_of_a_refused_message_can_be_read(void **state)
{
	struct wire_message message;
	auto_buf struct buf head = { 0 };
	struct span frame;

	(void)state;
	sample(9, &message);
	encode(&message, &head);
	wire_message_done(&message);
	frame = buf_span(&head);
	assert_int_equal(wire_peek_id(&frame, 1), 0x1122334455667788);
	head.data[AT_VERSION] = 9;
	frame.len = AT_BODY;
	assert_int_equal(wire_peek_id(&frame, 1), 0x1122334455667788);
	frame.len--;
	assert_int_equal(wire_peek_id(&frame, 1), 0);
	frame.len++;
	head.data[0] = 'x';
	assert_int_equal(wire_peek_id(&frame, 1), 0);
	assert_int_equal(wire_peek_id(&frame, 0), 0);
}

static void a_verdict_alone_comes_back_and_every_truncation_is_refused(void **state)
{
	struct verdict verdict = { 0 }, got;
	auto_buf struct buf bytes = { 0 };
	struct err err;

	(void)state;
	buf_init(&bytes, WIRE_HEAD_MAX);
	fill_infected(&verdict);
	assert_int_equal(wire_encode_verdict(&verdict, &bytes, &err), 0);
	assert_int_equal(wire_decode_verdict(buf_span(&bytes), &got, &err), 0);
	same_verdict(&got, &verdict);
	verdict_done(&got);
	verdict_done(&verdict);
	for (size_t len = 0; len < bytes.len; len++) {
		assert_int_equal(wire_decode_verdict(
					 span_part(buf_span(&bytes), 0, len), &got, &err),
			-1);
		assert_int_equal(err.kind, ERR_MESSAGE);
		assert_null(got.findings);
	}
	assert_int_equal(buf_add(&bytes, "x", 1, &err), 0);
	assert_int_equal(wire_decode_verdict(buf_span(&bytes), &got, &err), -1);
}

/* xorshift: the same mutations in every run. */
static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static void mutate(uint8_t *bytes, size_t *len, uint32_t *seed)
{
	for (uint32_t n = next_random(seed) % 4 + 1; n > 0 && *len > 0; n--) {
		size_t at = next_random(seed) % *len;

		switch (next_random(seed) % 5) {
		case 0:
			bytes[at] = (uint8_t)next_random(seed);
			break;
		case 1:
			bytes[at] ^= (uint8_t)(1U << next_random(seed) % 8);
			break;
		case 2:
			bytes[at] = next_random(seed) % 2 ? 0xff : 0;
			break;
		case 3:
			*len -= next_random(seed) % (*len - at);
			break;
		default: /* a part of it again somewhere else */
			memmove(bytes + at, bytes, (*len - at) / 2);
			break;
		}
	}
}

/* What decodes has one encoding: that is what keeps two readers of a frame from differing. */
static void decoded_means_the_same_bytes_again(
	const struct wire_message *message, struct span frame)
{
	auto_buf struct buf again = { 0 };

	if (message->type == WIRE_VERDICT && message->verdict.kind == VERDICT_RETRY)
		return; /* an unknown verdict is not kept as it was */
	encode(message, &again);
	assert_int_equal(again.len, frame.len);
	assert_memory_equal(again.data, frame.data, frame.len);
}

static void mutated_frames_are_refused_or_read_never_worse(void **state)
{
	uint32_t seed = 20260131, read = 0;

	(void)state;
	for (size_t i = 0; i < MUTATIONS; i++) {
		struct wire_message message;
		auto_buf struct buf head = { 0 };
		auto_free uint8_t *copy = NULL;
		struct span frame, data;
		bool two;
		struct err err = { 0 };

		sample(i % SAMPLES, &message);
		encode(&message, &head);
		data = message.data;
		two = two_frames(&message);
		wire_message_done(&message);
		mutate(head.data, &head.len, &seed);
		copy = malloc(head.len ? head.len : 1);
		assert_non_null(copy);
		memcpy(copy, head.data, head.len);
		frame = (struct span){ copy, head.len };
		if (decode(frame, two, data, &message, &err) == 0) {
			decoded_means_the_same_bytes_again(&message, frame);
			wire_message_done(&message);
			read++;
		} else {
			assert_int_equal(err.kind, ERR_MESSAGE);
			assert_true(zeroed(&message));
		}
	}
	/* Both happen, or the test tests nothing. */
	assert_in_range(read, MUTATIONS / 100, MUTATIONS * 9 / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_comes_back_as_it_was_sent),
		cmocka_unit_test(numbers_are_big_endian_at_the_places_of_the_description),
		cmocka_unit_test(the_longest_request_fits_in_a_frame),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(bytes_behind_the_end_are_refused),
		cmocka_unit_test(a_wrong_number_of_frames_is_refused),
		cmocka_unit_test(what_is_out_of_range_is_refused),
		cmocka_unit_test(an_id_of_zero_is_refused_where_a_request_is_meant),
		cmocka_unit_test(counts_past_their_limit_are_refused),
		cmocka_unit_test(an_edit_past_its_limit_is_refused),
		cmocka_unit_test(edits_past_their_sum_are_refused),
		cmocka_unit_test(data_frames_past_their_limit_are_refused),
		cmocka_unit_test(a_head_past_its_limit_is_refused),
		cmocka_unit_test(the_largest_verdict_fits_a_head),
		cmocka_unit_test(an_unknown_verdict_or_reason_holds_the_message),
		cmocka_unit_test(
			encode_refuses_what_decode_would_and_leaves_the_head_alone),
		cmocka_unit_test(the_id_of_a_refused_message_can_be_read),
		cmocka_unit_test(
			a_verdict_alone_comes_back_and_every_truncation_is_refused),
		cmocka_unit_test(mutated_frames_are_refused_or_read_never_worse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
