/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "common/unicode.h"

enum {
	ROOM = 4096
};

#define BYTES(text)                                                                      \
	{                                                                                \
		(const uint8_t *)(text), sizeof(text) - 1                                \
	}

static const struct {
	struct span text;
	int how; /* 7, or 16 and the byte order: 16 little, 17 big */
	const char *utf8;
} cases[] = {
	{ BYTES("A\0b\0"), 16, "Ab" },
	{ BYTES("\0A\0b"), 17, "Ab" },
	{ BYTES("\xfe\xff\0A"), 16, "A" },
	{ BYTES("\xff\xfe"
		"A\0"),
		17, "A" },
	{ BYTES("\xe4\0\xac\x20"), 16, "\xc3\xa4\xe2\x82\xac" },
	{ BYTES("\x3d\xd8\x00\xde"), 16, "\xf0\x9f\x98\x80" },
	/* halves of pairs, and of units */
	{ BYTES("\x3d\xd8"
		"A\0\x00\xde"
		"B\0C"),
		16, "AB" },
	{ BYTES("plain - text"), 7, "plain - text" },
	{ BYTES("a+-b"), 7, "a+b" },
	{ BYTES("+AOQ-x"), 7, "\xc3\xa4x" },
	{ BYTES("+AOQ x"), 7, "\xc3\xa4 x" },
	{ BYTES("+2D3eAA"), 7, "\xf0\x9f\x98\x80" },
	{ BYTES("x+"), 7, "x+" },
	{ BYTES(""), 7, "" },
};

static void convert(struct span text, int how, struct buf *out)
{
	int done = how == 7 ? unicode_from_utf7(text, out, NULL)
			    : unicode_from_utf16(text, how == 17, out, NULL);

	assert_int_equal(done, 0);
}

static void text_becomes_utf8(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_buf struct buf out;
		const char *text;

		buf_init(&out, ROOM);
		convert(cases[i].text, cases[i].how, &out);
		assert_int_equal(buf_text(&out, &text, NULL), 0);
		assert_string_equal(text, cases[i].utf8);
	}
}

static void any_bytes_fit_into_three_halves(void **state)
{
	unsigned seed = 5;

	(void)state;
	for (size_t round = 0; round < 5000; round++) {
		size_t len = round % 64;
		uint8_t *bytes = malloc(len + 1);

		for (size_t i = 0; i < len; i++) {
			seed = seed * 1103515245 + 12345;
			bytes[i] = (uint8_t)(seed >> 16);
			if (round % 2)
				bytes[i] = (uint8_t) "+A/z9-\xd8="[bytes[i] % 8];
		}
		for (int how = 16; how <= 18; how++) {
			auto_buf struct buf out;

			buf_init(&out, len / 2 * 3 + 3);
			convert((struct span){ bytes, len }, how == 18 ? 7 : how, &out);
		}
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_becomes_utf8),
		cmocka_unit_test(any_bytes_fit_into_three_halves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
