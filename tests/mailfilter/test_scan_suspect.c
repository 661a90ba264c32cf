/* SPDX-License-Identifier: ISC
 *
 * What a scanner held when it died may be what killed it. */
#include "tests/mailfilter/scan_world.h"

#include "common/log.h"

/* Each may be what killed it: they go to the other, one at a time, beside nothing else. */
static void what_a_dead_scanner_held_goes_to_the_other_alone(void **state)
{
	struct world *world = *state;
	size_t first;

	begin(world, 2);
	for (int i = 0; i < 6; i++)
		(void)send(world, "a mail");
	UNTIL(world, world->fakes[0].count + world->fakes[1].count == 6);
	first = world->fakes[1].count;
	fake_close(&world->fakes[0]);
	UNTIL(world, !there(world, 0));
	go_on(world);
	assert_int_equal(world->fakes[1].count, first); /* it is not empty yet */
	for (size_t i = 0; i < first; i++)
		fake_clean(&world->fakes[1], world->fakes[1].list[i].id);
	for (size_t i = first; i < 6; i++) {
		UNTIL(world, world->fakes[1].count == i + 1);
		go_on(world);
		assert_int_equal(fake_open_requests(&world->fakes[1]), 1);
		assert_false(scan_ready(world->scan));
		fake_clean(&world->fakes[1], world->fakes[1].list[i].id);
	}
	UNTIL(world, scan_outstanding(world->scan) == 0);
	for (size_t i = 0; i < 6; i++)
		answered(&world->mails[i], VERDICT_CLEAN, "");
	UNTIL(world, scan_ready(world->scan));
}

static void a_message_with_which_the_scanner_dies_is_given_up_the_others_not(void **state)
{
	struct world *world = *state;
	struct mail *poison, *good;
	uint64_t session = 200;

	world->settings.scan_timeout_ms = 1600; /* and so the pauses are short */
	begin(world, 1);
	poison = send(world, "poison");
	good = send(world, "good");
	/* The fake dies whenever it has the poison; the first time it is not alone. */
	LOOP_UNTIL(world, poison->answers && good->answers)
	{
		struct fake *fake = &world->fakes[0];

		if (fake_find(fake, poison->id))
			restart(world, 0, session++);
		else if (fake_waits(fake, good->id))
			fake_clean(fake, good->id);
		assert_true(session <= 200 + 1 + REQUEST_DEATHS_MAX);
	}
	assert_int_equal(session, 200 + 1 + REQUEST_DEATHS_MAX);
	answered(poison, VERDICT_RETRY, "died 5 times with this message");
	answered(good, VERDICT_CLEAN, "");
}

/* What a scanner cannot end between two deaths must not hold up what it can. */
static void what_was_lost_twice_lets_others_go_first(void **state)
{
	static const size_t order[] = { 1, 2, 0 };
	struct world *world = *state;
	struct fake *fake = &world->fakes[0];

	begin(world, 1);
	for (int i = 0; i < 3; i++)
		(void)send(world, "a mail");
	UNTIL(world, fake->count == 3);
	restart(world, 0, 200);
	UNTIL(world, fake->count == 1);
	assert_int_equal(fake->list[0].id, world->mails[0].id);
	restart(world, 0, 201);
	for (size_t i = 0; i < 3; i++) {
		UNTIL(world, fake->count == i + 1);
		assert_int_equal(fake->list[i].id, world->mails[order[i]].id);
		fake_clean(fake, fake->list[i].id);
	}
	UNTIL(world, scan_outstanding(world->scan) == 0);
}

/* Who kills them without it as well is not the message. */
static void a_message_is_acquitted_when_the_scanner_dies_without_it(void **state)
{
	struct world *world = *state;
	struct mail *mail;
	uint64_t session = 200;

	world->settings.scan_timeout_ms = 3200;
	begin(world, 1);
	mail = send(world, "a mail");
	for (int death = 0; death < REQUEST_DEATHS_MAX + 2; death++) {
		UNTIL(world, fake_waits(&world->fakes[0], mail->id));
		restart(world, 0, session++);
		UNTIL(world, !there(world, 0));
		UNTIL(world, there(world, 0));
		if (death % 2 == 0)
			continue;
		/* After the second it waits a while, and meanwhile: */
		for (int i = 0; i < 4; i++)
			turn(world);
		assert_int_equal(world->fakes[0].count, 0);
		restart(world, 0, session++);
		UNTIL(world, !there(world, 0));
	}
	UNTIL(world, fake_waits(&world->fakes[0], mail->id));
	fake_clean(&world->fakes[0], mail->id);
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_CLEAN, "");
}

/* Announced: nobody killed it, so what it held is not to blame and goes together. */
static void what_a_stopping_scanner_held_is_no_suspect(void **state)
{
	struct world *world = *state;

	begin(world, 1);
	for (int i = 0; i < 4; i++)
		(void)send(world, "a mail");
	UNTIL(world, world->fakes[0].count == 4);
	world->fakes[0].state.state = WIRE_STOPPING;
	fake_say_state(&world->fakes[0]);
	go_on(world);
	restart(world, 0, 200);
	UNTIL(world, fake_open_requests(&world->fakes[0]) == 4);
	assert_int_equal(world->fakes[0].most, 4);
}

/* Only the line was cut: the session is the same. */
static void what_a_cut_connection_held_is_no_suspect_once_the_session_is_known(
	void **state)
{
	struct world *world = *state;

	begin(world, 1);
	for (int i = 0; i < 4; i++)
		(void)send(world, "a mail");
	UNTIL(world, world->fakes[0].count == 4);
	restart(world, 0, world->fakes[0].state.session);
	UNTIL(world, fake_open_requests(&world->fakes[0]) == 4);
	assert_int_equal(world->fakes[0].most, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(what_a_dead_scanner_held_goes_to_the_other_alone),
		IN_WORLD(
			a_message_with_which_the_scanner_dies_is_given_up_the_others_not),
		IN_WORLD(what_was_lost_twice_lets_others_go_first),
		IN_WORLD(a_message_is_acquitted_when_the_scanner_dies_without_it),
		IN_WORLD(what_a_stopping_scanner_held_is_no_suspect),
		IN_WORLD(
			what_a_cut_connection_held_is_no_suspect_once_the_session_is_known),
	};

	log_start("", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
