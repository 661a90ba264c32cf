/* SPDX-License-Identifier: ISC
 *
 * Which request goes to which scanner, and when one has taken too long. */
#include "tests/mailfilter/scan_world.h"

#include "common/log.h"

static void two_scanners_share_the_work(void **state)
{
	struct world *world = *state;

	begin(world, 2);
	for (int i = 0; i < 8; i++)
		(void)send(world, "a mail");
	assert_false(scan_ready(world->scan));
	UNTIL(world, world->fakes[0].count + world->fakes[1].count == 8);
	assert_int_equal(world->fakes[0].count, 4);
	assert_int_equal(world->fakes[1].count, 4);
	for (size_t i = 0; i < 3; i++)
		fake_clean(&world->fakes[1], world->fakes[1].list[i].id);
	UNTIL(world, scan_outstanding(world->scan) == 5);
	for (int i = 0; i < 3; i++)
		(void)send(world, "to the one with less to do");
	UNTIL(world, world->fakes[1].count == 7);
	assert_int_equal(world->fakes[0].count, 4);
}

static void no_more_is_taken_than_a_scanner_allows(void **state)
{
	struct world *world = *state;
	struct mail many = { 0 };
	struct scan_request request = {
		.message = &many.body, .quarantine_id = "", .answer = take
	};
	struct err err = { 0 };
	uint64_t id;

	begin(world, 1);
	for (int i = 0; i < 4; i++) {
		assert_true(scan_ready(world->scan));
		(void)send(world, "a mail");
	}
	assert_false(scan_ready(world->scan));
	fill(&many, span_str("one too many"));
	assert_int_equal(scan_send(world->scan, &request, &id, &err), -1);
	body_done(&many.body);
	assert_int_equal(err.kind, ERR_AGAIN);
	UNTIL(world, world->fakes[0].count == 4);
	fake_clean(&world->fakes[0], world->fakes[0].list[0].id);
	UNTIL(world, scan_ready(world->scan));
}

static void a_scanner_that_hangs_is_lost_though_its_socket_answers(void **state)
{
	struct world *world = *state;
	struct mail *mail;
	struct fake *hung, *other;

	world->settings.scan_timeout_ms = 1000;
	mail = begin_with_two(world, &hung, &other);
	hung->mute = true;
	UNTIL(world, other->count == 1);
	fake_clean(other, mail->id);
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_CLEAN, "");
}

static void a_request_without_an_answer_goes_to_the_other_and_the_first_verdict_counts(
	void **state)
{
	struct world *world = *state;
	struct mail *mail;
	struct fake *slow, *other;

	world->settings.scan_timeout_ms = 600;
	mail = begin_with_two(world, &slow, &other);
	UNTIL(world, other->count == 1 && slow->cancels == 1);
	assert_int_equal(other->list[0].id, mail->id);
	fake_clean(slow, mail->id); /* late, but true */
	UNTIL(world, mail->answers && other->cancels == 1);
	fake_clean(other, mail->id);
	go_on(world);
	answered(mail, VERDICT_CLEAN, "");
}

static void a_request_that_no_one_answers_is_held(void **state)
{
	struct world *world = *state;
	struct mail *mail;

	world->settings.scan_timeout_ms = 400;
	begin(world, 1);
	mail = send(world, "a mail");
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_RETRY, "no answer from scanner ipc://");
	UNTIL(world, world->fakes[0].cancels == 1);
	assert_true(scan_ready(world->scan));
}

static void a_busy_scanner_is_asked_again_later(void **state)
{
	struct world *world = *state;
	struct mail *mail;

	begin(world, 1);
	mail = send(world, "a mail");
	for (size_t i = 1; i <= 3; i++) {
		UNTIL(world, world->fakes[0].count == i);
		fake_refuse(&world->fakes[0], mail->id, WIRE_BUSY, "the queue is full");
		go_on(world);
		assert_int_equal(mail->answers, 0);
	}
	UNTIL(world, world->fakes[0].count == 4);
	fake_clean(&world->fakes[0], mail->id);
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_CLEAN, "");
}

static void another_takes_what_a_busy_scanner_refuses(void **state)
{
	struct world *world = *state;
	struct mail *mail;
	struct fake *busy, *other;

	mail = begin_with_two(world, &busy, &other);
	other->clean = true;
	fake_refuse(busy, mail->id, WIRE_BUSY, "");
	UNTIL(world, mail->answers);
	assert_int_equal(busy->count, 1);
	answered(mail, VERDICT_CLEAN, "");
}

static void scanners_busy_for_ever_end_in_a_hold(void **state)
{
	struct world *world = *state;
	struct mail *mail;

	world->settings.scan_timeout_ms = 400;
	begin(world, 1);
	mail = send(world, "a mail");
	LOOP_UNTIL(world, mail->answers)
	{
		if (fake_waits(&world->fakes[0], mail->id))
			fake_refuse(&world->fakes[0], mail->id, WIRE_BUSY, "");
	}
	answered(mail, VERDICT_RETRY, "no scanner had room");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(two_scanners_share_the_work),
		IN_WORLD(no_more_is_taken_than_a_scanner_allows),
		IN_WORLD(a_scanner_that_hangs_is_lost_though_its_socket_answers),
		IN_WORLD(
			a_request_without_an_answer_goes_to_the_other_and_the_first_verdict_counts),
		IN_WORLD(a_request_that_no_one_answers_is_held),
		IN_WORLD(a_busy_scanner_is_asked_again_later),
		IN_WORLD(another_takes_what_a_busy_scanner_refuses),
		IN_WORLD(scanners_busy_for_ever_end_in_a_hold),
	};

	log_start("", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
