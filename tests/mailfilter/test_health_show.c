/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "mailfilter/health_show.h"

enum {
	ROOM = 8192,
	COLUMNS_MAX = 80
};

static const char *text_of(const struct health *health, struct buf *out)
{
	const char *text;

	buf_init(out, ROOM);
	assert_int_equal(health_show_text(health, out, NULL), 0);
	assert_int_equal(buf_text(out, &text, NULL), 0);
	return text;
}

static void a_scanner_that_did_nothing_shows_nothing(void **state)
{
	const struct health health = { .counts = { [HEALTH_WORKERS] = 4 } };
	auto_buf struct buf out = { 0 };

	(void)state;
	assert_string_equal(text_of(&health, &out), "");
}

static void verdicts_failures_and_times_are_shown(void **state)
{
	static const char expected[] =
		"  since its start: 40 clean, 3 infected, 0 to be tried again,\n"
		"    3 unscannable (1 encrypted, 2 limit)\n"
		"  1 workers took too long\n"
		"  7 attempts to connect were refused\n"
		"  scans lately, in ms:           until the verdict            of that in workers\n"
		"  size          scans      p50      p95      p99         p50      p95      p99\n"
		"  to 10 KB         42       12      101      205          10       81      190\n"
		"  larger            4     2111     3333     4444        2000     3000     4000\n";
	struct health health = { .counts = { [HEALTH_CLEAN] = 40,
					 [HEALTH_INFECTED] = 3,
					 [HEALTH_UNSCANNABLE] = 3,
					 [HEALTH_ENCRYPTED] = 1,
					 [HEALTH_LIMIT] = 2,
					 [HEALTH_LATE] = 1,
					 [HEALTH_CONNECTIONS] = 7 } };
	auto_buf struct buf out = { 0 };

	(void)state;
	health.times[0] = (struct health_times){ 42, { 12, 101, 205 }, { 10, 81, 190 } };
	health.times[4] =
		(struct health_times){ 4, { 2111, 3333, 4444 }, { 2000, 3000, 4000 } };
	assert_string_equal(text_of(&health, &out), expected);
}

static void the_table_fits_whatever_stands_in_it(void **state)
{
	static const uint32_t values[] = { 0, 9999999, 10000000, 99999999, 100000000,
		UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		uint32_t ms = values[i];
		struct health health = { 0 };
		auto_buf struct buf out = { 0 };
		const char *line;

		for (size_t j = 0; j < HEALTH_CLASSES; j++)
			health.times[j] = (struct health_times){ ms, { ms, ms, ms },
				{ ms, ms, ms } };
		line = text_of(&health, &out);
		while (*line) {
			size_t len = strcspn(line, "\n");

			assert_in_range(len, 1, COLUMNS_MAX);
			line += len + 1;
		}
	}
}

static void scripts_get_all_of_it(void **state)
{
	struct health health = { .counts = { [HEALTH_LIMIT] = 12345678901 } };
	auto_json struct json json;
	const char *text;

	(void)state;
	health.times[2] = (struct health_times){ 1, { 2, 3, 4 }, { 5, 6, 7 } };
	json_init(&json);
	json_open(&json, NULL, '{');
	health_show_json(&health, &json);
	json_close(&json, '}');
	assert_int_equal(buf_text(&json.out, &text, NULL), 0);
	assert_non_null(strstr(text, "\"unscannable_limit\":12345678901,"));
	assert_non_null(strstr(text,
		"{\"size_max\":1048576,\"scans\":1,\"p50_ms\":2,\"p95_ms\":3,\"p99_ms\":4,"
		"\"work_p50_ms\":5,\"work_p95_ms\":6,\"work_p99_ms\":7}"));
	assert_non_null(strstr(text, "{\"size_max\":0,\"scans\":0,"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_scanner_that_did_nothing_shows_nothing),
		cmocka_unit_test(verdicts_failures_and_times_are_shown),
		cmocka_unit_test(the_table_fits_whatever_stands_in_it),
		cmocka_unit_test(scripts_get_all_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
