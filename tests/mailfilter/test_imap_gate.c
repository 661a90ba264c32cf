/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "mailfilter/imap_gate.h"

enum {
	BODY_MAX = 1000,
	OUT_MAX = 256 * 1024 * 1024,
};

/* Everything through the gate, in pieces of so many bytes. */
static int pass(struct imap_gate *gate, struct span in, size_t piece, struct buf *out,
	struct err *err)
{
	for (size_t at = 0; at < in.len; at += piece) {
		struct span part = span_part(in, at, piece);
		uint8_t *room;
		size_t len;

		assert_int_equal(
			buf_reserve(out, part.len + IMAP_GATE_HEAD_MAX, &room, err), 0);
		if (imap_gate_pass(gate, part, room, &len, err) < 0)
			return -1;
		out->len += len;
	}
	return 0;
}

struct gate_case {
	const char *in;
	const char *out; /* NULL: refused */
	const char *why;
};

/* A greeting goes before each. */
static const struct gate_case cases[] = {
	{ "1 OK done\r\n", "1 OK done\r\n", NULL },
	{ "+ go on\r\n", "+ go on\r\n", NULL },
	{ "* 12 EXISTS\r\n* 3 RECENT\r\n* 4 EXPUNGE\r\n", "* 12 EXISTS\r\n", NULL },
	{ "* OK [UIDVALIDITY 5] x\r\n", "* OK [UIDVALIDITY 5] x\r\n", NULL },
	{ "* OK [PERMANENTFLAGS (\r\n* OK still here\r\n", "", NULL },
	{ "* FLAGS (\\Seen)\r\n* METADATA \"\" (/x)\r\n* SEARCH 1 2\r\n", "", NULL },
	{ "* CAPABILITY IMAP4rev1 X\r\n", "* CAPABILITY IMAP4rev1 X\r\n", NULL },
	{ "* 1 FETCH (UID 3)\r\n", "* 1 FETCH (UID 3)\r\n", NULL },
	{ "* 1 fetch (body[] {3}\r\n((( UID 1)\r\n",
		"* 1 fetch (body[] {3}\r\n((( UID 1)\r\n", NULL },
	{ "* 1 FETCH (BODY[] {0}\r\n UID 4)\r\n", "* 1 FETCH (BODY[] {0}\r\n UID 4)\r\n",
		NULL },
	{ "* 1 FETCH (BODY[]<0> {3}\r\n((( UID 1)\r\n",
		"* 1 FETCH (BODY[]<0> {3}\r\n((( UID 1)\r\n", NULL },
	{ "* LIST () \"/\" {7}\r\n* 9 EXI\r\n1 OK\r\n", "1 OK\r\n", NULL },
	{ "* OK ends in {7}\r\n1 OK\r\n", "1 OK\r\n", NULL },
	{ "\r\n1 OK\r\n", "1 OK\r\n", NULL },
	{ " * 1 FETCH (UID 1)\r\n*\t1 FETCH (UID 1)\r\n*  1 FETCH (UID 1)\r\n", "",
		NULL },
	{ "* 1 FETCH (BODY[] {1000}\r\n", "* 1 FETCH (BODY[] {1000}\r\n", NULL },
	{ "* 1 FETCH (BODY[] {1001}\r\n", NULL, "over the limit" },
	{ "* 1 FETCH (BODY[] {4294967299}\r\n", NULL, "over the limit" },
	{ "* 1 FETCH (BODY[] {99999999999999999999}\r\n", NULL, "malformed literal" },
	{ "* 1 FETCH (BODY[] {-1}\r\n", NULL, "malformed literal" },
	{ "* 1 FETCH (BODY[] {}\r\n", NULL, "malformed literal" },
	{ "* 1 FETCH (BODY[] { 5}\r\n", NULL, "malformed literal" },
	{ "* 1 FETCH (BODY[] {5} \r\n", NULL, "malformed literal" },
	{ "* 1 FETCH (BODY[] {5}\n", NULL, "malformed literal" },
	{ "* 1 FETCH (BODY[] {5}x\r\n", NULL, "malformed literal" },
	{ "* 1 FETCH (BODY[TEXT] {70000}\r\n", NULL, "long literal" },
	{ "* 1 FETCH (X \"BODY[] {999}\r\n", NULL, "inside quotes" },
	{ "* 1 FETCH (X \"\\\"{9}\" UID 1)\r\n", "* 1 FETCH (X \"\\\"{9}\" UID 1)\r\n",
		NULL },
	{ "1 OK [BADCHARSET ({5}\r\n", NULL, "status code" },
	{ "1 OK [PERMANENTFLAGS (\r\n", NULL, "status code" },
	{ "1 NO [ permanentflags (\r\n", NULL, "status code" },
	{ "1 OK[PERMANENTFLAGS (\r\n", NULL, "status code" },
	{ "1 NO [X \"\r\n", NULL, "status code" },
	{ "+ [BADCHARSET (a)] x\r\n", NULL, "status code" },
	{ "1 OK all done [in (2) ms]\r\n", "1 OK all done [in (2) ms]\r\n", NULL },
	{ "1 NO [ALERT] see (this)\r\n", "1 NO [ALERT] see (this)\r\n", NULL },
	{ "1 OK hello {5}\r\n", "1 OK hello {5}\r\n", NULL },
	{ "1 OK [READ-WRITE] permanentflags\r\n", "1 OK [READ-WRITE] permanentflags\r\n",
		NULL },
};

static void check_case(const struct gate_case *test, size_t piece)
{
	static const char greeting[] = "* OK [X] hello there\r\n";
	struct imap_gate gate;
	auto_buf struct buf out;
	struct err err = { 0 };
	int result;

	buf_init(&out, OUT_MAX);
	imap_gate_init(&gate, BODY_MAX);
	assert_int_equal(pass(&gate, span_str(greeting), piece, &out, &err), 0);
	assert_true(span_equal(buf_span(&out), span_str(greeting)));
	buf_clear(&out);
	result = pass(&gate, span_str(test->in), piece, &out, &err);
	if (!test->out) {
		assert_int_equal(result, -1);
		assert_int_equal(err.kind, ERR_SESSION);
		assert_non_null(strstr(err.text, test->why));
		return;
	}
	assert_int_equal(result, 0);
	assert_true(span_equal(buf_span(&out), span_str(test->out)));
}

static void only_what_the_parser_needs_comes_through(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		check_case(&cases[i], 100000);
		check_case(&cases[i], 1);
		check_case(&cases[i], 7);
	}
}

static void refused(struct span in, const char *why)
{
	struct imap_gate gate;
	auto_buf struct buf out;
	struct err err = { 0 };

	buf_init(&out, OUT_MAX);
	imap_gate_init(&gate, BODY_MAX);
	assert_int_equal(pass(&gate, in, 8192, &out, &err), -1);
	assert_int_equal(err.kind, ERR_SESSION);
	assert_non_null(strstr(err.text, why));
}

/* head, then fill up to a size. */
static void refused_filled(
	const char *head, const char *fill, size_t size, const char *why)
{
	auto_buf struct buf in;
	struct err err;

	buf_init(&in, size + 100);
	assert_int_equal(buf_add_str(&in, head, &err), 0);
	while (in.len < size)
		assert_int_equal(buf_add_str(&in, fill, &err), 0);
	refused(buf_span(&in), why);
}

static void endless_lines_and_answers_are_refused(void **state)
{
	(void)state;
	refused_filled("* OK hi\r\n* 1 FETCH (UID ", "1", IMAP_GATE_LINE_MAX + 100,
		"endless line");
	refused_filled("* OK hi\r\n* X ", "y", IMAP_GATE_LINE_MAX + 100, "endless line");
	refused_filled("", "x", IMAP_GATE_LINE_MAX + 100, "endless line");
	refused_filled("* OK hi\r\n", "* 1 EXISTS\r\n", IMAP_GATE_PLAIN_MAX + 100,
		"endless answer");
	refused_filled("* OK hi\r\n", "* 1 FETCH (UID 1)\r\n", IMAP_GATE_ANSWER_MAX + 100,
		"endless answer");
	refused_filled("* OK hi\r\n", "* X LIST\r\n", IMAP_GATE_ANSWER_MAX + 100,
		"endless answer");
	refused_filled("* OK hi\r\n* 1 FETCH (X ", "{8}\r\n12345678 ",
		IMAP_GATE_LINE_MAX + 100, "endless line");
}

static void deep_parentheses_are_refused(void **state)
{
	(void)state;
	refused_filled("* OK hi\r\n* 1 FETCH (BODYSTRUCTURE ", "(", 1000, "too deep");
	/* Literals in between do not start the count anew. */
	refused_filled(
		"* OK hi\r\n* 1 FETCH (BODYSTRUCTURE ", "(({1}\r\na ", 1000, "too deep");
}

static void a_nul_outside_a_body_is_refused(void **state)
{
	static const char in[] = "* OK hi\r\n* 1 FETCH (UID \0 1)\r\n";

	(void)state;
	refused((struct span){ (const uint8_t *)in, sizeof(in) - 1 }, "NUL");
}

static void a_body_passes_as_it_is(void **state)
{
	static const char in[] =
		"* OK hi\r\n* 1 FETCH (BODY[] {12}\r\n\0\"({9}\r\n* BYE UID 2)\r\n1 OK\r\n";
	struct span span = { (const uint8_t *)in, sizeof(in) - 1 };

	(void)state;
	for (size_t piece = 1; piece < sizeof(in); piece++) {
		struct imap_gate gate;
		auto_buf struct buf out;
		struct err err;

		buf_init(&out, 4096);
		imap_gate_init(&gate, BODY_MAX);
		assert_int_equal(pass(&gate, span, piece, &out, &err), 0);
		assert_true(span_equal(buf_span(&out), span));
		assert_false(gate.ended);
	}
}

static void lists_go_to_who_asked_and_no_further(void **state)
{
	static const char in[] = "* OK hi\r\n* LIST () \"/\" a\r\n* 1 FETCH (UID 1)\r\n"
				 "* list (\\Trash) \"/\" {6}\r\n1 OK\r\n\r\n1 OK\r\n";
	static const char lists_in[] = "* LIST () \"/\" a\r\n"
				       "* list (\\Trash) \"/\" {6}\r\n1 OK\r\n\r\n";
	static const char rest[] = "* OK hi\r\n* 1 FETCH (UID 1)\r\n1 OK\r\n";

	(void)state;
	for (size_t piece = 1; piece < sizeof(in); piece++) {
		auto_buf struct buf out;
		auto_buf struct buf lists;
		struct imap_gate gate;
		struct err err = { 0 };

		buf_init(&out, OUT_MAX);
		buf_init(&lists, 1000);
		imap_gate_init(&gate, BODY_MAX);
		imap_gate_take_lists(&gate, "LIST", &lists);
		assert_int_equal(pass(&gate, span_str(in), piece, &out, &err), 0);
		assert_true(span_equal(buf_span(&lists), span_str(lists_in)));
		assert_true(span_equal(buf_span(&out), span_str(rest)));
		/* And when nobody asks any more. */
		imap_gate_take_lists(&gate, NULL, NULL);
		assert_int_equal(
			pass(&gate, span_str("* LIST () \"/\" b\r\n"), piece, &out, &err),
			0);
		assert_true(span_equal(buf_span(&out), span_str(rest)));
		assert_int_equal(lists.len, sizeof(lists_in) - 1);
	}
}

static void an_endless_list_of_folders_is_refused(void **state)
{
	static const char *const lists_in[] = { "* LIST () \"/\" a\r\n",
		"* LIST () \"/\" {500}\r\n" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		auto_buf struct buf out;
		auto_buf struct buf lists;
		struct imap_gate gate;
		struct err err = { 0 };
		int result;

		buf_init(&out, OUT_MAX);
		buf_init(&lists, 200);
		imap_gate_init(&gate, BODY_MAX);
		imap_gate_take_lists(&gate, "LIST", &lists);
		result = pass(&gate, span_str("* OK hi\r\n"), 100, &out, &err);
		for (int n = 0; n < 100 && result == 0; n++)
			result = pass(&gate, span_str(lists_in[i]), 100, &out, &err);
		assert_int_equal(result, -1);
		assert_int_equal(err.kind, ERR_SESSION);
		assert_non_null(strstr(err.text, "endless list of folders"));
	}
}

static void bye_ends_the_session_with_its_words(void **state)
{
	static const char in[] =
		"* OK hi\r\n1 OK\r\n* BYE I am tired of this conversation\r\n2 OK\r\n";
	struct imap_gate gate;
	auto_buf struct buf out;
	struct err err;

	(void)state;
	buf_init(&out, 4096);
	imap_gate_init(&gate, BODY_MAX);
	assert_int_equal(pass(&gate, span_str(in), 1000, &out, &err), 0);
	assert_true(gate.ended);
	assert_string_equal(gate.bye, "* BYE I am tired of this conversation");
	assert_true(span_equal(buf_span(&out), span_str("* OK hi\r\n1 OK\r\n")));
}

static void a_reader_may_take_a_body_past_the_gate(void **state)
{
	static const char in[] = "* OK hi\r\n* 1 FETCH (BODY[] {100}\r\nabc";
	struct imap_gate gate;
	auto_buf struct buf out;
	struct err err;

	(void)state;
	buf_init(&out, 4096);
	imap_gate_init(&gate, BODY_MAX);
	assert_int_equal(imap_gate_open(&gate), 0);
	assert_int_equal(pass(&gate, span_str(in), 1000, &out, &err), 0);
	assert_int_equal(imap_gate_open(&gate), 97);
	imap_gate_moved(&gate, 97);
	assert_int_equal(imap_gate_open(&gate), 0);
	buf_clear(&out);
	assert_int_equal(
		pass(&gate, span_str(" UID 1)\r\n* 2 RECENT\r\n"), 1, &out, &err), 0);
	assert_true(span_equal(buf_span(&out), span_str(" UID 1)\r\n")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_the_parser_needs_comes_through),
		cmocka_unit_test(endless_lines_and_answers_are_refused),
		cmocka_unit_test(deep_parentheses_are_refused),
		cmocka_unit_test(a_nul_outside_a_body_is_refused),
		cmocka_unit_test(a_body_passes_as_it_is),
		cmocka_unit_test(lists_go_to_who_asked_and_no_further),
		cmocka_unit_test(an_endless_list_of_folders_is_refused),
		cmocka_unit_test(bye_ends_the_session_with_its_words),
		cmocka_unit_test(a_reader_may_take_a_body_past_the_gate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
