/* SPDX-License-Identifier: ISC
 *
 * Frames that a broken or hostile peer may send. */
#include "tests/common/wired.h"

enum {
	MUTATIONS = 40000
};

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
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(bytes_behind_the_end_are_refused),
		cmocka_unit_test(a_wrong_number_of_frames_is_refused),
		cmocka_unit_test(what_is_out_of_range_is_refused),
		cmocka_unit_test(an_id_of_zero_is_refused_where_a_request_is_meant),
		cmocka_unit_test(mutated_frames_are_refused_or_read_never_worse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
