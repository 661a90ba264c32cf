/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "mailfilter/envelope.h"
#include "mailfilter/mbox_text.h"

static int gather(void *arg, struct span bytes, struct err *err)
{
	return buf_add(arg, bytes.data, bytes.len, err);
}

static int write_text(const char *message, const char *sender, int64_t wall_s,
	int (*sink)(void *arg, struct span bytes, struct err *err), void *arg,
	struct err *err)
{
	auto_body struct body body = { .fd = -1 };

	body_init(&body, "/tmp", 10000);
	assert_int_equal(body_add(&body, span_str(message), NULL), 0);
	return mbox_text_write(&body, sender, wall_s, sink, arg, err);
}

static void check(const char *message, const char *sender, const char *expected)
{
	auto_buf struct buf out;
	const char *text;

	buf_init(&out, 10000);
	assert_int_equal(write_text(message, sender, 1700000000, gather, &out, NULL), 0);
	assert_int_equal(buf_text(&out, &text, NULL), 0);
	assert_string_equal(text, expected);
}

static void every_line_that_could_be_taken_for_a_new_message_is_quoted_and_no_other(
	void **state)
{
#define FROM "From a@b Tue Nov 14 22:13:20 2023\n"
	(void)state;
	check("a: b\n\nFrom x\n>From y\n>>>From z\n", "a@b",
		FROM "a: b\n\n>From x\n>>From y\n>>>>From z\n\n");
	check("From first\na: b\n\nFrom\nfrom x\n From x\nxFrom x\n>from\n>> From\n",
		"a@b",
		FROM
		">From first\na: b\n\nFrom\nfrom x\n From x\nxFrom x\n>from\n>> From\n\n");
	check("a: b\r\n\r\nFrom x\r\n", "a@b", FROM "a: b\r\n\r\n>From x\r\n\n");
	check("a: b\n\nx\rFrom x\n", "a@b", FROM "a: b\n\nx\rFrom x\n\n");
}

/* A large one comes in pieces, and a piece may end anywhere in what is to be quoted. */
static void what_is_quoted_may_be_cut_anywhere(void **state)
{
	static const char text[] = "\n>>From x\n>From\nFrom y\n>>";
	static const char quoted[] = "\n>>>From x\n>From\n>From y\n>>";
	static char line[BODY_PIECE_MAX];

	(void)state;
	memset(line, 'a', sizeof(line));
	for (size_t cut = 0; cut <= sizeof(text); cut++) {
		auto_body struct body body = { .fd = -1 };
		auto_buf struct buf out;
		struct span end;

		body_init(&body, "/tmp", (uint64_t)4 * BODY_PIECE_MAX);
		buf_init(&out, (size_t)4 * BODY_PIECE_MAX);
		assert_int_equal(
			body_add(&body,
				(struct span){ (uint8_t *)line, sizeof(line) - cut },
				NULL),
			0);
		assert_int_equal(body_add(&body, span_str(text), NULL), 0);
		assert_int_equal(
			mbox_text_write(&body, "a@b", 1700000000, gather, &out, NULL), 0);
		assert_int_equal(
			out.len, strlen(FROM) + sizeof(line) - cut + strlen(quoted) + 2);
		end = span_part(
			buf_span(&out), strlen(FROM) + sizeof(line) - cut, out.len);
		assert_true(
			span_equal(span_part(end, 0, strlen(quoted)), span_str(quoted)));
	}
}

static void a_message_ends_with_an_empty_line_whatever_it_ends_with(void **state)
{
	(void)state;
	check("a: b\n\nx", "a@b", FROM "a: b\n\nx\n\n");
	check("a: b\n\nx\n\n\n", "a@b", FROM "a: b\n\nx\n\n\n\n");
	check("", "a@b", FROM "\n\n");
	check("a: b\n\n>From ", "a@b", FROM "a: b\n\n>>From \n\n");
	check("a: b\n\n>>Fro", "a@b", FROM "a: b\n\n>>Fro\n\n");
}

static void without_a_sender_the_line_names_the_mailer(void **state)
{
	(void)state;
	check("a: b\n\n", "", "From MAILER-DAEMON Tue Nov 14 22:13:20 2023\na: b\n\n\n");
}

static int refuse(void *arg, struct span bytes, struct err *err)
{
	(void)bytes;
	return (*(int *)arg)-- > 0 ? 0 : err_set(err, ERR_AGAIN, "full");
}

static void where_the_sink_fails_the_writing_ends(void **state)
{
	(void)state;
	for (int pieces = 0; pieces < 5; pieces++) {
		int left = pieces;
		struct err err = { 0 };

		assert_int_equal(
			write_text("a: b\n\nFrom x\n", "", 0, refuse, &left, &err), -1);
		assert_string_equal(err.text, "full");
	}
}

static void the_sender_is_the_one_set_or_the_return_path_if_it_is_an_address(void **state)
{
	static const struct {
		const char *set, *message, *sender;
	} cases[] = {
		{ NULL, "Return-Path: <a@b>\r\n\r\n", "a@b" },
		{ NULL, "X: y\nreturn-path: a@b\nReturn-Path: <c@d>\n\n", "a@b" },
		{ NULL, "Return-Path: <>\n\n", "" },
		{ NULL, "Return-Path:\n\n", "" },
		{ NULL, "Return-Path: <a b@c>\n\n", "" },
		{ NULL, "Return-Path: <a@b> SIZE=1\n\n", "" },
		{ NULL, "Return-Path: <a@b\n RCPT TO:x>\n\n", "" },
		{ NULL, "Return-Path: <a@b\rx>\n\n", "" },
		{ NULL, "Return-Path: <\xc3\xa4@b>\n\n", "" },
		{ NULL, "From: a@b\n\nReturn-Path: <a@b>\n", "" },
		{ NULL, "", "" },
		{ "<>", "Return-Path: <a@b>\n\n", "" },
		{ "x@y", "Return-Path: <a@b>\n\n", "x@y" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char sender[ENVELOPE_SENDER_MAX];

		envelope_sender(cases[i].set, span_str(cases[i].message), sender);
		assert_string_equal(sender, cases[i].sender);
	}
}

static void an_address_with_a_nul_or_too_long_is_none(void **state)
{
	static const uint8_t nul[] = "Return-Path: <a\0b@c>\n\n";
	char sender[ENVELOPE_SENDER_MAX], longest[400];

	(void)state;
	envelope_sender(NULL, (struct span){ nul, sizeof(nul) - 1 }, sender);
	assert_string_equal(sender, "");
	for (int len = 254; len <= 256; len++) {
		(void)snprintf(
			longest, sizeof(longest), "Return-Path: <%0*d>\n\n", len, 7);
		envelope_sender(NULL, span_str(longest), sender);
		assert_int_equal(strlen(sender), len == 254 ? 254 : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_line_that_could_be_taken_for_a_new_message_is_quoted_and_no_other),
		cmocka_unit_test(what_is_quoted_may_be_cut_anywhere),
		cmocka_unit_test(a_message_ends_with_an_empty_line_whatever_it_ends_with),
		cmocka_unit_test(without_a_sender_the_line_names_the_mailer),
		cmocka_unit_test(where_the_sink_fails_the_writing_ends),
		cmocka_unit_test(
			the_sender_is_the_one_set_or_the_return_path_if_it_is_an_address),
		cmocka_unit_test(an_address_with_a_nul_or_too_long_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
