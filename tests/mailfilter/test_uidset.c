/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "mailfilter/uidset.h"

static void sets_are_compact(void **state)
{
	static const uint32_t uids[] = { 1, 2, 3, 4, 7, 9, 10, 4294967294U, 4294967295U };
	char text[UIDSET_TEXT_MAX];

	(void)state;
	assert_int_equal(uidset_text(uids, 9, text), 9);
	assert_string_equal(text, "1:4,7,9:10,4294967294:4294967295");
	assert_int_equal(uidset_text(uids, 1, text), 1);
	assert_string_equal(text, "1");
	assert_int_equal(uidset_text(uids, 0, text), 0);
	assert_string_equal(text, "");
}

static void a_long_set_is_cut_between_uids(void **state)
{
	uint32_t uids[3000];
	char text[UIDSET_TEXT_MAX];
	size_t done = 0, parts = 0;

	(void)state;
	for (size_t i = 0; i < 3000; i++)
		uids[i] = (uint32_t)(4000000000U + 2 * i);
	while (done < 3000) {
		size_t taken = uidset_text(uids + done, 3000 - done, text);
		char first[16];

		assert_true(taken > 0);
		(void)snprintf(first, sizeof(first), "%u", uids[done]);
		assert_memory_equal(text, first, strlen(first));
		(void)snprintf(first, sizeof(first), ",%u", uids[done + taken - 1]);
		assert_string_equal(text + strlen(text) - strlen(first), first);
		done += taken;
		parts++;
	}
	assert_int_equal(parts, 5);
}

static void uids_are_read_in_order_and_once(void **state)
{
	static const struct source_item items[] = { { .uid = "9" }, { .uid = "2" },
		{ .uid = "9" }, { .uid = "4294967295" } };
	auto_free uint32_t *uids = NULL;
	size_t count;
	struct err err;

	(void)state;
	assert_int_equal(uidset_read(items, 4, &uids, &count, &err), 0);
	assert_int_equal(count, 3);
	assert_int_equal(uids[0], 2);
	assert_int_equal(uids[1], 9);
	assert_int_equal(uids[2], 4294967295U);
}

static void what_is_no_uid_is_refused(void **state)
{
	static const char *const odd[] = { "", "0", "-1", "1:*", "4294967296", "7 " };

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct source_item item = { 0 };
		uint32_t *uids = NULL;
		size_t count;
		struct err err;

		(void)snprintf(item.uid, sizeof(item.uid), "%s", odd[i]);
		assert_int_equal(uidset_read(&item, 1, &uids, &count, &err), -1);
		assert_int_equal(err.kind, ERR_MESSAGE);
		assert_null(uids);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_are_compact),
		cmocka_unit_test(a_long_set_is_cut_between_uids),
		cmocka_unit_test(uids_are_read_in_order_and_once),
		cmocka_unit_test(what_is_no_uid_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
