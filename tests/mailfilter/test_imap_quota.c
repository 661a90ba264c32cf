/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>

#include "mailfilter/imap_quota.h"

static const struct quota_case {
	const char *in;
	bool quota;
	uint64_t used_kb, max_kb;
} cases[] = {
	{ "", false, 0, 0 },
	{ "* QUOTA \"\" (STORAGE 10 512)\r\n", true, 10, 512 },
	{ "* QUOTA \"\" (MESSAGE 1 2 storage 10 512)\r\n", true, 10, 512 },
	{ "* QUOTA a (STORAGE 10 512)\r\n* QUOTA b (STORAGE 90 100)\r\n", true, 90, 100 },
	{ "* QUOTA b (STORAGE 90 100)\r\n* QUOTA a (STORAGE 10 512)\r\n", true, 90, 100 },
	{ "* QUOTA b (STORAGE 900 100)\r\n* QUOTA a (STORAGE 10 512)\r\n", true, 900,
		100 },
	{ "* QUOTA \"odd (root)\" (STORAGE 1 2)\r\n", true, 1, 2 },
	{ "* QUOTA \"\" (MESSAGE 1 2)\r\n", false, 0, 0 },
	{ "* QUOTA \"\" ()\r\n", false, 0, 0 },
	{ "* QUOTA \"\" (STORAGE 10)\r\n", false, 0, 0 },
	{ "* QUOTA \"\" (STORAGE -1 x)\r\n", false, 0, 0 },
	{ "* QUOTA \"\" (STORAGE 99999999999999999999999999999 1)\r\n", false, 0, 0 },
	{ "* QUOTA \"\" (STORAGE 18446744073709551615 1)\r\n", false, 0, 0 },
	{ "* QUOTA \"\" (STORAGE 1 2", true, 1, 2 },
	{ "(((((", false, 0, 0 },
	{ "\n\n\n)", false, 0, 0 },
};

static void the_tightest_quota_counts_and_what_is_none_is_passed_over(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct source_facts facts = { 0 };

		print_message("%s\n", cases[i].in);
		imap_quota_read(span_str(cases[i].in), &facts);
		assert_int_equal(facts.quota, cases[i].quota);
		assert_int_equal(facts.quota_used, cases[i].used_kb * 1024);
		assert_int_equal(facts.quota_max, cases[i].max_kb * 1024);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_tightest_quota_counts_and_what_is_none_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
