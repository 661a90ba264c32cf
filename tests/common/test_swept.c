/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "common/swept.h"

enum {
	ROOM = 4096,
	PACKED = 1 + 4 + 2 * 9 * 8 + 2, /* with no trouble */
	AT_NOW = 1 + 4,                 /* the first byte of its first time */
	AT_LAST = AT_NOW + 9 * 8
};

static const struct swept sample = { .on = true,
	.pass = 3,
	.now = { .began_s = 1800000000, .files = 5, .bytes = 10240, .infected = 1 },
	.last = { .began_s = 1700000000,
		.ended_s = 1700003600,
		.files = 50000,
		.bytes = 123456789,
		.scanned = 12,
		.infected = 2,
		.unscannable = 3,
		.unreadable = 4,
		.large = 5 } };

static void pack(const struct swept *swept, struct buf *bytes)
{
	struct pack pack;

	buf_init(bytes, ROOM);
	pack_init(&pack, bytes, NULL);
	swept_pack(&pack, swept);
	assert_int_equal(pack_result(&pack), 0);
}

static const char *unpack(struct span bytes, struct swept *swept_r)
{
	struct unpack unpack = { .rest = bytes };

	swept_unpack(&unpack, swept_r);
	return unpack.wrong;
}

static void it_comes_back_as_it_was_packed(void **state)
{
	struct swept sent = sample, got = { 0 };
	auto_buf struct buf bytes;

	(void)state;
	pack(&sent, &bytes);
	assert_int_equal(bytes.len, PACKED);
	assert_null(unpack(buf_span(&bytes), &got));
	assert_memory_equal(&got, &sent, sizeof(sent));
}

static void what_may_not_be_is_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} cases[] = { { 0, 2 }, { 0, 255 }, { AT_NOW, 1 }, { AT_NOW, 0x80 },
		{ AT_NOW + 2, 1 }, { AT_NOW + 8, 1 }, { AT_LAST, 1 }, { AT_LAST + 8, 1 },
		{ PACKED - 1, 1 }, { PACKED - 2, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct swept got = { 0 };
		auto_buf struct buf bytes;

		pack(&sample, &bytes);
		bytes.data[cases[i].at] = cases[i].value;
		if (!unpack(buf_span(&bytes), &got))
			fail_msg("byte %zu as %u", cases[i].at, cases[i].value);
		/* What is left can be shown. */
		assert_true(swept_is_sound(&got));
	}
}

static void what_is_cut_short_anywhere_is_refused(void **state)
{
	auto_buf struct buf bytes;

	(void)state;
	pack(&sample, &bytes);
	for (size_t len = 0; len < bytes.len; len++) {
		struct swept got = { 0 };

		assert_non_null(unpack((struct span){ bytes.data, len }, &got));
	}
}

static void a_struct_that_was_not_unpacked_is_looked_at(void **state)
{
	struct swept swept = sample;

	(void)state;
	assert_true(swept_is_sound(&swept));
	swept.last.ended_s = SWEPT_TIME_MAX_S;
	assert_true(swept_is_sound(&swept));
	swept.last.ended_s++;
	assert_false(swept_is_sound(&swept));
	swept = sample;
	swept.now.began_s = -1;
	assert_false(swept_is_sound(&swept));
	swept = sample;
	memset(swept.trouble, 'x', sizeof(swept.trouble));
	assert_false(swept_is_sound(&swept));
}

static void shows(const struct swept *swept, const char *expected)
{
	auto_buf struct buf out;
	const char *text = NULL;

	buf_init(&out, ROOM);
	assert_int_equal(swept_show_text(swept, &out, NULL), 0);
	assert_int_equal(buf_text(&out, &text, NULL), 0);
	assert_string_equal(text, expected);
}

static void it_is_shown_while_it_is_at_work_and_while_it_rests(void **state)
{
	static const char last[] =
		"  sweep, full pass of 2023-11-14T23:13:20Z: 50000 files, 117 MB,\n"
		"    2 infected, 3 unscannable, 4 unreadable, 5 too large\n";
	static const char now[] =
		"  sweep, at work since 2027-01-15T08:00:00Z: 5 files, 10 KB,\n"
		"    1 infected, 0 unscannable, 0 unreadable, 0 too large\n";
	struct swept swept = { 0 };
	char both[sizeof(last) + sizeof(now)];

	(void)state;
	shows(&swept, "");
	swept.on = true;
	shows(&swept, "  sweep: no pass has begun yet\n");
	swept = sample;
	(void)snprintf(both, sizeof(both), "%s%s", last, now);
	shows(&swept, both);
	assert_false(swept_rests(&swept));
	swept.now = swept.last;
	shows(&swept, last);
	assert_true(swept_rests(&swept));
	swept = sample;
	swept.last = (struct swept_pass){ 0 };
	shows(&swept, now);
}

static void json_has_all_of_it(void **state)
{
	auto_json struct json json;
	const char *text = NULL;

	(void)state;
	json_init(&json);
	json_open(&json, NULL, '{');
	swept_show_json(&sample, &json);
	json_close(&json, '}');
	assert_int_equal(buf_text(&json.out, &text, NULL), 0);
	assert_string_equal(text,
		"{\"sweep\":{\"on\":true,\"pass\":3,"
		"\"now\":{\"began\":1800000000,\"ended\":0,\"files\":5,\"bytes\":10240,"
		"\"scanned\":0,\"infected\":1,\"unscannable\":0,\"unreadable\":0,"
		"\"large\":0},"
		"\"last\":{\"began\":1700000000,\"ended\":1700003600,\"files\":50000,"
		"\"bytes\":123456789,\"scanned\":12,\"infected\":2,\"unscannable\":3,"
		"\"unreadable\":4,\"large\":5},\"trouble\":\"\"}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_comes_back_as_it_was_packed),
		cmocka_unit_test(what_may_not_be_is_refused),
		cmocka_unit_test(what_is_cut_short_anywhere_is_refused),
		cmocka_unit_test(a_struct_that_was_not_unpacked_is_looked_at),
		cmocka_unit_test(it_is_shown_while_it_is_at_work_and_while_it_rests),
		cmocka_unit_test(json_has_all_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
