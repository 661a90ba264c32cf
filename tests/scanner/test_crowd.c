/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "scanner/crowd.h"

#include "tests/scanner/fixture.h"

#define UNIT "begin 644 x\r\n#0V%T\r\n"

enum {
	FILES_MAX = 100
};

static struct fixture fixture;

static int start(void **state)
{
	(void)state;
	fixture_start(&fixture);
	fixture.settings.files_max = FILES_MAX;
	fixture_load(&fixture);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fixture_stop(&fixture);
	return 0;
}

static void add(struct buf *text, const char *unit, int count)
{
	for (int i = 0; i < count; i++)
		assert_int_equal(buf_add_str(text, unit, NULL), 0);
}

static void what_libclamav_takes_for_a_start_is_counted(void **state)
{
	static const struct {
		const char *unit;
		int each;
	} cases[] = {
		{ "begin 644 x\n", 1 },
		{ "begin 644 x\r", 1 },
		{ "bEGIN 777 \n", 1 },
		{ "begin 644 x\nbegin 644 y\n", 2 },
		{ "Begin 644 x\n", 0 },
		{ " begin 644 x\n", 0 },
		{ "begin 64 xyz\n", 0 },
		{ "begin 6444 x\n", 0 },
		{ "begin at once\n", 0 },
		{ "text begin 644 x\n", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_buf struct buf text;
		uint64_t count = UINT64_C(10) * (uint64_t)cases[i].each;

		buf_init(&text, FIXTURE_MAX);
		add(&text, cases[i].unit, 10);
		assert_false(crowd_is_over(buf_span(&text), count));
		if (count > 0)
			assert_true(crowd_is_over(buf_span(&text), count - 1));
	}
	assert_false(crowd_is_over((struct span){ 0 }, 0));
}

static void a_start_that_is_cut_off_is_none(void **state)
{
	static const char whole[] = "begin 644 ";

	(void)state;
	for (size_t len = 0; len < sizeof(whole) - 1; len++) {
		uint8_t *copy = malloc(len + 1);

		memcpy(copy, whole, len);
		assert_false(crowd_is_over((struct span){ copy, len }, 0));
		free(copy);
	}
	assert_true(crowd_is_over(span_str(whole), 0));
}

/* Up to the limit all is looked at; past it nothing is called clean, and no file is made. */
static void more_uuencoded_files_than_the_limit_are_a_limit(void **state)
{
	struct result result;
	auto_buf struct buf mail, zip;

	(void)state;
	buf_init(&mail, FIXTURE_MAX);
	buf_init(&zip, FIXTURE_MAX);
	add(&mail, "From: a@example.org\r\nMIME-Version: 1.0\r\n\r\n", 1);
	add(&mail, UNIT, FILES_MAX - 1);
	engine_scan(fixture.engine, buf_span(&mail), NULL, &result);
	assert_int_equal(result.kind, VERDICT_CLEAN);
	add(&mail, UNIT, 2);
	engine_scan(fixture.engine, buf_span(&mail), NULL, &result);
	assert_int_equal(result.kind, VERDICT_UNSCANNABLE);
	assert_int_equal(result.reason, REASON_LIMIT);
	assert_non_null(strstr(result.detail, "files-max"));
	make_zip(&zip, "crowd.eml", buf_span(&mail), 0);
	engine_scan(fixture.engine, buf_span(&zip), NULL, &result);
	assert_int_equal(result.kind, VERDICT_UNSCANNABLE);
	assert_int_equal(result.reason, REASON_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_libclamav_takes_for_a_start_is_counted),
		cmocka_unit_test(a_start_that_is_cut_off_is_none),
		cmocka_unit_test_setup_teardown(
			more_uuencoded_files_than_the_limit_are_a_limit, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
