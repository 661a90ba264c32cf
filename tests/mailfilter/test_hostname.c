/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "mailfilter/hostname.h"

/* In a process of its own, on a host that it may name. EX_NOPERM where that is not allowed. */
static int named(const char *name, const char *expected)
{
	char got[HOSTNAME_SIZE];
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (unshare(CLONE_NEWUTS) < 0 &&
			unshare(CLONE_NEWUSER | CLONE_NEWUTS) < 0)
			_exit(EX_NOPERM);
		if (sethostname(name, strlen(name)) < 0)
			_exit(EX_NOPERM);
		hostname_get(got);
		_exit(strcmp(got, expected) == 0 ? EX_OK : EX_SOFTWARE);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void what_others_could_not_take_becomes_a_dash(void **state)
{
	static const char longest[] =
		"a23456789-123456789-123456789-123456789-123456789-123456789.1234";
	static const struct {
		const char *name, *expected;
	} cases[] = {
		{ "host", "host" },
		{ "Mail-1.example.org", "Mail-1.example.org" },
		{ "my_host", "my-host" },
		{ "a/b:c d\r\ne", "a-b-c-d--e" },
		{ "caf\xc3\xa9", "caf--" },
		{ "", "localhost" },
		{ longest, longest },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const int code = named(cases[i].name, cases[i].expected);

		if (code == EX_NOPERM)
			skip();
		assert_int_equal(code, EX_OK);
	}
}

static void it_is_this_hosts(void **state)
{
	static const char fine[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
	char name[HOSTNAME_SIZE], is[HOSTNAME_SIZE];

	(void)state;
	hostname_get(name);
	assert_true(strlen(name) > 0);
	assert_int_equal(strspn(name, fine), strlen(name));
	assert_int_equal(gethostname(is, sizeof(is)), 0);
	if (is[0])
		assert_int_equal(strlen(name), strlen(is));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_others_could_not_take_becomes_a_dash),
		cmocka_unit_test(it_is_this_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
