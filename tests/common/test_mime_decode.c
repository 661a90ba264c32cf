/* SPDX-License-Identifier: ISC
 *
 * Each encoding as it is decoded, and base64 against a decoder that takes one character after the
 * other. */
#include "tests/test.h"

#include <string.h>

#include "common/mime.h"

enum {
	ROUNDS = 4000,
	SHORT_MAX = 200,
	LONG_MAX = 24 * 1024, /* some times what is collected before it is given on */
	HABITS = 16,
	BYTES = 30000,
	CODED = BYTES / 3 * 4
};

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005U + 1442695040888963407U;
	return *seed >> 33;
}

static int slow_digit(uint8_t c, unsigned habits)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	if (habits & MIME_HABIT_URL && (c == '-' || c == '_'))
		return c == '-' ? 62 : 63;
	return at ? (int)(at - alphabet) : -1;
}

static bool is_junk(uint8_t c, unsigned habits)
{
	return slow_digit(c, habits) < 0 && (c == '\0' || !strchr("= \t\r\n", c));
}

static void put(struct buf *out, uint8_t byte)
{
	assert_int_equal(buf_add(out, &byte, 1, NULL), 0);
}

static void put_group(struct buf *out, const int *digits, size_t count)
{
	if (count > 1)
		put(out, (uint8_t)(digits[0] << 2 | digits[1] >> 4));
	if (count > 2)
		put(out, (uint8_t)(digits[1] << 4 | digits[2] >> 2));
	if (count > 3)
		put(out, (uint8_t)(digits[2] << 6 | digits[3]));
}

/* What a strict reader leaves of the lines. */
static void take_lines(struct span in, unsigned habits, struct buf *out)
{
	for (size_t at = 0, end; at < in.len; at = end) {
		bool junk = false;

		for (end = at; end < in.len && (end == at || in.data[end - 1] != '\n');
			end++)
			junk = junk || is_junk(in.data[end], habits);
		if (!junk || !(habits & MIME_HABIT_STRICT))
			assert_int_equal(buf_add(out, in.data + at, end - at, NULL), 0);
	}
}

static void slow_decode(struct span in, unsigned habits, struct buf *out)
{
	int digits[4];
	size_t count = 0;

	for (size_t i = 0; i < in.len; i++) {
		const int digit = slow_digit(in.data[i], habits);
		const bool ends =
			in.data[i] == '=' && !(habits & MIME_HABIT_SKIP_PADDING);

		if (digit >= 0)
			digits[count++] = digit;
		if (count == 4 || ends) {
			put_group(out, digits, count);
			count = 0;
		}
		if (ends && habits & MIME_HABIT_STOP)
			return;
	}
	put_group(out, digits, count);
}

static void compare(struct span in, unsigned habits)
{
	auto_buf struct buf lines, expected, got;
	/* The sanitizers see one byte too many. */
	auto_free uint8_t *exact = malloc(in.len > 0 ? in.len : 1);
	struct err err = { 0 };

	assert_non_null(exact);
	memcpy(exact, in.data, in.len);
	buf_init(&lines, in.len);
	buf_init(&expected, in.len);
	buf_init(&got, in.len);
	take_lines(in, habits, &lines);
	slow_decode(buf_span(&lines), habits, &expected);
	assert_int_equal(mime_decode_as((struct span){ exact, in.len }, MIME_BASE64,
				 habits, &got, &err),
		0);
	if (!span_equal(buf_span(&got), buf_span(&expected)))
		fail_msg("habits %u: \"%.*s\"", habits, (int)in.len,
			(const char *)in.data);
}

/* Mostly digits; odd: one in so many is something else. */
static void fill(uint8_t *in, size_t len, uint64_t odd, uint64_t *seed)
{
	static const char others[] = "\r\n\r\n\n\r== \t-_!\x80.";

	for (size_t i = 0; i < len; i++)
		in[i] = next_random(seed) % odd != 0
				? (uint8_t)alphabet[next_random(seed) % 64]
			: next_random(seed) % 16 == 0
				? (uint8_t)next_random(seed)
				: (uint8_t)others[next_random(seed) %
						  (sizeof(others) - 1)];
}

static void base64_equals_a_slow_decoder_of_it(void **state)
{
	static uint8_t in[LONG_MAX];
	uint64_t seed = 20;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		const bool is_long = round % 50 == 0;
		const size_t len = next_random(&seed) % (is_long ? LONG_MAX : SHORT_MAX);

		fill(in, len, 1 + next_random(&seed) % (is_long ? 2000 : 30), &seed);
		compare((struct span){ in, len }, (unsigned)round % HABITS);
	}
}

/* Each line end after each number of characters, at the beginning and the end too. */
static void line_ends_may_stand_anywhere(void **state)
{
	static const char *const ends[] = { "\n", "\r\n", "\r", "\n\n", "\r\n\r\n",
		"\n\r", "\r\r\n" };
	static const char digits[] = "QUJDREVGR0hJSktMTU5PUA==";

	(void)state;
	for (size_t e = 0; e < sizeof(ends) / sizeof(*ends); e++)
		for (size_t width = 1; width < sizeof(digits); width++)
			for (size_t len = 0; len < sizeof(digits); len++) {
				auto_buf struct buf in;

				buf_init(&in, 1000);
				for (size_t i = 0; i < len; i++)
					if ((i % width == 0 && buf_add_str(&in, ends[e],
								       NULL) < 0) ||
						buf_add(&in, digits + i, 1, NULL) < 0)
						fail();
				assert_int_equal(buf_add_str(&in, ends[e], NULL), 0);
				for (unsigned habits = 0; habits < HABITS; habits++)
					compare(buf_span(&in), habits);
			}
}

static void a_run_ends_with_the_first_that_is_no_digit(void **state)
{
	uint8_t in[40];

	(void)state;
	memset(in, 'Z', sizeof(in));
	for (int c = 0; c <= UINT8_MAX; c++)
		for (size_t at = 0; at < sizeof(in); at++) {
			const size_t len =
				slow_digit((uint8_t)c, 0) < 0 ? at : sizeof(in);

			in[at] = (uint8_t)c;
			assert_int_equal(
				mime_base64_digit((uint8_t)c), slow_digit((uint8_t)c, 0));
			assert_int_equal(
				mime_base64_run((struct span){ in, sizeof(in) }), len);
			in[at] = 'Z';
		}
}

struct coded {
	enum mime_encoding encoding;
	const char *from, *to;
};

static void decoding_is_lenient(void **state)
{
	static const struct coded table[] = {
		{ MIME_IDENTITY, "a=\r\nb", "a=\r\nb" },
		{ MIME_BASE64, "", "" },
		{ MIME_BASE64, "SGVsbG8=", "Hello" },
		{ MIME_BASE64, "SGVs\r\nbG8=\r\n", "Hello" },
		{ MIME_BASE64, "SGVsbG8", "Hello" },
		{ MIME_BASE64, "SGVsbG8=SGVsbG8=", "HelloHello" },
		{ MIME_BASE64, "SGVsbA==SGVsbG8=", "HellHello" },
		{ MIME_BASE64, "====SGVsbG8=", "Hello" },
		{ MIME_BASE64, "!S G*V-s.b_G8", "Hello" },
		{ MIME_BASE64, "SGVsbG8=\r\n--\r\nlist", "Hello\x96+-" },
		{ MIME_BASE64, "S", "" },
		{ MIME_QUOTED_PRINTABLE, "a=3Db=3db", "a=b=b" },
		{ MIME_QUOTED_PRINTABLE,
			"soft=\r\nbreak=\nnow= \t\r\nhere=", "softbreaknowhere" },
		{ MIME_QUOTED_PRINTABLE, "a=ZZ=4=", "a=ZZ=4" },
		{ MIME_QUOTED_PRINTABLE, "=E4=", "\xe4" },
		{ MIME_QUOTED_PRINTABLE, "=", "" },
		{ MIME_QUOTED_PRINTABLE, "=\r", "" },
		{ MIME_UUENCODE, "begin 644 a\n%2&5L;&\\\n`\nend\n", "Hello" },
		{ MIME_UUENCODE, "begin 644 a\r\n%2&5L;&\\\r\n`\r\nend\r\n", "Hello" },
		{ MIME_UUENCODE,
			"text\nbegin 644 a\n%2&5L;&\\\nend\nmore\nbegin 0755 b\n"
			"%2&5L;&\\ \n \nend\n",
			"HelloHello" },
		{ MIME_UUENCODE, "%2&5L;&\\\n", "Hello" },
		{ MIME_UUENCODE, "begin 644 a\n%2&5L;&", "Hell" },
		{ MIME_UUENCODE, "M!", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const struct mime_part part = { .end = strlen(table[i].from),
			.encoding = table[i].encoding };
		struct err err = { 0 };
		auto_buf struct buf out;

		buf_init(&out, part.end); /* it never becomes more */
		assert_int_equal(
			0, mime_decode(span_str(table[i].from), &part, &out, &err));
		if (!span_equal(buf_span(&out), span_str(table[i].to)))
			fail_msg("<%s>: got <%.*s>, wanted <%s>", table[i].from,
				(int)out.len, (char *)out.data, table[i].to);
	}
}

static void decoding_of_all_bytes_gives_them_back(void **state)
{
	auto_buf struct buf coded, out;
	struct mime_part part = { .encoding = MIME_BASE64 };
	struct err err = { 0 };

	(void)state;
	buf_init(&coded, CODED);
	buf_init(&out, BYTES);
	for (uint32_t i = 0; i < BYTES; i += 3) {
		uint32_t bits =
			(i & 0xff) << 16 | ((i + 1) & 0xff) << 8 | ((i + 2) & 0xff);
		char group[4] = { alphabet[bits >> 18], alphabet[bits >> 12 & 63],
			alphabet[bits >> 6 & 63], alphabet[bits & 63] };
		assert_int_equal(0, buf_add(&coded, group, 4, &err));
	}
	part.end = coded.len;
	assert_int_equal(0, mime_decode(buf_span(&coded), &part, &out, &err));
	assert_int_equal(BYTES, out.len);
	for (size_t i = 0; i < out.len; i++)
		assert_int_equal(i & 0xff, out.data[i]);
	buf_done(&out);
	buf_init(&out, BYTES - 1);
	assert_int_equal(-1, mime_decode(buf_span(&coded), &part, &out, &err));
	assert_int_equal(ERR_MESSAGE, err.kind);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoding_is_lenient),
		cmocka_unit_test(decoding_of_all_bytes_gives_them_back),
		cmocka_unit_test(base64_equals_a_slow_decoder_of_it),
		cmocka_unit_test(line_ends_may_stand_anywhere),
		cmocka_unit_test(a_run_ends_with_the_first_that_is_no_digit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
