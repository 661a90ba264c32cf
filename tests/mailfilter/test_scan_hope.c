/* SPDX-License-Identifier: ISC
 *
 * Is there hope of a scanner, and if not, what is a person to do? */
#include "tests/mailfilter/scan_world.h"

#include "common/log.h"

static void hope_for_an_absent_scanner_ends_with_what_to_do(void **state)
{
	struct world *world = *state;
	char text[256];
	struct err err = { 0 };

	world->settings.scanners.count = 2;
	world->settings.scanner_wait_ms = 200;
	assert_int_equal(scan_open(&world->settings, &world->scan, &err), 0);
	assert_false(scan_hopeless(world->scan, text, sizeof(text)));
	turn(world);
	assert_false(scan_hopeless(world->scan, text, sizeof(text)));
	assert_string_equal(text, "");
	assert_false(scan_ready(world->scan));
	UNTIL(world, scan_hopeless(world->scan, text, sizeof(text)));
	assert_non_null(strstr(text, world->endpoint[0]));
	assert_non_null(strstr(text, world->endpoint[1]));
	assert_non_null(strstr(text, "start it, or correct `scanners`"));
	fake_open(&world->fakes[1], world->endpoint[1], 7);
	UNTIL(world, scan_ready(world->scan));
	assert_false(scan_hopeless(world->scan, text, sizeof(text)));
	assert_true(there(world, 1));
	assert_false(there(world, 0));
}

static void without_hope_what_waits_is_answered_with_the_reason(void **state)
{
	struct world *world = *state;
	struct mail *mail;

	world->settings.scanner_wait_ms = 300;
	mail = begin_with_one(world, "a mail");
	fake_close(&world->fakes[0]);
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_RETRY, "no scanner answers at ipc://");
}

static void hope_for_a_loading_scanner_ends_later_and_with_its_own_words(void **state)
{
	struct world *world = *state;
	char text[256];
	int64_t begin_ms = clock_ms();

	world->settings.scanner_wait_ms = 100;
	world->settings.scanner_start_ms = 500;
	fake_open(&world->fakes[0], world->endpoint[0], 7);
	world->fakes[0].state.state = WIRE_LOADING;
	(void)snprintf(world->fakes[0].state.trouble,
		sizeof(world->fakes[0].state.trouble),
		"no signatures in /var/lib/clamav: run freshclam");
	assert_int_equal(scan_open(&world->settings, &world->scan, NULL), 0);
	UNTIL(world, scan_hopeless(world->scan, text, sizeof(text)));
	assert_true(clock_ms() - begin_ms >= 500);
	assert_non_null(strstr(text, world->endpoint[0]));
	assert_non_null(strstr(text, "run freshclam"));
	world->fakes[0].state.state = WIRE_READY;
	fake_say_state(&world->fakes[0]);
	UNTIL(world, scan_ready(world->scan));
	assert_false(scan_hopeless(world->scan, text, sizeof(text)));
}

static void a_scanner_of_another_version_is_named(void **state)
{
	struct world *world = *state;
	char text[256];

	world->settings.scanner_wait_ms = 300;
	fake_open(&world->fakes[0], world->endpoint[0], 7);
	world->fakes[0].mute = true;
	assert_int_equal(scan_open(&world->settings, &world->scan, NULL), 0);
	UNTIL(world, world->fakes[0].hellos == 1);
	fake_refuse(&world->fakes[0], 0, WIRE_PROTOCOL, "its version is not known here");
	UNTIL(world, scan_hopeless(world->scan, text, sizeof(text)));
	assert_non_null(strstr(text, "its version is not known here"));
	assert_non_null(strstr(text, "bring both to one version"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(hope_for_an_absent_scanner_ends_with_what_to_do),
		IN_WORLD(without_hope_what_waits_is_answered_with_the_reason),
		IN_WORLD(hope_for_a_loading_scanner_ends_later_and_with_its_own_words),
		IN_WORLD(a_scanner_of_another_version_is_named),
	};

	log_start("", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
