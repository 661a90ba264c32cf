/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "mailfilter/remarks.h"

static void of_all_that_is_wrong_the_settings_then_the_login_give_the_code(void **state)
{
	static const struct {
		enum remark_kind kinds[3];
		int code;
		size_t wrong;
	} cases[] = {
		{ { REMARK_OK, REMARK_OK, REMARK_OK }, EX_OK, 0 },
		{ { REMARK_OK, REMARK_NOTE, REMARK_OK }, EX_OK, 0 },
		{ { REMARK_UNREACHED, REMARK_NOTE, REMARK_OK }, EX_TEMPFAIL, 1 },
		{ { REMARK_UNREACHED, REMARK_LOGIN, REMARK_OK }, EX_NOPERM, 2 },
		{ { REMARK_SETTINGS, REMARK_LOGIN, REMARK_UNREACHED }, EX_CONFIG, 3 },
		{ { REMARK_STEP, REMARK_OK, REMARK_SETTINGS }, EX_CONFIG, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct remarks remarks = REMARKS_NONE;

		for (size_t j = 0; j < 3; j++)
			remarks_add(
				&remarks, cases[i].kinds[j], "account a", "login", "x");
		assert_int_equal(remarks_exit_code(&remarks), cases[i].code);
		assert_int_equal(remarks_count_wrong(&remarks), cases[i].wrong);
		assert_int_equal(remarks_wrong(&remarks, "account a", "login"),
			cases[i].wrong > 0);
		assert_int_equal(
			remarks_wrong(&remarks, "account a", NULL), cases[i].wrong > 0);
		assert_false(remarks_wrong(&remarks, "account b", NULL));
		assert_false(remarks_wrong(&remarks, "account a", "source"));
		remarks_done(&remarks);
	}
}

static void they_grow_and_a_long_text_is_cut(void **state)
{
	struct remarks remarks = REMARKS_NONE;
	char text[2 * ERR_TEXT_MAX];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 100; i++)
		remarks_add(&remarks, REMARK_NOTE, text, text, "%d %s", i, text);
	assert_int_equal(remarks.count, 100);
	assert_memory_equal(remarks.items[99].text, "99 x", 4);
	assert_int_equal(strlen(remarks.items[99].text), ERR_TEXT_MAX - 1);
	assert_int_equal(strlen(remarks.items[99].subject), REMARK_SUBJECT_MAX - 1);
	assert_false(remarks.lost);
	remarks_done(&remarks);
}

static void through_a_pipe_they_come_out_as_they_went_in_steps_too(void **state)
{
	struct remarks far = REMARKS_NONE;
	struct remark remark;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	far.fd = fds[1];
	remarks_add(&far, REMARK_STEP, "account a", "login", "connecting to %s", "x");
	assert_int_equal(far.count, 0);
	assert_int_equal(read(fds[0], &remark, sizeof(remark)), sizeof(remark));
	assert_int_equal(remark.kind, REMARK_STEP);
	assert_string_equal(remark.text, "connecting to x");
	assert_false(far.lost);
	(void)close(fds[0]);
	(void)close(fds[1]);
	far.fd = fds[1];
	remarks_add(&far, REMARK_OK, "account a", "login", "x");
	assert_true(far.lost);
	assert_int_equal(remarks_exit_code(&far), EX_TEMPFAIL);
}

static void what_a_server_said_is_escaped_when_it_is_printed(void **state)
{
	struct remarks remarks = REMARKS_NONE;
	char text[1000];
	FILE *out = tmpfile();
	size_t len;

	(void)state;
	assert_non_null(out);
	remarks_add(
		&remarks, REMARK_LOGIN, "account a", "login", "no\033[2J\nok  %s", "x");
	remarks_add(&remarks, REMARK_OK, "account b", "login", "well");
	remarks_print(&remarks, false, out);
	remarks_print(&remarks, true, out);
	rewind(out);
	len = fread(text, 1, sizeof(text) - 1, out);
	text[len] = '\0';
	assert_string_equal(text, "WRONG  account a: no\\x1b[2J\\x0aok  x\n"
				  "ok     account b: well\n"
				  "WRONG  account a: no\\x1b[2J\\x0aok  x\n");
	(void)fclose(out);
	remarks_done(&remarks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			of_all_that_is_wrong_the_settings_then_the_login_give_the_code),
		cmocka_unit_test(they_grow_and_a_long_text_is_cut),
		cmocka_unit_test(through_a_pipe_they_come_out_as_they_went_in_steps_too),
		cmocka_unit_test(what_a_server_said_is_escaped_when_it_is_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
