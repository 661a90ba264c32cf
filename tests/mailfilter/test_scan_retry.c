/* SPDX-License-Identifier: ISC
 *
 * Scanners that have no verdict, for now. */
#include "tests/mailfilter/scan_world.h"

#include "common/log.h"

static void say_retry(struct fake *fake, uint64_t id, const char *why)
{
	struct verdict verdict = { .kind = VERDICT_RETRY };

	(void)snprintf(verdict.detail, sizeof(verdict.detail), "%s", why);
	fake_verdict(fake, id, &verdict);
}

static void a_scanner_without_a_verdict_is_asked_again(void **state)
{
	struct world *world = *state;
	struct mail *mail;

	begin(world, 1);
	mail = send(world, "a mail");
	for (size_t times = 1; times <= 2; times++) {
		UNTIL(world, world->fakes[0].count == times);
		say_retry(&world->fakes[0], mail->id, "no room");
		go_on(world);
		assert_int_equal(mail->answers, 0);
	}
	world->fakes[0].clean = true;
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_CLEAN, "");
}

static void a_scanner_that_is_unable_is_asked_by_one_message_at_a_time(void **state)
{
	struct world *world = *state;
	struct fake *fake = &world->fakes[0];

	begin(world, 1);
	for (int i = 0; i < 4; i++)
		(void)send(world, "a mail");
	UNTIL(world, fake->count == 4);
	for (size_t i = 0; i < 4; i++)
		say_retry(fake, world->mails[i].id, "no room");
	UNTIL(world, !scan_ready(world->scan));
	fake->most = 0;
	for (size_t times = 5; times <= 6; times++) {
		UNTIL(world, fake->count == times);
		assert_false(scan_ready(world->scan));
		say_retry(fake, fake->list[times - 1].id, "no room");
	}
	assert_int_equal(fake->most, 1);
	/* Able again, it has all the others at once. */
	UNTIL(world, fake->count == 7);
	fake_clean(fake, fake->list[6].id);
	UNTIL(world, fake->count == 10);
	assert_int_equal(fake->most, 3);
	for (size_t i = 7; i < 10; i++)
		fake_clean(fake, fake->list[i].id);
	UNTIL(world, scan_outstanding(world->scan) == 0);
	for (size_t i = 0; i < 4; i++)
		answered(&world->mails[i], VERDICT_CLEAN, "");
}

static void what_never_gets_a_verdict_is_held_with_its_reason(void **state)
{
	struct world *world = *state;
	struct mail *first, *next;
	int64_t from = clock_ms();

	world->settings.scanner_wait_ms = 1500;
	begin(world, 1);
	first = send(world, "a mail");
	LOOP_UNTIL(world, first->answers)
	{
		if (fake_waits(&world->fakes[0], first->id))
			say_retry(&world->fakes[0], first->id, "no room");
	}
	answered(first, VERDICT_RETRY, "no room");
	assert_true(clock_ms() - from >= 1500);
	/* That it cannot is known by now: each asks once more, and none waits as long again. */
	next = send(world, "another");
	UNTIL(world, fake_waits(&world->fakes[0], next->id));
	say_retry(&world->fakes[0], next->id, "no room");
	UNTIL(world, next->answers);
	answered(next, VERDICT_RETRY, "no room");
	assert_true(clock_ms() - from < 3500);
}

static void another_takes_what_a_scanner_has_no_verdict_on(void **state)
{
	struct world *world = *state;
	struct fake *full, *able;
	struct mail *mail;

	mail = begin_with_two(world, &full, &able);
	say_retry(full, mail->id, "no room");
	UNTIL(world, able->count == 1);
	/* The one that answers so fast gets no more just because it is idle, */
	for (int i = 0; i < 3; i++)
		(void)send(world, "a mail");
	assert_false(scan_ready(world->scan));
	UNTIL(world, able->count == 4);
	assert_int_equal(full->count, 1);
	/* nor does its no count against the message that another scans. */
	say_retry(full, mail->id, "still no room");
	go_on(world);
	assert_int_equal(mail->answers, 0);
	fake_clean(able, mail->id);
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_CLEAN, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(a_scanner_without_a_verdict_is_asked_again),
		IN_WORLD(a_scanner_that_is_unable_is_asked_by_one_message_at_a_time),
		IN_WORLD(what_never_gets_a_verdict_is_held_with_its_reason),
		IN_WORLD(another_takes_what_a_scanner_has_no_verdict_on),
	};

	log_start("", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
