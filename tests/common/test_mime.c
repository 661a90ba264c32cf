/* SPDX-License-Identifier: ISC */
#include "tests/common/parsed.h"

static void the_line_end_of_the_message_is_told(void **state)
{
	static const struct {
		const char *message, *eol;
	} table[] = { { "A: b\n\nx\r\n", "\n" }, { "A: b\r\n\nx", "\r\n" },
		{ "", "\r\n" }, { "x", "\r\n" } };

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		struct mime *mime = parse(span_str(table[i].message));

		assert_string_equal(table[i].eol, mime->eol);
		mime_free(mime);
	}
}

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return *seed >> 33;
}

/* One change: a byte, a piece cut, a piece doubled, or a word that parsers know. */
static void mutate(struct buf *data, uint64_t *seed)
{
	static const char *const words[] = { "--b1", "\r\n", "\n\n", "--b1--", "\r\n--",
		"Content-Type:", "multipart/mixed;",
		"boundary=", "message/rfc822\r\n\r\n", "\0", "=?utf-8?q?", "\"", "(", ";",
		"*0*=", "=", "begin 644 a\n", "base64" };
	const char *word = words[next_random(seed) % COUNT(words)];
	size_t at = next_random(seed) % (data->len + 1);
	size_t len = next_random(seed) % (data->len - at + 1) % 200;
	auto_buf struct buf piece;
	struct err err = { 0 };

	buf_init(&piece, 65536);
	switch (next_random(seed) % 4) {
	case 0:
		if (at < data->len)
			data->data[at] = (uint8_t)next_random(seed);
		return;
	case 1:
		memmove(data->data + at, data->data + at + len, data->len - at - len);
		data->len -= len;
		return;
	case 2:
		(void)buf_add(&piece, data->data + at, len, &err);
		break;
	default:
		(void)buf_add(&piece, word, *word ? strlen(word) : 1, &err);
		break;
	}
	if (data->len + piece.len > data->size)
		return;
	memmove(data->data + at + piece.len, data->data + at, data->len - at);
	if (piece.len > 0)
		memcpy(data->data + at, piece.data, piece.len);
	data->len += piece.len;
}

static void read_mutated(struct buf *data, uint64_t *seed)
{
	for (size_t n = 1 + next_random(seed) % 8; n > 0; n--)
		mutate(data, seed);
	/* An exact copy on the heap: the sanitizers see one byte too many. */
	auto_free uint8_t *exact = malloc(data->len ? data->len : 1);
	struct span message = { exact, data->len };
	struct mime *mime;
	char text[64];

	assert_non_null(exact);
	if (data->len > 0)
		memcpy(exact, data->data, data->len);
	mime = parse(message);
	check_shape(message, mime);
	for (size_t i = 0; i < mime->count; i++) {
		struct mime_part part = mime->parts[i];
		struct err err = { 0 };
		auto_buf struct buf out;

		buf_init(&out, part.end - part.body_start);
		part.encoding = (enum mime_encoding)(next_random(seed) % 4);
		assert_int_equal(0, mime_decode(message, &part, &out, &err));
		(void)mime_field(message, part.header_start, "subject");
	}
	mime_field_text(message, "subject", text, sizeof(text));
	mime_free(mime);
}

static void mutated_samples_keep_their_shape(void **state)
{
	static const char *const names[] = { "rfc822-nested.eml",
		"boundary-same-inside.eml", "inner-terminator-missing.eml", "digest.eml",
		"padding-inside-base64.eml", "uuencode-in-quoted-printable.eml",
		"name-rfc2231.eml", "nul-bytes.eml" };
	uint64_t seed = 2024;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		for (size_t round = 0; round < 400; round++) {
			auto_buf struct buf data = read_sample(names[i]);
			read_mutated(&data, &seed);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_line_end_of_the_message_is_told),
		cmocka_unit_test(mutated_samples_keep_their_shape),
	};
	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
