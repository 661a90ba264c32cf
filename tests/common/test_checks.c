/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "common/checks.h"

static const struct checks sample = { .count = 3,
	.list = {
		{ "signatures", 1800000000, { CHECK_OK, "10 signatures" } },
		{ "space", 1800000001,
			{ CHECK_WARNING,
				"temp-dir /run/mailfilter-scanner/tmp: 30 of 1024 MB "
				"are left: remove what is not the scanner's" } },
		{ "clock", 1800000002,
			{ CHECK_CRITICAL, "it \033[31m is \xe2\x80\x8b" } },
	} };

static void pack_sample(const struct checks *checks, struct buf *out)
{
	struct pack pack;

	buf_init(out, (size_t)64 * 1024);
	pack_init(&pack, out, NULL);
	checks_pack(&pack, checks);
	assert_int_equal(pack_result(&pack), 0);
}

static void the_worst_of_all_counts(void **state)
{
	struct checks checks = sample;

	(void)state;
	assert_int_equal(checks_worst(&checks), CHECK_CRITICAL);
	checks.count = 2;
	assert_int_equal(checks_worst(&checks), CHECK_WARNING);
	checks.count = 0;
	assert_int_equal(checks_worst(&checks), CHECK_OK);
}

static void the_most_there_may_be_come_back_as_they_were(void **state)
{
	struct checks full = { .count = CHECKS_MAX }, got = { 0 };
	auto_buf struct buf out;
	struct unpack unpack;

	(void)state;
	for (size_t i = 0; i < CHECKS_MAX; i++) {
		memset(full.list[i].name, 'a' + (int)i, CHECK_NAME_MAX - 1);
		memset(full.list[i].result.text, 'x', CHECK_TEXT_MAX - 1);
		full.list[i].result.level = (enum check_level)(i % 3);
		full.list[i].since_s = INT64_MAX - (int64_t)i;
	}
	pack_sample(&full, &out);
	unpack = (struct unpack){ .rest = buf_span(&out) };
	checks_unpack(&unpack, &got);
	assert_null(unpack.wrong);
	assert_int_equal(unpack.rest.len, 0);
	assert_memory_equal(&got, &full, sizeof(full));
}

static void what_may_not_be_is_refused(void **state)
{
	static const struct {
		size_t at; /* of the byte that is wrong */
		uint8_t byte;
		const char *says;
	} cases[] = {
		{ 0, CHECKS_MAX + 1, "too many checks" },
		{ 3, 'A', "has no name" },
		{ 13, CHECK_CRITICAL + 1, "level of a check" },
		{ 14, 0x80, "time of a check" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_buf struct buf out;
		struct checks got = { 0 };
		struct unpack unpack;

		pack_sample(&sample, &out);
		out.data[cases[i].at] = cases[i].byte;
		unpack = (struct unpack){ .rest = buf_span(&out) };
		checks_unpack(&unpack, &got);
		assert_non_null(unpack.wrong);
		assert_non_null(strstr(unpack.wrong, cases[i].says));
	}
}

static void the_table_has_80_columns_and_nothing_that_moves_the_cursor(void **state)
{
	auto_buf struct buf out;
	const char *text;

	(void)state;
	buf_init(&out, 4096);
	assert_int_equal(checks_show_text(&sample, CHECK_WARNING, "  ", &out, NULL), 0);
	assert_int_equal(buf_text(&out, &text, NULL), 0);
	assert_string_equal(text,
		"  space         warning   temp-dir /run/mailfilter-scanner/tmp: 30 of 1024 MB\n"
		"                          are left: remove what is not the scanner's\n"
		"  clock         critical  it ?[31m is ???\n");
	buf_clear(&out);
	assert_int_equal(checks_show_text(&sample, CHECK_OK, "", &out, NULL), 0);
	assert_int_equal(buf_text(&out, &text, NULL), 0);
	assert_non_null(strstr(text, "signatures    ok        10 signatures\n"));
}

static void a_word_without_end_is_cut_at_the_edge(void **state)
{
	struct checks checks = { .count = 1, .list = { { .name = "a" } } };
	auto_buf struct buf out;
	const char *text;

	(void)state;
	buf_init(&out, 4096);
	memset(checks.list[0].result.text, 'x', CHECK_TEXT_MAX - 1);
	assert_int_equal(checks_show_text(&checks, CHECK_OK, "", &out, NULL), 0);
	assert_int_equal(buf_text(&out, &text, NULL), 0);
	for (const char *line = text; *line; line = strchr(line, '\n') + 1)
		assert_true(strcspn(line, "\n") <= 80);
}

static void json_has_all_of_them(void **state)
{
	auto_json struct json json;
	const char *text;

	(void)state;
	json_init(&json);
	json_open(&json, NULL, '{');
	checks_show_json(&sample, &json);
	json_close(&json, '}');
	assert_int_equal(buf_text(&json.out, &text, NULL), 0);
	assert_non_null(
		strstr(text, "{\"checks\":[{\"check\":\"signatures\",\"level\":\"ok\","
			     "\"since\":1800000000,\"text\":\"10 signatures\"},"));
	assert_non_null(strstr(text, "\\u001b[31m"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_worst_of_all_counts),
		cmocka_unit_test(the_most_there_may_be_come_back_as_they_were),
		cmocka_unit_test(what_may_not_be_is_refused),
		cmocka_unit_test(
			the_table_has_80_columns_and_nothing_that_moves_the_cursor),
		cmocka_unit_test(a_word_without_end_is_cut_at_the_edge),
		cmocka_unit_test(json_has_all_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
