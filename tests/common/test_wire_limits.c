/* SPDX-License-Identifier: ISC
 *
 * Sizes and counts, at their limits and past them. */
#include "tests/common/wired.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_request_fits_in_a_frame),
		cmocka_unit_test(counts_past_their_limit_are_refused),
		cmocka_unit_test(an_edit_past_its_limit_is_refused),
		cmocka_unit_test(edits_past_their_sum_are_refused),
		cmocka_unit_test(data_frames_past_their_limit_are_refused),
		cmocka_unit_test(a_head_past_its_limit_is_refused),
		cmocka_unit_test(the_largest_verdict_fits_a_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
