/* SPDX-License-Identifier: ISC
 *
 * What is sent comes back as it was. */
#include "tests/common/wired.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_comes_back_as_it_was_sent),
		cmocka_unit_test(numbers_are_big_endian_at_the_places_of_the_description),
		cmocka_unit_test(an_unknown_verdict_or_reason_holds_the_message),
		cmocka_unit_test(
			encode_refuses_what_decode_would_and_leaves_the_head_alone),
		cmocka_unit_test(the_id_of_a_refused_message_can_be_read),
		cmocka_unit_test(
			a_verdict_alone_comes_back_and_every_truncation_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
