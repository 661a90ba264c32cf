/* SPDX-License-Identifier: ISC
 *
 * What goes to a scanner and how, and what the client tells of itself. */
#include "tests/mailfilter/scan_world.h"

#include "common/log.h"

static void an_empty_message_is_scanned_too(void **state)
{
	struct world *world = *state;
	struct mail *mail;

	begin(world, 1);
	world->fakes[0].clean = true;
	mail = send_bytes(world, (struct span){ NULL, 0 });
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_CLEAN, "");
}

static void a_large_message_goes_in_chunks_under_credit(void **state)
{
	struct world *world = *state;
	auto_free uint8_t *bytes = malloc(LARGE);
	struct mail *mail, *small;

	assert_non_null(bytes);
	for (size_t i = 0; i < LARGE; i++)
		bytes[i] = (uint8_t)(i * 2654435761U >> 13);
	begin(world, 1);
	world->fakes[0].clean = true;
	mail = send_bytes(world, (struct span){ bytes, LARGE });
	small = send(world, "beside it");
	UNTIL(world, mail->answers && small->answers);
	answered(mail, VERDICT_CLEAN, ""); /* the fake watched credit and offsets */
	assert_int_equal(world->fakes[0].list[0].bytes.len, LARGE);
}

static void a_restarted_scanner_gets_the_same_request_again(void **state)
{
	struct world *world = *state;
	struct mail *mail;

	mail = begin_with_one(world, "a mail");
	restart(world, 0, 200);
	UNTIL(world, world->fakes[0].count == 1);
	assert_int_equal(world->fakes[0].list[0].id, mail->id);
	fake_clean(&world->fakes[0], world->fakes[0].list[0].id);
	UNTIL(world, mail->answers);
	answered(mail, VERDICT_CLEAN, "");
}

static void what_is_allowed_goes_with_each_try(void **state)
{
	struct world *world = *state;
	struct mail *mail = &world->mails[world->mail_count++];
	auto_allow struct allow allow = { 0 };
	struct scan_request request = { .message = &mail->body,
		.quarantine_id = "",
		.allow = &allow,
		.answer = take,
		.arg = mail };
	struct hash hash = { { 1 } };
	struct err err = { 0 };

	fill(mail, span_str("a mail"));
	assert_int_equal(allow_add_hash(&allow, &hash, &err), 0);
	assert_int_equal(allow_add_name(&allow, "One", &err), 0);
	assert_int_equal(allow_add_name(&allow, "Two", &err), 0);
	begin(world, 1);
	assert_int_equal(scan_send(world->scan, &request, &mail->id, &err), 0);
	for (uint64_t session = 200; session < 202; session++) {
		UNTIL(world, world->fakes[0].count == 1);
		assert_int_equal(world->fakes[0].list[0].sums, 1);
		assert_int_equal(world->fakes[0].list[0].signatures, 2);
		restart(world, 0, session);
	}
	UNTIL(world, world->fakes[0].count == 1);
	fake_clean(&world->fakes[0], mail->id);
	UNTIL(world, mail->answers);
	(void)send(world, "another");
	UNTIL(world, world->fakes[0].count == 2);
	assert_int_equal(world->fakes[0].list[1].sums, 0);
	assert_int_equal(world->fakes[0].list[1].signatures, 0);
}

static void a_request_unknown_there_is_sent_whole_again(void **state)
{
	struct world *world = *state;
	struct mail *mail;

	mail = begin_with_one(world, "a mail");
	fake_refuse(&world->fakes[0], mail->id, WIRE_UNKNOWN, "who?");
	UNTIL(world, world->fakes[0].count == 2);
	assert_true(fake_whole(&world->fakes[0].list[1]));
	/* But not for ever. */
	LOOP_UNTIL(world, mail->answers)
	{
		if (fake_waits(&world->fakes[0], mail->id))
			fake_refuse(&world->fakes[0], mail->id, WIRE_UNKNOWN, "who?");
	}
	answered(mail, VERDICT_RETRY, "40 times");
}

static void a_cancelled_request_is_forgotten_on_both_sides(void **state)
{
	struct world *world = *state;
	struct mail *mail;

	mail = begin_with_one(world, "a mail");
	scan_cancel(world->scan, mail->id);
	scan_cancel(world->scan, mail->id);
	assert_int_equal(scan_outstanding(world->scan), 0);
	UNTIL(world, world->fakes[0].cancels == 1);
	fake_clean(&world->fakes[0], world->fakes[0].list[0].id);
	go_on(world);
	assert_int_equal(mail->answers, 0);
}

static void what_scanners_say_of_themselves_can_be_asked(void **state)
{
	struct world *world = *state;
	struct wire_state said = { 0 };
	bool alive = false;

	begin(world, 2);
	assert_string_equal(
		scan_scanner(world->scan, 1, &alive, &said), world->endpoint[1]);
	assert_true(alive);
	assert_int_equal(said.session, 101);
	assert_null(scan_scanner(world->scan, 2, &alive, &said));
}

static void wait_sees_the_descriptors_of_its_owner(void **state)
{
	struct world *world = *state;
	int pipes[2];
	struct pollfd fd = { .events = POLLIN };
	struct err err = { 0 };

	begin(world, 1);
	assert_int_equal(pipe(pipes), 0);
	fd.fd = pipes[0];
	assert_int_equal(write(pipes[1], "x", 1), 1);
	assert_int_equal(scan_wait(world->scan, &fd, 1, -1, &err), 0);
	assert_int_equal(fd.revents, POLLIN);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
}

static void bad_settings_are_refused(void **state)
{
	struct world *world = *state;
	struct err err = { 0 };

	world->settings.scanners.count = 0;
	assert_int_equal(scan_open(&world->settings, &world->scan, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	world->settings.scanners.count = 2;
	(void)snprintf(
		world->endpoint[1], sizeof(world->endpoint[1]), "tcp://192.0.2.1:1");
	assert_int_equal(scan_open(&world->settings, &world->scan, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_null(world->scan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(an_empty_message_is_scanned_too),
		IN_WORLD(a_large_message_goes_in_chunks_under_credit),
		IN_WORLD(a_restarted_scanner_gets_the_same_request_again),
		IN_WORLD(what_is_allowed_goes_with_each_try),
		IN_WORLD(a_request_unknown_there_is_sent_whole_again),
		IN_WORLD(a_cancelled_request_is_forgotten_on_both_sides),
		IN_WORLD(what_scanners_say_of_themselves_can_be_asked),
		IN_WORLD(wait_sees_the_descriptors_of_its_owner),
		IN_WORLD(bad_settings_are_refused),
	};

	log_start("", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
