/* SPDX-License-Identifier: ISC
 *
 * Messages that are too much of something. */
#include "tests/common/parsed.h"

struct limit {
	const char *before, *each;
	size_t count;
	const char *after;
	unsigned doubts; /* at least */
	size_t parts;
};

static void limits_hold_and_are_told(void **state)
{
	static const struct limit table[] = {
		{ "A: ", "x", MIME_FIELD_BYTES_MAX, "\n\nx", MIME_DOUBT_HEADER_LIMIT, 1 },
		{ "", "A: b\n", MIME_HEADER_FIELDS_MAX, "\nx", 0, 1 },
		{ "", "A: b\n", MIME_HEADER_FIELDS_MAX + 1, "\nx",
			MIME_DOUBT_HEADER_LIMIT, 1 },
		{ "",
			"A: 4567890 234567890 234567890 234567890 234567890 234567890 234567890 "
			"234567890 234567890 234567890 234567890 234567890 234567890 234567890 "
			"234567890 234567890 234567890 234567890 234567890 234567890 234567890 "
			"234567890 234567890 234567890 234567890 234567890 234567890 234567890 "
			"234567890\n",
			950, "\nx", MIME_DOUBT_HEADER_LIMIT, 1 },
		{ "Content-Type: a/b", "; c=d", 5000, "\n\nx", MIME_DOUBT_HEADER_LIMIT,
			1 },
		{ "To: ", "a:", 20000, "\n\nx", MIME_DOUBT_HEADER_LIMIT, 1 },
		/* The same in a nested block. */
		{ MIXED "--b\n", "A: b\n", MIME_HEADER_FIELDS_MAX + 1,
			"Content-Type: message/rfc822\n\nx\n--b--\n",
			MIME_DOUBT_HEADER_LIMIT, 2 },
		{ MIXED, "--b\n\nx\n", MIME_PARTS_MAX - 1, "--b--\n", 0, MIME_PARTS_MAX },
		{ MIXED, "--b\n\nx\n", MIME_PARTS_MAX, "--b--\n", MIME_DOUBT_PARTS,
			MIME_PARTS_MAX },
		{ MIXED, "--b\n", 100000, "--b--\n", MIME_DOUBT_PARTS, MIME_PARTS_MAX },
		{ "", "Content-Type: message/rfc822\n\n", MIME_DEPTH_MAX, "\nx", 0,
			MIME_DEPTH_MAX + 1 },
		{ "", "Content-Type: message/rfc822\n\n", MIME_DEPTH_MAX + 1, "\nx",
			MIME_DOUBT_DEPTH, MIME_DEPTH_MAX + 1 },
		{ "", "Content-Type: message/rfc822\n\n", 100000, "\nx", MIME_DOUBT_DEPTH,
			MIME_DEPTH_MAX + 1 },
		{ "", MIXED "--b\n", 60000, "\nx", MIME_DOUBT_DEPTH | MIME_DOUBT_PARTS,
			MIME_PARTS_MAX },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(table); i++) {
		auto_buf struct buf text = repeated(
			table[i].before, table[i].each, table[i].count, table[i].after);
		struct mime *mime = parse(buf_span(&text));

		check_shape(buf_span(&text), mime);
		if (mime->count != table[i].parts ||
			(mime->doubts & table[i].doubts) != table[i].doubts ||
			(table[i].doubts == 0 && mime->doubts != 0))
			fail_msg("%zu: %zu parts, doubts %#x", i, mime->count,
				mime->doubts);
		mime_free(mime);
	}
}

static void what_is_over_a_limit_is_a_leaf_of_no_type(void **state)
{
	auto_buf struct buf text = repeated(
		"Content-Type: text/plain\n", "A: b\n", MIME_HEADER_FIELDS_MAX, "\nbody");
	struct mime *mime = parse(buf_span(&text));

	(void)state;
	assert_string_equal("application/octet-stream", mime->parts[0].type);
	assert_true(
		span_equal(span_str("body"), body_of(buf_span(&text), &mime->parts[0])));
	mime_free(mime);
}

static void paths_are_unique_at_any_depth(void **state)
{
	auto_buf struct buf text =
		repeated("", "Content-Type: message/rfc822\n\n", MIME_DEPTH_MAX, "\nx");
	struct mime *mime = parse(buf_span(&text));

	(void)state;
	for (size_t i = 1; i < mime->count; i++)
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(mime->parts[i].path, mime->parts[j].path);
	mime_free(mime);
}

/* A header that GMime is slow or deep with, or could be. */
static void hostile_headers_end_soon(void **state)
{
	static const char *const fields[] = { "To: ", "Subject: ",
		"Content-Type: a/b; c=", "Content-Disposition: ", "References: ",
		"Content-Transfer-Encoding: " };
	static const char *const fills[] = { "(", "<", "\"", "\\", "a@b,", "=?",
		"=?a?q?b?= ", "[", ",", "*0=", "%", "a:" };

	(void)state;
	for (size_t i = 0; i < COUNT(fields) * COUNT(fills); i++) {
		const char *fill = fills[i % COUNT(fills)];
		auto_buf struct buf text = repeated(
			fields[i / COUNT(fills)], fill, 60000 / strlen(fill), "\n\nx\n");
		struct mime *mime = parse(buf_span(&text));

		check_shape(buf_span(&text), mime);
		mime_free(mime);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_hold_and_are_told),
		cmocka_unit_test(what_is_over_a_limit_is_a_leaf_of_no_type),
		cmocka_unit_test(paths_are_unique_at_any_depth),
		cmocka_unit_test(hostile_headers_end_soon),
	};
	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
