/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "common/file.h"

#include "mailfilter/released.h"

#define ORIGINAL "Subject: it\r\n\r\nThe very bytes.\r\n"

static char dir[64];
static struct record *record;

static int setup(void **state)
{
	struct err err = { 0 };

	(void)state;
	(void)strcpy(dir, "/tmp/test_released.XXXXXX");
	return mkdtemp(dir) ? record_open(dir, false, &record, &err) : -1;
}

static int teardown(void **state)
{
	struct err err = { 0 };

	(void)state;
	record_close(record);
	return file_remove_tree(dir, true, &err);
}

static void keep(const char *id, const char *bytes, enum record_fate fate)
{
	struct record_quarantined item = { .size = strlen(bytes) };

	(void)snprintf(item.id, sizeof(item.id), "%s", id);
	assert_int_equal(hash_span(span_str(bytes), &item.hash, NULL), 0);
	assert_int_equal(record_put_quarantined(record, &item, NULL), 0);
	assert_int_equal(record_set_fate(record, id, fate, "name", 1, NULL), 0);
}

static bool is_released(const char *bytes)
{
	auto_body struct body body;

	body_init(&body, dir, 100000);
	assert_int_equal(body_add(&body, span_str(bytes), NULL), 0);
	return released_any(record) && released_before(record, &body);
}

static void only_what_was_released_counts(void **state)
{
	(void)state;
	assert_false(is_released(ORIGINAL));
	keep("kept", ORIGINAL, RECORD_KEPT);
	assert_false(is_released(ORIGINAL));
	keep("kept", ORIGINAL, RECORD_DELETING);
	assert_false(is_released(ORIGINAL));
	/* It may come round before its release is on record as done. */
	keep("kept", ORIGINAL, RECORD_RELEASING);
	assert_true(is_released(ORIGINAL));
	keep("kept", ORIGINAL, RECORD_RELEASED);
	assert_true(is_released(ORIGINAL));
}

static void fields_of_a_delivery_in_front_do_not_count_and_nothing_else_is_ignored(
	void **state)
{
	static const struct {
		const char *bytes;
		bool released;
	} cases[] = {
		{ ORIGINAL, true },
		{ "Return-Path: <a@b>\r\n" ORIGINAL, true },
		{ "Return-path: <a@b>\n" ORIGINAL, true },
		{ "RECEIVED: x\r\n\tby y\r\nDelivered-To: z\r\n" ORIGINAL, true },
		{ "X-Original-To: a\nEnvelope-To: b\nDelivery-Date: c\n" ORIGINAL, true },
		{ "Received:\r\n" ORIGINAL, true },
		{ "Content-Type: text/html\r\n" ORIGINAL, false },
		{ "Received: x\r\nSubject: other\r\n" ORIGINAL, false },
		{ "From x Mon\r\n" ORIGINAL, false },
		{ "\r\n" ORIGINAL, false },
		{ "Received: x\r\n\r\n" ORIGINAL, false },
		{ "Received: x\r\n " ORIGINAL, false },
		{ ORIGINAL " ", false },
		{ "Subject: it\r\n\r\nThe very bytez.\r\n", false },
		{ "", false },
	};

	(void)state;
	keep("it", ORIGINAL, RECORD_RELEASED);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (is_released(cases[i].bytes) != cases[i].released)
			fail_msg("case %zu: %s", i, cases[i].bytes);
}

static void too_many_fields_in_front_are_not_looked_through(void **state)
{
	static const char line[] = "Received: x\r\n";
	char bytes[sizeof(line) * (RELEASED_FIELDS_MAX + 2) + sizeof(ORIGINAL)] = "";
	size_t used = 0;

	(void)state;
	keep("it", ORIGINAL, RECORD_RELEASED);
	for (int i = 0; i < RELEASED_FIELDS_MAX; i++)
		used += (size_t)snprintf(bytes + used, sizeof(bytes) - used, line);
	(void)snprintf(bytes + used, sizeof(bytes) - used, ORIGINAL);
	assert_true(is_released(bytes));
	(void)snprintf(bytes + used, sizeof(bytes) - used, "%s" ORIGINAL, line);
	assert_false(is_released(bytes));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_what_was_released_counts),
		TEST(fields_of_a_delivery_in_front_do_not_count_and_nothing_else_is_ignored),
		TEST(too_many_fields_in_front_are_not_looked_through),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
