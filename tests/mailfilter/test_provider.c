/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "mailfilter/provider.h"

static void a_domain_is_what_stands_behind_the_last_at_if_it_can_be_one(void **state)
{
	static const char *const cases[][2] = {
		{ "alice@Example.ORG", "example.org" },
		{ "\"a@b\"@example.org", "example.org" },
		{ "alice", "" },
		{ "alice@", "" },
		{ "@", "" },
		{ "alice@.org", "" },
		{ "alice@-x.org", "" },
		{ "alice@exa mple.org", "" },
		{ "alice@b\xc3\xbc.example", "" },
		{ "alice@a/../b", "" },
	};
	char long_one[1000], domain[PROVIDER_HOST_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		provider_domain(cases[i][0], domain);
		assert_string_equal(domain, cases[i][1]);
	}
	memset(long_one, 'a', sizeof(long_one));
	long_one[1] = '@';
	long_one[sizeof(long_one) - 1] = '\0';
	provider_domain(long_one, domain);
	assert_string_equal(domain, "");
	long_one[PROVIDER_HOST_MAX + 1] = '\0';
	provider_domain(long_one, domain);
	assert_int_equal(strlen(domain), PROVIDER_HOST_MAX - 1);
	assert_true(provider_host(domain, true, 0, long_one));
}

static void servers_are_guessed_in_order_until_there_is_none(void **state)
{
	char host[PROVIDER_HOST_MAX];

	(void)state;
	assert_true(provider_host("example.org", false, 0, host));
	assert_string_equal(host, "imap.example.org");
	assert_true(provider_host("example.org", false, 1, host));
	assert_string_equal(host, "mail.example.org");
	assert_true(provider_host("example.org", false, 2, host));
	assert_string_equal(host, "example.org");
	assert_false(provider_host("example.org", false, 3, host));
	assert_true(provider_host("example.org", true, 0, host));
	assert_string_equal(host, "pop.example.org");
	assert_false(provider_host("", false, 0, host));
	assert_false(provider_known("example.org"));
}

static void large_providers_are_known_with_what_one_must_know(void **state)
{
	char host[PROVIDER_HOST_MAX];

	(void)state;
	assert_true(provider_host("googlemail.com", false, 0, host));
	assert_string_equal(host, "imap.gmail.com");
	assert_false(provider_host("googlemail.com", false, 1, host));
	assert_true(provider_known("gmail.com"));
	assert_false(provider_known("mail.com"));
	assert_false(provider_known("com gmx"));
	assert_non_null(strstr(provider_hint("gmail.com"), "app password"));
	assert_ptr_equal(provider_hint("imap.gmail.com"), provider_hint("gmail.com"));
	assert_ptr_equal(provider_hint("POP.gmail.com"), provider_hint("gmail.com"));
	assert_null(provider_hint("imap.example.org"));
	assert_null(provider_hint(""));
	/* One that has a bridge here is not every server here. */
	assert_null(provider_hint("127.0.0.1"));
	assert_true(provider_short_user("icloud.com"));
	assert_false(provider_short_user("gmail.com"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_domain_is_what_stands_behind_the_last_at_if_it_can_be_one),
		cmocka_unit_test(servers_are_guessed_in_order_until_there_is_none),
		cmocka_unit_test(large_providers_are_known_with_what_one_must_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
