/* SPDX-License-Identifier: ISC
 *
 * The sweep's worker in an engine host: which of its deaths count. */
#include "tests/scanner/puppet.h"

#include <sys/wait.h>

static void only_what_it_died_of_by_itself_counts(void **state)
{
	static const struct {
		bool killed; /* by us: its end was ordered, or is by now */
		int status;
		uint64_t counts;
	} cases[] = {
		{ false, 0, 0 }, /* the walker closed its socket */
		{ false, KILLED_BY(SIGSEGV), 1 },
		{ false, W_EXITCODE(70, 0), 1 },
		{ false, KILLED_BY(SIGKILL), 1 },
		{ true, KILLED_BY(SIGKILL), 0 },
		/* The walker saw its end before we did. */
		{ true, KILLED_BY(SIGSEGV), 1 },
		{ true, W_EXITCODE(70, 0), 1 },
		{ true, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		f.host.counts[HEALTH_SWEEP] = 0;
		f.host.sweeper = (struct host_sweeper){
			.pid = PID, .fd = -1, .killed = cases[i].killed
		};
		reap(cases[i].status);
		assert_true(f.host.sweeper.ended);
		assert_int_equal(f.host.sweeper.status, cases[i].status);
		if (f.host.counts[HEALTH_SWEEP] != cases[i].counts)
			fail_msg("case %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CREW_TEST(only_what_it_died_of_by_itself_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
