/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include "mailfilter/setup_guess.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/stop.h"

/* Too much for the stack; what is asked for comes from stop_fd alone. */
static struct setup *begin(const char *domain, const char *protocol, int stop_fd)
{
	static struct setup setup;

	memset(&setup, 0, sizeof(setup));
	setup.ask.stop_fd = stop_fd;
	(void)snprintf(setup.domain, sizeof(setup.domain), "%s", domain);
	(void)snprintf(setup.protocol, sizeof(setup.protocol), "%s", protocol);
	return &setup;
}

static bool nothing_is_known(const char *host)
{
	(void)host;
	return false;
}

static bool mail_is_known(const char *host)
{
	return strncmp(host, "mail.", 5) == 0;
}

static bool dies(const char *host)
{
	(void)host;
	abort();
}

/* A name service that does not answer. */
static bool hangs(const char *host)
{
	while (host)
		(void)pause();
	return false;
}

static void the_first_name_that_is_known_is_the_guess(void **state)
{
	static const struct {
		const char *protocol;
		bool (*is_known)(const char *host);
		const char *guess;
	} cases[] = {
		{ "imaps", mail_is_known, "mail.example.org" },
		{ "pop3s", mail_is_known, "mail.example.org" },
		{ "imaps", nothing_is_known, "imap.example.org" },
		{ "pop3", nothing_is_known, "pop.example.org" },
		{ "imap", dies, "imap.example.org" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct setup *setup = begin("example.org", cases[i].protocol, -1);

		assert_int_equal(setup_guess_server(setup, cases[i].is_known), ASK_OK);
		assert_string_equal(setup->server, cases[i].guess);
	}
}

static void nobody_is_asked_for_a_provider_that_is_known_nor_for_nothing(void **state)
{
	struct setup *setup = begin("gmail.com", "imaps", -1);

	(void)state;
	assert_int_equal(setup_guess_server(setup, hangs), ASK_OK);
	assert_string_equal(setup->server, "imap.gmail.com");
	setup = begin("", "imaps", -1);
	assert_int_equal(setup_guess_server(setup, hangs), ASK_OK);
	assert_string_equal(setup->server, "");
}

static void a_name_service_that_hangs_can_be_interrupted(void **state)
{
	const int64_t from_ms = clock_ms();
	int stop_fd = -1;
	struct setup *setup;

	(void)state;
	assert_int_equal(stop_start(&stop_fd, NULL), 0);
	assert_int_equal(raise(SIGINT), 0);
	setup = begin("example.org", "imaps", stop_fd);
	assert_int_equal(setup_guess_server(setup, hangs), ASK_STOP);
	assert_true(clock_ms() - from_ms < SETUP_GUESS_MS / 2);
	assert_string_equal(setup->server, "");
	(void)close(stop_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_name_that_is_known_is_the_guess),
		cmocka_unit_test(
			nobody_is_asked_for_a_provider_that_is_known_nor_for_nothing),
		cmocka_unit_test(a_name_service_that_hangs_can_be_interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
