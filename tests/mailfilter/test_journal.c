/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"

#include "mailfilter/journal.h"

static char path[64];

static int setup(void **state)
{
	int fd;

	(void)state;
	(void)snprintf(path, sizeof(path), "/tmp/test_journal.XXXXXX");
	fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	return 0;
}

/* Each line in brackets; one that says so is the last. */
static int note(void *arg, char *line, struct err *err)
{
	if (buf_printf(arg, err, "[%s]", line) < 0)
		return -1;
	return strcmp(line, "stop") == 0 ? err_set(err, ERR_FATAL, "told to") : 0;
}

static void each_whole_line_is_taken_in_its_order(void **state)
{
	static const struct {
		const char *content, *taken;
	} cases[] = {
		{ "", "" },
		{ "one\ntwo\n", "[one][two]" },
		{ "one\n\ntwo\n", "[one][][two]" },
		{ "one\ntor", "[one]" },
		{ "tor", "" },
		{ "one\nstop\ntwo\n", "[one][stop]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool stops = strstr(cases[i].content, "stop") != NULL;
		auto_buf struct buf taken;
		struct err err = { 0 };

		buf_init(&taken, 100);
		assert_int_equal(
			file_replace(path, span_str(cases[i].content), 0600, &err), 0);
		assert_int_equal(
			journal_load(path, 100, note, &taken, &err), stops ? -1 : 0);
		assert_true(span_equal(buf_span(&taken), span_str(cases[i].taken)));
	}
}

static void a_file_that_is_missing_is_empty_and_one_too_long_is_refused(void **state)
{
	struct err err = { 0 };
	auto_buf struct buf taken;

	(void)state;
	buf_init(&taken, 100);
	assert_int_equal(journal_load("/nowhere/at/all", 8, note, &taken, &err), 0);
	assert_int_equal(file_replace(path, span_str("one\ntwo\n\n"), 0600, &err), 0);
	assert_int_equal(journal_load(path, 8, note, &taken, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
	assert_int_equal(journal_load(path, 9, note, &taken, &err), 0);
	assert_int_equal(taken.len, strlen("[one][two][]"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_whole_line_is_taken_in_its_order),
		TEST(a_file_that_is_missing_is_empty_and_one_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
