/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "common/edits.h"

enum {
	ROUNDS = 2000,
	MODEL_MAX = 512,
	ROOM = 1024 * 1024
};

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005U + 1442695040888963407U;
	return *state >> 33;
}

static void add(struct edits *edits, uint64_t offset, uint64_t length, const char *text)
{
	struct err err = { 0 };
	assert_int_equal(0, edits_add(edits, offset, length, span_str(text), &err));
}

static void expect(struct edits *edits, const char *original, const char *wanted)
{
	struct err err = { 0 };
	auto_body struct body out;
	struct span got;

	body_init(&out, "/tmp", ROOM);
	edits_sort(edits);
	assert_int_equal(0, edits_apply(edits, span_str(original), &out, &err));
	assert_int_equal(0, body_span(&out, &got, &err));
	assert_int_equal(strlen(wanted), got.len);
	if (got.len > 0)
		assert_memory_equal(wanted, got.data, got.len);
}

static void no_edits_give_the_original(void **state)
{
	struct edits edits = { 0 };

	(void)state;
	expect(&edits, "Subject: x\n\nbody", "Subject: x\n\nbody");
	expect(&edits, "", "");
	edits_done(&edits);
	edits_done(&edits);
}

static void edits_at_both_ends_and_in_any_order_apply(void **state)
{
	struct edits edits = { 0 };

	(void)state;
	add(&edits, 10, 0, ">");
	add(&edits, 3, 4, "");
	add(&edits, 0, 0, "<");
	add(&edits, 0, 2, "AB");
	add(&edits, 0, 0, "<");
	expect(&edits, "0123456789", "<<AB2789>");
	edits_done(&edits);
}

static void removing_everything_leaves_nothing(void **state)
{
	struct edits edits = { 0 };

	(void)state;
	add(&edits, 0, 5, "");
	expect(&edits, "12345", "");
	edits_done(&edits);
}

static void sort_keeps_insertions_at_one_place_in_the_order_added(void **state)
{
	struct edits edits = { 0 };

	(void)state;
	add(&edits, 2, 1, "R");
	for (int c = 'a'; c <= 'z'; c++) {
		char text[2] = { (char)c, '\0' };
		add(&edits, 2, 0, text);
	}
	expect(&edits, "12345", "12abcdefghijklmnopqrstuvwxyzR45");
	edits_done(&edits);
}

struct bad {
	uint64_t offset[2], length[2];
	const char *text;
	const char *why;
};

static void check_refuses_what_does_not_fit_and_says_why(void **state)
{
	static const struct bad table[] = {
		{ { 5, 2 }, { 1, 1 }, "", "out of order" },
		{ { 2, 4 }, { 3, 1 }, "", "overlaps" },
		{ { 2, 2 }, { 1, 1 }, "", "overlaps" },
		{ { 2, 3 }, { 3, 0 }, "", "overlaps" },
		{ { 0, 11 }, { 0, 0 }, "", "past" },
		{ { 0, 10 }, { 0, 1 }, "", "past" },
		{ { 0, 5 }, { 0, 6 }, "", "past" },
		{ { 0, 5 }, { 0, UINT64_MAX }, "", "past" },
		{ { 0, UINT64_MAX }, { 0, 1 }, "", "past" },
		{ { 0, UINT64_MAX }, { 0, UINT64_MAX }, "", "past" },
		{ { 0, 5 }, { 0, 1 }, "\x80", "printable" },
		{ { 0, 5 }, { 0, 1 }, "\x1b[2J", "printable" },
		{ { 0, 5 }, { 0, 1 }, "\x7f", "printable" },
	};
	static const uint8_t nul[] = { 'a', 0 };
	struct err err = { 0 };
	struct edits edits = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		auto_body struct body out;

		body_init(&out, "/tmp", 1024);
		add(&edits, table[i].offset[0], table[i].length[0], "");
		add(&edits, table[i].offset[1], table[i].length[1], table[i].text);
		assert_int_equal(-1, edits_check(&edits, 10, &err));
		assert_int_equal(ERR_MESSAGE, err.kind);
		assert_non_null(strstr(err.text, table[i].why));
		assert_int_equal(
			-1, edits_apply(&edits, span_str("0123456789"), &out, &err));
		assert_int_equal(0, out.size);
		edits_done(&edits);
	}
	assert_int_equal(0, edits_add(&edits, 0, 0, (struct span){ nul, 2 }, &err));
	assert_int_equal(-1, edits_check(&edits, 10, &err));
	edits_done(&edits);
	add(&edits, 3, 2, "removal first");
	add(&edits, 3, 0, "then an insertion");
	assert_int_equal(-1, edits_check(&edits, 10, &err));
	edits_sort(&edits);
	assert_int_equal(0, edits_check(&edits, 10, &err));
	edits_done(&edits);
}

static void add_beyond_a_limit_fails_and_changes_nothing(void **state)
{
	static const uint8_t big[EDIT_TEXT_MAX + 1] = { 'x' };
	struct span most = { big, EDIT_TEXT_MAX };
	struct edits edits = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(
		-1, edits_add(&edits, 0, 0, (struct span){ big, sizeof(big) }, &err));
	assert_int_equal(ERR_MESSAGE, err.kind);
	assert_int_equal(0, edits.count);
	for (size_t i = 0; i < EDITS_BYTES_MAX / EDIT_TEXT_MAX; i++)
		assert_int_equal(0, edits_add(&edits, i, 0, most, &err));
	assert_int_equal(-1, edits_add(&edits, 0, 0, span_str("y"), &err));
	assert_int_equal(EDITS_BYTES_MAX / EDIT_TEXT_MAX, edits.count);
	assert_int_equal(EDITS_BYTES_MAX, edits.bytes);
	edits_done(&edits);
	for (size_t i = 0; i < EDITS_MAX; i++)
		add(&edits, EDITS_MAX - i, 1, "");
	assert_int_equal(-1, edits_add(&edits, 0, 0, span_str(""), &err));
	assert_int_equal(EDITS_MAX, edits.count);
	edits_sort(&edits);
	assert_int_equal(0, edits_check(&edits, EDITS_MAX + 1, &err));
	edits_done(&edits);
}

/* The naive way: one edit after another on a copy, the last offset first. */
static size_t model(const struct edits *edits, const uint8_t *original, size_t size,
	uint8_t out[MODEL_MAX])
{
	size_t len = size;

	memcpy(out, original, size);
	for (size_t i = edits->count; i-- > 0;) {
		const struct edit *edit = &edits->list[i];
		size_t tail = edit->offset + edit->length;

		memmove(out + edit->offset + edit->text.len, out + tail, len - tail);
		if (edit->text.len > 0)
			memcpy(out + edit->offset, edit->text.data, edit->text.len);
		len = len - edit->length + edit->text.len;
	}
	return len;
}

static void add_random(struct edits *edits, size_t size, uint64_t *seed)
{
	char text[8];
	size_t at = 0;

	for (size_t n = next_random(seed) % 9; n > 0 && at <= size; n--) {
		size_t offset = at + next_random(seed) % (size - at + 1);
		size_t length = next_random(seed) % (size - offset + 1) / 2;
		size_t len = next_random(seed) % sizeof(text);

		for (size_t i = 0; i < len; i++)
			text[i] = (char)(' ' + next_random(seed) % 95);
		text[len] = '\0';
		add(edits, offset, length, text);
		at = offset + length + (length > 0 ? 0 : 1);
	}
}

static void random_edits_equal_the_naive_model(void **state)
{
	uint64_t seed = 4711;

	(void)state;
	for (size_t round = 0; round < ROUNDS; round++) {
		uint8_t original[64], wanted[MODEL_MAX];
		size_t size = next_random(&seed) % sizeof(original), len;
		struct edits edits = { 0 };
		struct err err = { 0 };
		auto_body struct body out;
		struct span got;

		for (size_t i = 0; i < size; i++)
			original[i] = (uint8_t)next_random(&seed);
		add_random(&edits, size, &seed);
		for (size_t i = edits.count; i-- > 1;) {
			size_t other = next_random(&seed) % (i + 1);
			struct edit swap = edits.list[i];
			edits.list[i] = edits.list[other];
			edits.list[other] = swap;
		}
		edits_sort(&edits);
		assert_int_equal(0, edits_check(&edits, size, &err));
		len = model(&edits, original, size, wanted);
		body_init(&out, "/tmp", MODEL_MAX);
		assert_int_equal(0,
			edits_apply(&edits, (struct span){ original, size }, &out, &err));
		assert_int_equal(0, body_span(&out, &got, &err));
		assert_int_equal(len, got.len);
		if (len > 0)
			assert_memory_equal(wanted, got.data, len);
		edits_done(&edits);
	}
}

/* One that lies in a file is read in pieces: an edit may stand before, across and behind their ends. */
static void a_large_message_is_edited_wherever_its_pieces_end(void **state)
{
	static const size_t size = (size_t)2 * BODY_PIECE_MAX + 100;
	auto_free uint8_t *original = malloc(size);

	(void)state;
	assert_non_null(original);
	for (size_t i = 0; i < size; i++)
		original[i] = (uint8_t)(i * 7 + i / 251);
	for (size_t at = BODY_PIECE_MAX - 3; at < BODY_PIECE_MAX + 3; at++) {
		auto_body struct body body, expected, out;
		struct edits edits = { 0 };
		struct err err = { 0 };
		struct span want, got;

		body_init(&body, "/tmp", size);
		body_init(&expected, "/tmp", size + ROOM);
		body_init(&out, "/tmp", size + ROOM);
		assert_int_equal(
			body_add(&body, (struct span){ original, size }, &err), 0);
		add(&edits, 0, 0, "in front");
		add(&edits, at, 4, "in the middle");
		add(&edits, (uint64_t)2 * BODY_PIECE_MAX, 100, "at the end");
		edits_sort(&edits);
		assert_int_equal(edits_apply(&edits, (struct span){ original, size },
					 &expected, &err),
			0);
		assert_int_equal(edits_apply_body(&edits, &body, &out, &err), 0);
		assert_int_equal(body_span(&expected, &want, &err), 0);
		assert_int_equal(body_span(&out, &got, &err), 0);
		assert_true(span_equal(want, got));
		add(&edits, size, 1, "");
		assert_int_equal(edits_apply_body(&edits, &body, &out, &err), -1);
		edits_done(&edits);
	}
}

static void apply_past_the_room_of_the_body_fails(void **state)
{
	struct edits edits = { 0 };
	struct err err = { 0 };
	auto_body struct body out;

	(void)state;
	body_init(&out, "/tmp", 4);
	add(&edits, 0, 0, "more");
	assert_int_equal(-1, edits_apply(&edits, span_str("x"), &out, &err));
	assert_int_equal(ERR_MESSAGE, err.kind);
	edits_done(&edits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_edits_give_the_original),
		cmocka_unit_test(edits_at_both_ends_and_in_any_order_apply),
		cmocka_unit_test(removing_everything_leaves_nothing),
		cmocka_unit_test(sort_keeps_insertions_at_one_place_in_the_order_added),
		cmocka_unit_test(check_refuses_what_does_not_fit_and_says_why),
		cmocka_unit_test(add_beyond_a_limit_fails_and_changes_nothing),
		cmocka_unit_test(random_edits_equal_the_naive_model),
		cmocka_unit_test(a_large_message_is_edited_wherever_its_pieces_end),
		cmocka_unit_test(apply_past_the_room_of_the_body_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
