/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "mailfilter/smtp_text.h"

static int gather(void *arg, struct span bytes, struct err *err)
{
	return buf_add(arg, bytes.data, bytes.len, err);
}

/* As it comes in pieces of this many bytes. */
static void encode_in(struct span message, size_t len, struct buf *out)
{
	struct smtp_text text = { .sink = gather, .arg = out };

	buf_init(out, 100000);
	for (size_t at = 0; at < message.len; at += len)
		assert_int_equal(
			smtp_text_add(&text, span_part(message, at, len), NULL), 0);
	assert_int_equal(smtp_text_end(&text, NULL), 0);
}

static void encode(struct span message, struct buf *out)
{
	encode_in(message, message.len, out);
}

static uint64_t size_in(struct span message, size_t len)
{
	struct smtp_facts facts = { 0 };

	for (size_t at = 0; at < message.len; at += len)
		smtp_facts_add(&facts, span_part(message, at, len));
	smtp_facts_end(&facts);
	return facts.size;
}

static void lines_end_in_cr_lf_and_their_dots_are_doubled(void **state)
{
	static const struct {
		const char *message, *text;
	} cases[] = {
		{ "", "" },
		{ "a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n" },
		{ "a\n\nb", "a\r\n\r\nb\r\n" },
		{ ".\r\n..\r\n.a\r\na.\r\n", "..\r\n...\r\n..a\r\na.\r\n" },
		{ ".", "..\r\n" },
		{ "a\r\n.", "a\r\n..\r\n" },
		{ "a\r", "a \r\n" },
		{ "a\r\r\nb", "a \r\nb\r\n" },
		{ "a\rb\r\nc", "a b\r\nc\r\n" },
		{ "\r\r\r", "   \r\n" },
		/* What some servers took for the end of a message. */
		{ "a\n.\nMAIL FROM:<x>\n", "a\r\n..\r\nMAIL FROM:<x>\r\n" },
		{ "a\n.\r\nb", "a\r\n..\r\nb\r\n" },
		{ "a\r\n.\nb", "a\r\n..\r\nb\r\n" },
		{ "a\r\n.\rb", "a\r\n.. b\r\n" },
		{ "a\r.\r\nb", "a .\r\nb\r\n" },
		{ "a\r.\rb", "a . b\r\n" },
		{ "a\r\n\r.\r\nb", "a\r\n .\r\nb\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_buf struct buf out;
		const char *text;

		encode(span_str(cases[i].message), &out);
		assert_int_equal(buf_text(&out, &text, NULL), 0);
		assert_string_equal(text, cases[i].text);
	}
}

static void other_bytes_and_long_lines_stay_as_they_are(void **state)
{
	auto_buf struct buf out;
	uint8_t message[5000];

	(void)state;
	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)(i % 251);
	for (size_t i = 0; i < sizeof(message); i++)
		if (message[i] == '\r' || message[i] == '\n' || message[i] == '.')
			message[i] = 'x';
	message[sizeof(message) - 2] = '\r';
	message[sizeof(message) - 1] = '\n';
	encode((struct span){ message, sizeof(message) }, &out);
	assert_int_equal(out.len, sizeof(message));
	assert_memory_equal(out.data, message, out.len);
}

/* What a server makes of it: up to the end, dots undone. Line ends are CR LF alone. */
static size_t decode(struct span text, uint8_t *to)
{
	size_t len = 0;
	bool start = true;

	for (size_t i = 0; i < text.len; i++) {
		if (start && text.data[i] == '.')
			i++;
		assert_true(i < text.len);
		to[len++] = text.data[i];
		start = len > 1 && to[len - 2] == '\r' && to[len - 1] == '\n';
	}
	return len;
}

static void whatever_comes_in_there_is_no_end_in_it_and_it_comes_out_again(void **state)
{
	static const char letters[] = "\r\n.a";
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		auto_buf struct buf out;
		uint8_t message[12], plain[64];
		size_t len, size;

		seed = seed * 1103515245 + 12345;
		len = (seed >> 16) % sizeof(message);
		for (size_t i = 0; i < len; i++) {
			seed = seed * 1103515245 + 12345;
			message[i] = (uint8_t)letters[(seed >> 16) % 4];
		}
		encode((struct span){ message, len }, &out);
		size = decode(buf_span(&out), plain);
		for (size_t piece = 1; piece <= len; piece++) {
			auto_buf struct buf same;

			assert_int_equal(
				size, size_in((struct span){ message, len }, piece));
			encode_in((struct span){ message, len }, piece, &same);
			assert_true(span_equal(buf_span(&out), buf_span(&same)));
		}
		for (size_t i = 0; i < out.len; i++) {
			const bool cr = out.data[i] == '\r';

			/* No lone CR, no lone LF. */
			assert_true(!cr || (i + 1 < out.len && out.data[i + 1] == '\n'));
			assert_true(out.data[i] != '\n' ||
				    (i > 0 && out.data[i - 1] == '\r'));
		}
		assert_int_equal(span_find(buf_span(&out), span_str("\r\n.\r\n")), -1);
		assert_false(out.len >= 3 && memcmp(out.data, ".\r\n", 3) == 0);
		assert_true(
			out.len == 0 || memcmp(out.data + out.len - 2, "\r\n", 2) == 0);
	}
}

static int refuse(void *arg, struct span bytes, struct err *err)
{
	(void)bytes;
	return (*(int *)arg)-- > 0 ? 0 : err_set(err, ERR_AGAIN, "lost");
}

static void where_the_sink_fails_the_writing_ends(void **state)
{
	(void)state;
	for (int left = 0; left < 7; left++) {
		int pieces = left;
		struct smtp_text text = { .sink = refuse, .arg = &pieces };

		assert_int_equal(smtp_text_add(&text, span_str(".a\rb\n.c\n"), NULL), -1);
	}
}

static void bytes_beyond_ascii_are_noticed(void **state)
{
	(void)state;
	assert_false(smtp_text_is_8bit(span_str("")));
	assert_false(smtp_text_is_8bit(span_str("a\x7f")));
	assert_true(smtp_text_is_8bit(span_str("a\x80")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_end_in_cr_lf_and_their_dots_are_doubled),
		cmocka_unit_test(other_bytes_and_long_lines_stay_as_they_are),
		cmocka_unit_test(
			whatever_comes_in_there_is_no_end_in_it_and_it_comes_out_again),
		cmocka_unit_test(where_the_sink_fails_the_writing_ends),
		cmocka_unit_test(bytes_beyond_ascii_are_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
