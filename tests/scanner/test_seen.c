/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>

#include "scanner/seen.h"

/* Puts in the hash of a text; was it not there? */
static bool add(struct seen *seen, const char *text)
{
	struct hash hash;
	bool is_new;

	assert_int_equal(hash_span(span_str(text), &hash, NULL), 0);
	is_new = !seen_has(seen, &hash);
	seen_add(seen, &hash);
	return is_new;
}

static void bytes_are_new_once(void **state)
{
	DEFER(seen_done) struct seen seen = { 0 };
	char text[32];

	(void)state;
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 1000; i++) {
			(void)snprintf(text, sizeof(text), "text %d", i);
			assert_int_equal(add(&seen, text), round == 0);
		}
	assert_int_equal(seen.count, 1000);
	seen_done(&seen);
	assert_true(add(&seen, text));
}

static void a_full_set_forgets_and_calls_no_new_bytes_old(void **state)
{
	DEFER(seen_done) struct seen seen = { 0 };
	char text[32];

	(void)state;
	for (int i = 0; i < SEEN_MAX; i++) {
		(void)snprintf(text, sizeof(text), "%d", i);
		assert_true(add(&seen, text));
	}
	assert_true(2 * seen.count <= seen.size);
	assert_false(add(&seen, "0"));
	assert_true(add(&seen, "another"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_new_once),
		cmocka_unit_test(a_full_set_forgets_and_calls_no_new_bytes_old),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
