/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>

#include "scanner/seen.h"

static bool add(struct seen *seen, const char *text)
{
	bool is_new;

	assert_int_equal(seen_add(seen, span_str(text), &is_new, NULL), 0);
	return is_new;
}

static void bytes_are_new_once(void **state)
{
	DEFER(seen_done) struct seen seen = { 0 };
	char text[32];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(text, sizeof(text), "text %d", i);
		assert_true(add(&seen, text));
	}
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(text, sizeof(text), "text %d\r\n", i);
		assert_false(add(&seen, text));
	}
	assert_int_equal(seen.count, 1000);
	assert_true(add(&seen, "text 1 "));
	assert_true(add(&seen, ""));
	assert_false(add(&seen, "\n"));
}

static void a_full_set_forgets_and_calls_no_new_bytes_old(void **state)
{
	DEFER(seen_done) struct seen seen = { 0 };
	char text[32];

	(void)state;
	for (int i = 0; i < SEEN_MAX + 10; i++) {
		(void)snprintf(text, sizeof(text), "%d", i);
		assert_true(add(&seen, text));
	}
	assert_int_equal(seen.count, SEEN_MAX);
	assert_false(add(&seen, "0"));
	assert_true(add(&seen, text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_new_once),
		cmocka_unit_test(a_full_set_forgets_and_calls_no_new_bytes_old),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
