/* SPDX-License-Identifier: ISC
 *
 * The sweep's worker in an engine host: which of its deaths count. */
#include "tests/scanner/puppet.h"

#include <sys/wait.h>
#include <unistd.h>

#include "scanner/hosts.h"

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

/* Mail that needs all there is waits for it to be dead, but not for one that cannot die. */
static void one_that_a_disk_holds_is_not_waited_for(void **state)
{
	static struct hosts hosts;

	(void)state;
	hosts.list[0] = f.host;
	assert_true(hosts_are_quiet(&hosts));
	hosts.list[0].sweeper = (struct host_sweeper){ .pid = PID, .fd = -1 };
	assert_false(hosts_are_quiet(&hosts));
	assert_int_equal(host_sweeper_due(&hosts.list[0]), -1);
	host_sweeper_kill(&hosts.list[0]);
	assert_int_equal(order(), HOST_KILL);
	assert_false(hosts_are_quiet(&hosts));
	hosts.list[0].sweeper.since -= HOST_SWEEPER_MS / 2;
	/* The order is out: once. */
	host_sweeper_kill(&hosts.list[0]);
	assert_int_equal(order(), 0);
	assert_false(hosts_are_quiet(&hosts));
	hosts.list[0].sweeper.since -= HOST_SWEEPER_MS / 2;
	assert_true(hosts_are_quiet(&hosts));
}

static void a_host_that_forks_none_is_replaced(void **state)
{
	struct hosts hosts = {
		.settings = &f.settings, .stopping = true, .sweep_at = -1
	};
	struct host *host = &hosts.list[1];
	int64_t until;

	(void)state;
	*host = f.host;
	host->pid = fork();
	if (host->pid == 0)
		for (;;)
			(void)pause();
	assert_true(host->pid > 0);
	host_sweeper_ask(host);
	assert_int_equal(order(), HOST_FORK_SWEEP);
	until = hosts_turn(&hosts, false);
	assert_in_range(until - clock_ms(), HOST_SWEEPER_MS / 2, HOST_SWEEPER_MS);
	assert_int_equal(host->state, HOST_SERVING);
	host->sweeper.since -= HOST_SWEEPER_MS;
	(void)hosts_turn(&hosts, false);
	assert_int_equal(host->state, HOST_ENDING);
	assert_int_equal(waitpid(host->pid, NULL, 0), host->pid);
	f.host.control = -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CREW_TEST(one_that_a_disk_holds_is_not_waited_for),
		CREW_TEST(a_host_that_forks_none_is_replaced),
		CREW_TEST(only_what_it_died_of_by_itself_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
