/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>

#include "common/embedded.h"

enum {
	ROOM = 1024 * 1024
};

#define LONG_LINE "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJz\n"

static struct span span_of(const char *text, size_t size)
{
	return (struct span){ (const uint8_t *)text, size - 1 };
}

/* Every file in a text, one behind the other, "|" behind each. */
static void files_of(struct span text, struct buf *out)
{
	struct embedded block = { 0 };
	size_t pos = 0;

	while (embedded_find(text, pos, &block)) {
		struct span bytes, resource = { NULL, 0 };
		auto_buf struct buf decoded;

		buf_init(&decoded, ROOM);
		assert_true(block.start >= pos && block.end <= text.len);
		assert_true(block.data >= block.start && block.data <= block.end);
		assert_true(block.next > block.start);
		assert_int_equal(embedded_decode(text, &block, &decoded, NULL), 0);
		bytes = buf_span(&decoded);
		if (block.kind == EMBEDDED_BINHEX)
			binhex_forks(buf_span(&decoded), &bytes, &resource);
		assert_int_equal(buf_add(out, bytes.data, bytes.len, NULL), 0);
		assert_int_equal(buf_add(out, resource.data, resource.len, NULL), 0);
		assert_int_equal(buf_add_str(out, "|", NULL), 0);
		pos = block.next;
	}
}

static const struct {
	const char *text;
	size_t size;
	const char *files;
} cases[] = {
#define CASE(text, files)                                                                \
	{                                                                                \
		text, sizeof(text), files                                                \
	}
	CASE("", ""),
	CASE("Nothing here.\nbegin the day well\nThat is all.\n", ""),
	CASE("One\nword\neach\nline\n", ""),
	CASE("begin 644 a\n#0V%T\n`\nend\n", "Cat|"),
	CASE("text\r\nbegin 644 a\r\n#0V%T\r\n`\r\nend\r\ntext\r\n", "Cat|"),
	CASE("begin 644 a\n#0V%T\nend\n\nbegin 755 b\n#0V%T\n#0V%T\nend\n",
		"Cat|CatCat|"),
	/* no end; no mode; the next begins before the end */
	CASE("begin 644 a\n#0V%T", "Cat|"),
	CASE("begin  a\n#0V%T\nend\n", "Cat|"),
	CASE("begin 644 a\n#0V%T\nbegin 644 b\n#0V%T\n", "Cat|Cat|"),
	CASE("=ybegin line=128 size=3 name=a\n\x6d\x8b\x9e\n=yend size=3\n", "Cat|"),
	CASE("=ybegin part=1 line=128 size=3 name=a\n=ypart begin=1 end=3\n"
	     "\x6d=\xcb\x9e\r\n",
		"Cat|"),
	CASE("=ybegin line=128 size=1 name=a\n..\n=yend\n", "\x04|"),
	CASE("(This file must be converted with BinHex 4.0)\n\n"
	     ":\"f0XBA&Z5'P8!!!\"3!!\")!!!!!*0Ac)!!!!:\n",
		NULL),
	CASE("It is:\n" LONG_LINE "QUFBQQ==\n\nThis.\n",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrsAAAA|"),
};

static void files_are_found_and_decoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_buf struct buf out;
		const char *files;

		buf_init(&out, ROOM);
		files_of(span_of(cases[i].text, cases[i].size), &out);
		assert_int_equal(buf_text(&out, &files, NULL), 0);
		/* Of BinHex only that there is one. */
		if (cases[i].files)
			assert_string_equal(files, cases[i].files);
		else
			assert_non_null(strchr(files, '|'));
	}
}

static void base64_starts_anew_behind_padding_and_short_lines(void **state)
{
	static const char text[] =
		"Hello\n" LONG_LINE "QQ==\n" LONG_LINE LONG_LINE "no base64!\n";
	struct embedded block = { 0 };
	size_t starts[8] = { 0 }, count = 0;

	(void)state;
	for (size_t pos = 0; embedded_find(span_str(text), pos, &block);
		pos = block.next) {
		assert_true(count < 8);
		assert_int_equal(block.kind, EMBEDDED_BASE64);
		assert_int_equal(block.end, sizeof(text) - 1 - strlen("no base64!\n"));
		starts[count++] = block.start;
	}
	assert_int_equal(count, 3);
	assert_int_equal(starts[0], 0);
	assert_int_equal(starts[1], strlen("Hello\n"));
	assert_int_equal(starts[2], strlen("Hello\n" LONG_LINE "QQ==\n"));
}

static void binhex_runs_are_bounded_by_the_room(void **state)
{
	/* 0x01 0x90 0xff: 255 bytes */
	static const char run[] = "!C$r";
	auto_buf struct buf text, out, more;
	struct embedded block = { 0 };
	struct err err = { 0 };

	(void)state;
	buf_init(&text, ROOM);
	buf_init(&out, 4096);
	buf_init(&more, ROOM);
	assert_int_equal(buf_add_str(&text, ":", NULL), 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buf_add_str(&text, run, NULL), 0);
	assert_true(embedded_find(buf_span(&text), 0, &block));
	assert_int_equal(block.kind, EMBEDDED_BINHEX);
	assert_int_equal(embedded_decode(buf_span(&text), &block, &out, &err), -1);
	assert_int_equal(err.kind, ERR_MESSAGE);
	assert_int_equal(embedded_decode(buf_span(&text), &block, &more, &err), 0);
	assert_int_equal(more.len, 255 * 1000);
}

static void cut_binhex_gives_what_there_is(void **state)
{
	static const uint8_t whole[] = { 1, 'a', 0, 'T', 'E', 'X', 'T', 't', 't', 'x',
		't', 0, 0, 0, 0, 0, 3, 0, 0, 0, 2, 9, 9, 'C', 'a', 't', 9, 9, 'r', 's', 9,
		9 };
	struct span data = { NULL, 0 }, resource = { NULL, 0 };

	(void)state;
	binhex_forks((struct span){ whole, sizeof(whole) }, &data, &resource);
	assert_true(span_equal(data, span_str("Cat")));
	assert_true(span_equal(resource, span_str("rs")));
	for (size_t len = 0; len < sizeof(whole); len++) {
		uint8_t *copy = malloc(len + 1);

		memcpy(copy, whole, len);
		binhex_forks((struct span){ copy, len }, &data, &resource);
		assert_true(data.len + resource.len <= len);
		free(copy);
	}
}

static void mutated_texts_do_no_harm(void **state)
{
	unsigned seed = 7;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t i = (size_t)round % (sizeof(cases) / sizeof(*cases));
		size_t len = cases[i].size - 1;
		uint8_t *copy = malloc(len + 1);
		auto_buf struct buf out;

		buf_init(&out, ROOM);
		memcpy(copy, cases[i].text, len);
		for (int n = 0; len > 0 && n < 3; n++) {
			seed = seed * 1103515245 + 12345;
			copy[(seed >> 8) % len] = (uint8_t)(seed >> 16);
		}
		files_of((struct span){ copy, len }, &out);
		free(copy);
	}
}

/* All that was looked at to find every file in so much of it. */
static size_t work(const char *head, const char *unit, size_t size)
{
	struct embedded block = { 0 };
	size_t looked = 0, pos = 0;
	bool found = true;
	auto_buf struct buf text;

	buf_init(&text, ROOM);
	assert_int_equal(buf_add_str(&text, head, NULL), 0);
	while (text.len < size)
		assert_int_equal(buf_add_str(&text, unit, NULL), 0);
	while (found) {
		found = embedded_find(buf_span(&text), pos, &block);
		looked += block.looked;
		pos = block.next;
	}
	return looked;
}

static void the_work_grows_with_the_text_and_no_faster(void **state)
{
	static const struct {
		const char *head, *unit;
	} texts[] = { { "", "begin 644 x\n" }, { "", "begin 644 x\n#0V%T\n" },
		{ "begin 644 x\n#0V%T\n", "begin 644\n" },
		{ "", "=ybegin line=9 size=1 name=x\n" }, { "=ybegin \n", "=y\n" },
		{ "", ":aaaaaaaaaaaaaaaaaaaaaa\n" }, { "", ":a" }, { "", ":\n" },
		{ ":", "\n" }, { "", "\n" }, { "", "\r\n" }, { "", "\r" }, { "", " \n" },
		{ "QQ\n", "\n" }, { "QQ\n", " \n" }, { "", "QQ\n" },
		{ "", "QQ\n\n\n*\n" }, { "", "QUJD=\n" }, { "", "=\n" },
		{ "", "QUJD=\n\n\n\n\n\n\n\n" }, { "", LONG_LINE },
		{ "", "QQ\n" LONG_LINE }, { "", "QQ==" LONG_LINE },
		{ "", LONG_LINE "\n\n\n\n\n\n" }, { "", "word " }, { "", "a word\n" } };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		size_t once = work(texts[i].head, texts[i].unit, ROOM / 4);
		size_t twice = work(texts[i].head, texts[i].unit, ROOM / 2);

		assert_in_range(twice, 0, 2 * once + once / 4 + 1024);
		assert_in_range(twice, 0, 100 * ROOM / 2);
	}
}

/* With what the last call found, or without: the same files. */
static void what_is_known_changes_nothing_but_the_work(void **state)
{
	static const char *const pieces[] = { LONG_LINE, "QQ==\n", "QUJD\n", "\n", "\r\n",
		"=\n", "*\n", "begin 644 x\n", "#0V%T\n", " \n", "=ybegin x\n", "ab" };
	unsigned seed = 11;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct embedded known = { 0 };
		auto_buf struct buf text;
		bool found = true;
		size_t pos = 0;

		buf_init(&text, ROOM);
		for (int n = 0; n < 30; n++) {
			seed = seed * 1103515245 + 12345;
			assert_int_equal(
				buf_add_str(&text,
					pieces[(seed >> 16) %
						(sizeof(pieces) / sizeof(*pieces))],
					NULL),
				0);
		}
		while (found) {
			struct embedded alone = { 0 };

			found = embedded_find(buf_span(&text), pos, &known);
			assert_int_equal(
				embedded_find(buf_span(&text), pos, &alone), found);
			assert_true(known.looked <= alone.looked);
			assert_int_equal(known.kind, alone.kind);
			assert_int_equal(known.start, alone.start);
			assert_int_equal(known.end, alone.end);
			assert_int_equal(known.data, alone.data);
			assert_int_equal(known.next, alone.next);
			assert_true(!found || known.next > pos);
			pos = known.next;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_found_and_decoded),
		cmocka_unit_test(base64_starts_anew_behind_padding_and_short_lines),
		cmocka_unit_test(binhex_runs_are_bounded_by_the_room),
		cmocka_unit_test(cut_binhex_gives_what_there_is),
		cmocka_unit_test(mutated_texts_do_no_harm),
		cmocka_unit_test(the_work_grows_with_the_text_and_no_faster),
		cmocka_unit_test(what_is_known_changes_nothing_but_the_work),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
