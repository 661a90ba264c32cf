/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>

#include "common/err.h"

static void every_reporter_returns_minus_one(void **state)
{
	struct err err = { 0 };

	(void)state;
	assert_int_equal(err_set(&err, ERR_AGAIN, "x"), -1);
	assert_int_equal(err_errno(&err, ERR_AGAIN, "x"), -1);
	assert_int_equal(err_wrap(&err, "x"), -1);
	assert_int_equal(err_memory(&err), -1);
}

static void no_err_to_fill_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_AGAIN, "x"), -1);
	assert_int_equal(err_errno(NULL, ERR_AGAIN, "x"), -1);
	assert_int_equal(err_wrap(NULL, "x"), -1);
	assert_int_equal(err_memory(NULL), -1);
}

static void set_replaces_kind_and_text(void **state)
{
	struct err err = { .kind = ERR_FATAL, .text = "before" };

	(void)state;
	(void)err_set(&err, ERR_MESSAGE, "uid %d: %s", 7, "too large");
	assert_int_equal(err.kind, ERR_MESSAGE);
	assert_string_equal(err.text, "uid 7: too large");
}

static void set_may_quote_the_text_it_replaces(void **state)
{
	struct err err = { .text = "inner" };

	(void)state;
	(void)err_set(&err, ERR_AGAIN, "outer (%s)", err.text);
	assert_string_equal(err.text, "outer (inner)");
}

static void errno_is_said_in_words_and_kept(void **state)
{
	struct err err = { 0 };

	(void)state;
	errno = ENOSPC;
	(void)err_errno(&err, ERR_AGAIN, "%s", "/tmp/x");
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_string_equal(err.text, "/tmp/x: No space left on device");
	assert_int_equal(errno, ENOSPC);
}

static void wrap_grows_from_the_inside_out_and_keeps_the_kind(void **state)
{
	struct err err = { 0 };

	(void)state;
	(void)err_set(&err, ERR_SESSION, "no answer");
	(void)err_wrap(&err, "uid %d", 7);
	(void)err_wrap(&err, "work");
	assert_int_equal(err.kind, ERR_SESSION);
	assert_string_equal(err.text, "work: uid 7: no answer");
}

static void text_beyond_the_maximum_is_cut(void **state)
{
	char lots[2 * ERR_TEXT_MAX];
	struct err err = { 0 };

	(void)state;
	memset(lots, 'a', sizeof(lots) - 1);
	lots[sizeof(lots) - 1] = '\0';
	(void)err_set(&err, ERR_AGAIN, "%s", lots);
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
	(void)err_wrap(&err, "work");
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
	assert_memory_equal(err.text, "work: aaa", 9);
	(void)err_wrap(&err, "%s", lots);
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
	errno = EIO;
	(void)err_errno(&err, ERR_AGAIN, "%s", lots);
	assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
}

static void exit_codes_are_those_of_sysexits(void **state)
{
	static const struct {
		enum err_kind kind;
		int code;
	} cases[] = {
		{ ERR_NONE, EX_OK },
		{ ERR_AGAIN, EX_TEMPFAIL },
		{ ERR_MESSAGE, EX_TEMPFAIL },
		{ ERR_SESSION, EX_TEMPFAIL },
		{ ERR_ACCOUNT, EX_TEMPFAIL },
		{ ERR_AUTH, EX_NOPERM },
		{ ERR_SETTINGS, EX_CONFIG },
		{ ERR_FATAL, EX_SOFTWARE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(err_exit_code(cases[i].kind), cases[i].code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reporter_returns_minus_one),
		cmocka_unit_test(no_err_to_fill_is_allowed),
		cmocka_unit_test(set_replaces_kind_and_text),
		cmocka_unit_test(set_may_quote_the_text_it_replaces),
		cmocka_unit_test(errno_is_said_in_words_and_kept),
		cmocka_unit_test(wrap_grows_from_the_inside_out_and_keeps_the_kind),
		cmocka_unit_test(text_beyond_the_maximum_is_cut),
		cmocka_unit_test(exit_codes_are_those_of_sysexits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
