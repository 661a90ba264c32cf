/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include "mailfilter/pop3_dots.h"

struct dots_case {
	struct span in, out;
	size_t left; /* bytes behind the end; or SIZE_MAX: no end */
};

#define BYTES(text)                                                                      \
	{                                                                                \
		(const uint8_t *)(text), sizeof(text) - 1                                \
	}
#define OPEN SIZE_MAX

static const struct dots_case cases[] = {
	{ BYTES(".\r\n+OK"), BYTES(""), 3 },
	{ BYTES("a\r\n.\r\n"), BYTES("a\r\n"), 0 },
	{ BYTES("a\r\n..\r\n.\r\n"), BYTES("a\r\n.\r\n"), 0 },
	{ BYTES("..a\r\n.b\r\n.\r\n"), BYTES(".a\r\nb\r\n"), 0 },
	{ BYTES("...\r\n.\r\n"), BYTES("..\r\n"), 0 },
	/* Only CR LF ends a line. */
	{ BYTES("a\n.\nb\r\n.\r\n"), BYTES("a\n.\nb\r\n"), 0 },
	{ BYTES("a\n.\r\nb\r\n.\r\nX"), BYTES("a\n.\r\nb\r\n"), 1 },
	{ BYTES("a\r\n.\nb\r\n.\r\n"), BYTES("a\r\n\nb\r\n"), 0 },
	{ BYTES("a\r.\r\n.\r\n"), BYTES("a\r.\r\n"), 0 },
	{ BYTES("a\r\n.\rb\r\n.\r\n"), BYTES("a\r\n\rb\r\n"), 0 },
	{ BYTES("a\r\n.\r\r\n.\r\n"), BYTES("a\r\n\r\r\n"), 0 },
	{ BYTES("a\r\r\n.\r\n"), BYTES("a\r\r\n"), 0 },
	{ BYTES("\r\n\r\n.\r\n"), BYTES("\r\n\r\n"), 0 },
	{ BYTES("\0\xff\r\n\0.\0\r\n.\r\n"), BYTES("\0\xff\r\n\0.\0\r\n"), 0 },
	{ BYTES("no end.\r\n"), BYTES("no end.\r\n"), OPEN },
	{ BYTES("no end\r\n."), BYTES("no end\r\n"), OPEN },
	{ BYTES("no end\r\n.\r"), BYTES("no end\r\n"), OPEN },
	{ BYTES(""), BYTES(""), OPEN },
};

static void check_case(const struct dots_case *test, size_t piece_max)
{
	struct pop3_dots dots = { 0 };
	auto_buf struct buf out;
	size_t at = 0;
	struct err err;

	buf_init(&out, 4096);
	while (at < test->in.len && dots.state != POP3_DOTS_END) {
		struct span in = span_part(test->in, at, piece_max), piece;
		size_t used = 0;

		while (used < in.len && dots.state != POP3_DOTS_END) {
			used += pop3_dots_next(
				&dots, span_part(in, used, in.len), &piece);
			assert_int_equal(buf_add(&out, piece.data, piece.len, &err), 0);
		}
		at += used;
	}
	assert_true(span_equal(buf_span(&out), test->out));
	if (test->left == OPEN)
		assert_int_not_equal(dots.state, POP3_DOTS_END);
	else
		assert_int_equal(test->in.len - at, test->left);
}

static void dots_are_undone_and_all_else_stays(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t piece = 1; piece < 24; piece++)
			check_case(&cases[i], piece);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dots_are_undone_and_all_else_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
