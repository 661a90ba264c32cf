/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "mailfilter/hoard.h"

#define NOW INT64_C(1800000000)
#define DAY INT64_C(86400)

static void too_much_and_too_old_is_told_of(void **state)
{
	static const struct {
		struct hoard hoard;
		struct hoard_limits limits;
		enum check_level level;
		const char *says;
	} cases[] = {
		{ { 0, 0, 0 }, { 1000, 180 }, CHECK_OK, "0 originals of 0 MB" },
		{ { 2, 1000, NOW }, { 1000, 180 }, CHECK_OK, "2 originals of 0 MB" },
		{ { 2, 1001, NOW }, { 1000, 180 }, CHECK_WARNING, "quarantine-days" },
		{ { 2, 4003, NOW }, { 1000, 180 }, CHECK_WARNING, "delete some" },
		{ { 2, 4004, NOW }, { 1000, 180 }, CHECK_CRITICAL, "delete some" },
		{ { 2, UINT64_MAX, NOW }, { 1000, 180 }, CHECK_CRITICAL, "2 originals" },
		{ { 2, UINT64_MAX, NOW }, { 0, 180 }, CHECK_OK, "2 originals" },
		/* The day of its end, and those in which nobody may have come by. */
		{ { 1, 1, NOW - 183 * DAY }, { 1000, 180 }, CHECK_OK, "1 originals" },
		{ { 1, 1, NOW - 184 * DAY }, { 1000, 180 }, CHECK_WARNING,
			"for 184 days, and should have gone after 180" },
		{ { 1, 1, NOW - 210 * DAY }, { 1000, 180 }, CHECK_WARNING, "210 days" },
		{ { 1, 1, NOW - 211 * DAY }, { 1000, 180 }, CHECK_CRITICAL, "expire" },
		{ { 1, 1, NOW - 999 * DAY }, { 1000, 0 }, CHECK_OK, "1 originals" },
		{ { 1, 1, NOW + 999 * DAY }, { 1000, 180 }, CHECK_OK, "1 originals" },
		/* Both: the worse is told. */
		{ { 1, 1001, NOW - 211 * DAY }, { 1000, 180 }, CHECK_CRITICAL,
			"211 days" },
		{ { 1, 9001, NOW - 184 * DAY }, { 1000, 180 }, CHECK_CRITICAL, "delete" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct check_result result;

		hoard_check(&cases[i].hoard, &cases[i].limits, NOW, &result);
		if (result.level != cases[i].level || !strstr(result.text, cases[i].says))
			fail_msg("case %zu: %s: %s", i, check_level_name(result.level),
				result.text);
		assert_true(strlen(result.text) < CHECK_TEXT_MAX - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(too_much_and_too_old_is_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
