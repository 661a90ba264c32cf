/* SPDX-License-Identifier: ISC
 *
 * What a session deletes, and when that is final. */
#include "tests/mailfilter/pop3_run.h"

struct settle_case {
	const char *script[12];
	enum after_kind after;
	int settled, finished;
	enum err_kind kind;
	const char *why;
};

#define DELETED "< DELE 1", "< DELE 2", "< DELE 3", "> +OK", "> +OK", "> +OK"

static const struct settle_case settle_cases[] = {
	{ { DELETED, "< QUIT", "> +OK bye" }, AFTER_DELETE, 0, 0, ERR_NONE, "" },
	{ { DELETED, "< QUIT", "> -ERR some not deleted" }, AFTER_DELETE, 0, -1,
		ERR_SESSION, "some not deleted" },
	{ { DELETED, "< QUIT" }, AFTER_DELETE, 0, -1, ERR_SESSION, "not confirmed" },
	{ { DELETED, "< QUIT", "! stall" }, AFTER_DELETE, 0, -1, ERR_SESSION,
		"not confirmed" },
	{ { "< DELE 1", "< DELE 2", "< DELE 3", "> +OK", "> -ERR no" }, AFTER_DELETE, -1,
		-1, ERR_SESSION, "" },
	{ { "< QUIT", "> -ERR whatever" }, AFTER_KEEP, 0, 0, ERR_NONE, "" },
	{ { "< QUIT" }, AFTER_KEEP, 0, 0, ERR_NONE, "" },
	{ { "< QUIT" }, AFTER_FLAG, -1, 0, ERR_ACCOUNT, "no flags" },
};

static void only_a_confirmed_quit_is_final(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(settle_cases) / sizeof(settle_cases[0]); i++) {
		const struct settle_case *test = &settle_cases[i];
		const char *script[STEPS_MAX] = { LOGIN };
		int settled, finished;
		struct run run;

		JOIN(script, test->script);
		run_start(&run, script);
		run.account.after_kind = test->after;
		run.account.timeout_ms = 500;
		assert_int_equal(run_open(&run), 0);
		settled = run.source->ops->settle(run.source, items, 3, &run.err);
		finished = run.source->ops->finish(run.source, &run.err);
		if (settled != test->settled || finished != test->finished ||
			run.err.kind != test->kind || !strstr(run.err.text, test->why))
			fail_msg("case %zu: %d %d %d %s", i, settled, finished,
				run.err.kind, run.err.text);
		run_end(&run);
	}
}

static void a_session_ends_after_many_deletions_if_another_may_follow(void **state)
{
	static const char *const free_one[] = { LOGIN, NULL };
	static const char *const bound[] = { LOGIN_AS("> +OK\r\nLOGIN-DELAY 900\r\n."),
		NULL };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct run run;

		run_start(&run, i == 1 ? bound : free_one);
		run.account.after_kind = i == 2 ? AFTER_KEEP : AFTER_DELETE;
		assert_int_equal(run_open(&run), 0);
		assert_true(run.source->settle_at_finish);
		assert_int_equal(run.source->settle_max > 0, i == 0);
		run_end(&run);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_confirmed_quit_is_final),
		cmocka_unit_test(
			a_session_ends_after_many_deletions_if_another_may_follow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
