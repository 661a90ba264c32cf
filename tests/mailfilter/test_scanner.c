/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <string.h>

#include "common/clock.h"
#include "common/file.h"

#include "mailfilter/scanner.h"

#include "tests/mailfilter/fake_scanner.h"

enum {
	PATIENCE_MS = 10000,
	TIMEOUT_MS = 1200 /* so silence is 600 ms, a ping comes after 150 */
};

struct world {
	char dir[32], endpoint[64];
	struct scanner_address address;
	struct fake fake;
	struct scanner scanner;
	struct wire_message message; /* of the last event */
	struct err err;
};

static int make_world(void **state)
{
	static struct world world;
	struct err err = { 0 };

	memset(&world, 0, sizeof(world));
	(void)snprintf(world.dir, sizeof(world.dir), "/tmp/scanner.XXXXXX");
	if (!mkdtemp(world.dir))
		return -1;
	(void)snprintf(world.endpoint, sizeof(world.endpoint), "ipc://%s/s", world.dir);
	*state = &world;
	if (scanner_address_parse(world.endpoint, &world.address, &err) < 0)
		return -1;
	return scanner_open(&world.scanner, &world.address, NULL, TIMEOUT_MS, &err);
}

static int drop_world(void **state)
{
	struct world *world = *state;
	struct err err;

	wire_message_done(&world->message);
	scanner_close(&world->scanner);
	fake_close(&world->fake);
	return file_remove_tree(world->dir, true, &err);
}

static void wait_for(struct world *world, int64_t deadline)
{
	struct link *links[2];
	size_t count = 0;
	int64_t due = scanner_due(&world->scanner);
	struct err err = { 0 };

	assert_true(clock_left(deadline) > 0);
	if (world->scanner.link)
		links[count++] = world->scanner.link;
	if (world->fake.link)
		links[count++] = world->fake.link;
	if (deadline < due)
		due = deadline;
	assert_int_equal(
		link_wait(links, count, NULL, NULL, 0, clock_left(due), &err), 0);
}

/* The next event; the fake does its part meanwhile. */
static enum scanner_event next(struct world *world)
{
	int64_t deadline = clock_ms() + PATIENCE_MS;

	wire_message_done(&world->message);
	for (;;) {
		enum scanner_event event;

		fake_turn(&world->fake);
		event = scanner_next(&world->scanner, &world->message, &world->err);
		if (event != SCANNER_NOTHING)
			return event;
		wait_for(world, deadline);
	}
}

/* Let both go on until this many pings have come. */
static void until_pings(struct world *world, unsigned pings)
{
	int64_t deadline = clock_ms() + PATIENCE_MS;

	while (world->fake.pings < pings) {
		assert_int_equal(
			scanner_next(&world->scanner, &world->message, &world->err),
			SCANNER_NOTHING);
		fake_turn(&world->fake);
		if (world->fake.pings < pings)
			wait_for(world, deadline);
	}
}

static void a_scanner_is_there_once_it_has_said_its_state(void **state)
{
	struct world *world = *state;

	assert_false(scanner_ready(&world->scanner));
	fake_open(&world->fake, world->endpoint, 7);
	assert_int_equal(next(world), SCANNER_FOUND);
	assert_true(world->scanner.there);
	assert_true(scanner_ready(&world->scanner));
	assert_int_equal(world->scanner.state.session, 7);
	assert_string_equal(world->scanner.state.engine, "fake");
	assert_int_equal(world->fake.hellos, 1);
}

static void one_that_loads_is_there_but_not_ready(void **state)
{
	struct world *world = *state;

	fake_open(&world->fake, world->endpoint, 7);
	world->fake.state.state = WIRE_LOADING;
	assert_int_equal(next(world), SCANNER_FOUND);
	assert_false(scanner_ready(&world->scanner));
	world->fake.state.state = WIRE_READY;
	fake_say_state(&world->fake); /* unasked */
	until_pings(world, 1);
	assert_true(scanner_ready(&world->scanner));
	world->fake.state.jobs = 0;
	fake_say_state(&world->fake);
	until_pings(world, 2);
	assert_false(scanner_ready(&world->scanner));
}

static void any_message_is_a_sign_of_life(void **state)
{
	struct world *world = *state;
	int64_t end;

	fake_open(&world->fake, world->endpoint, 7);
	assert_int_equal(next(world), SCANNER_FOUND);
	world->fake.mute = true;
	end = clock_ms() + TIMEOUT_MS;
	/* Over a slow line the answer to a ping comes behind much else. */
	for (uint64_t i = 1; clock_ms() < end; i++) {
		until_pings(world, world->fake.pings + 1);
		fake_say(&world->fake,
			&(struct wire_message){
				.type = WIRE_CREDIT, .id = 6, .offset = i });
		assert_int_equal(next(world), SCANNER_MESSAGE);
	}
	assert_int_equal(next(world), SCANNER_LOST);
}

static void what_is_on_its_way_gets_more_time(void **state)
{
	auto_free uint8_t *bytes = calloc(1, WIRE_CHUNK_MAX);
	struct world *world = *state;
	struct wire_message request = { .type = WIRE_REQUEST,
		.id = 1,
		.request.size = WIRE_CHUNK_MAX,
		.data = { bytes, WIRE_CHUNK_MAX } };
	int64_t plain;

	assert_non_null(bytes);
	fake_open(&world->fake, world->endpoint, 7);
	assert_int_equal(next(world), SCANNER_FOUND);
	world->fake.mute = true;
	until_pings(world, 1);
	plain = scanner_due(&world->scanner);
	assert_int_equal(scanner_say(&world->scanner, &request, &world->err), 0);
	assert_true(scanner_due(&world->scanner) >
		    plain + WIRE_CHUNK_MAX / SCANNER_SLOW_RATE - 1);
	for (request.id = 2; request.id < 10; request.id++)
		assert_int_equal(scanner_say(&world->scanner, &request, &world->err), 0);
	assert_int_equal(scanner_due(&world->scanner), plain + SCANNER_SLOW_MS);
}

static void messages_about_requests_are_handed_on(void **state)
{
	struct world *world = *state;
	struct verdict verdict = { .kind = VERDICT_CLEAN };
	struct finding finding = { .signature = "x" };

	fake_open(&world->fake, world->endpoint, 7);
	assert_int_equal(next(world), SCANNER_FOUND);
	fake_refuse(&world->fake, 5, WIRE_BUSY, "full");
	assert_int_equal(next(world), SCANNER_MESSAGE);
	assert_int_equal(world->message.type, WIRE_REFUSE);
	assert_int_equal(world->message.id, 5);
	fake_say(&world->fake,
		&(struct wire_message){ .type = WIRE_CREDIT, .id = 6, .offset = 9 });
	assert_int_equal(next(world), SCANNER_MESSAGE);
	assert_int_equal(world->message.offset, 9);
	assert_int_equal(verdict_add_finding(&verdict, &finding, &world->err), 0);
	fake_verdict(&world->fake, 7, &verdict);
	assert_int_equal(next(world), SCANNER_MESSAGE);
	assert_int_equal(world->message.verdict.finding_count, 1);
}

static void malformed_messages_are_told_with_their_id(void **state)
{
	static const char bad_verdict[] = "MF\x01\x08\0\0\0\0\0\0\0\x2a\x01";
	struct world *world = *state;

	fake_open(&world->fake, world->endpoint, 7);
	assert_int_equal(next(world), SCANNER_FOUND);
	fake_say_bytes(&world->fake, "rubbish", 7);
	assert_int_equal(next(world), SCANNER_MALFORMED);
	assert_int_equal(world->message.id, 0);
	fake_say_bytes(&world->fake, bad_verdict, sizeof(bad_verdict) - 1);
	assert_int_equal(next(world), SCANNER_MALFORMED);
	assert_int_equal(world->message.id, 42);
	fake_say(&world->fake, &(struct wire_message){ .type = WIRE_PING });
	assert_int_equal(next(world), SCANNER_MALFORMED);
	assert_non_null(strstr(world->err.text, "as a client"));
	assert_true(world->scanner.there);
}

static void a_scanner_that_goes_is_lost_and_found_again(void **state)
{
	struct world *world = *state;

	fake_open(&world->fake, world->endpoint, 7);
	assert_int_equal(next(world), SCANNER_FOUND);
	fake_close(&world->fake);
	assert_int_equal(next(world), SCANNER_LOST);
	assert_false(world->scanner.there);
	assert_int_equal(world->scanner.lost_session, 7);
	fake_open(&world->fake, world->endpoint, 8);
	assert_int_equal(next(world), SCANNER_FOUND);
	assert_int_equal(world->scanner.state.session, 8);
	assert_int_equal(world->scanner.lost_session, 7);
}

static void a_new_session_on_the_same_connection_is_a_loss(void **state)
{
	struct world *world = *state;

	fake_open(&world->fake, world->endpoint, 7);
	assert_int_equal(next(world), SCANNER_FOUND);
	world->fake.state.session = 8;
	fake_say_state(&world->fake);
	assert_int_equal(next(world), SCANNER_LOST);
	assert_true(world->scanner.there);
	assert_int_equal(world->scanner.state.session, 8);
}

static void a_quiet_scanner_is_pinged_and_stays(void **state)
{
	struct world *world = *state;

	fake_open(&world->fake, world->endpoint, 7);
	assert_int_equal(next(world), SCANNER_FOUND);
	until_pings(world, 3);
	assert_true(world->scanner.there);
	assert_int_equal(world->fake.hellos, 1);
}

/* ZeroMQ answers for it as long as the process lives: only its own words count. */
static void one_that_is_connected_but_does_not_answer_is_lost(void **state)
{
	struct world *world = *state;
	int64_t begin;

	fake_open(&world->fake, world->endpoint, 7);
	assert_int_equal(next(world), SCANNER_FOUND);
	world->fake.mute = true;
	begin = clock_ms();
	assert_int_equal(next(world), SCANNER_LOST);
	assert_non_null(strstr(world->err.text, "does not answer"));
	assert_in_range(clock_ms() - begin, TIMEOUT_MS / 2, PATIENCE_MS);
	world->fake.mute = false;
	assert_int_equal(next(world), SCANNER_FOUND);
	assert_int_equal(world->scanner.state.session, world->scanner.lost_session);
}

/* An oversize frame ends ZeroMQ's connection for good; ours begins anew. */
static void one_that_breaks_the_protocol_below_is_lost_and_connected_anew(void **state)
{
	struct world *world = *state;
	auto_free uint8_t *bytes = calloc(1, WIRE_HEAD_MAX + 1);

	assert_non_null(bytes);
	fake_open(&world->fake, world->endpoint, 7);
	assert_int_equal(next(world), SCANNER_FOUND);
	fake_say_bytes(&world->fake, bytes, WIRE_HEAD_MAX + 1);
	assert_int_equal(next(world), SCANNER_LOST);
	assert_int_equal(next(world), SCANNER_FOUND);
	assert_int_equal(world->fake.hellos, 2);
}

static void a_flood_of_states_does_not_hold_the_caller(void **state)
{
	struct world *world = *state;
	int rounds = 0;

	fake_open(&world->fake, world->endpoint, 7);
	assert_int_equal(next(world), SCANNER_FOUND);
	for (int i = 0; i < 20; i++)
		fake_say_state(&world->fake);
	fake_refuse(&world->fake, 1, WIRE_BUSY, "");
	while (scanner_next(&world->scanner, &world->message, &world->err) ==
		SCANNER_NOTHING) {
		assert_true(rounds++ < 1000);
		wait_for(world, clock_ms() + PATIENCE_MS);
	}
	assert_true(rounds >= 1);
	assert_int_equal(world->message.id, 1);
}

static void saying_something_to_an_absent_scanner_fails(void **state)
{
	struct world *world = *state;
	struct wire_message message = { .type = WIRE_PING };

	assert_int_equal(scanner_say(&world->scanner, &message, &world->err), -1);
	assert_int_equal(world->err.kind, ERR_SESSION);
	scanner_close(&world->scanner);
	assert_int_equal(scanner_say(&world->scanner, &message, &world->err), -1);
	assert_int_equal(world->err.kind, ERR_SESSION);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, drop_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(a_scanner_is_there_once_it_has_said_its_state),
		IN_WORLD(one_that_loads_is_there_but_not_ready),
		IN_WORLD(any_message_is_a_sign_of_life),
		IN_WORLD(what_is_on_its_way_gets_more_time),
		IN_WORLD(messages_about_requests_are_handed_on),
		IN_WORLD(malformed_messages_are_told_with_their_id),
		IN_WORLD(a_scanner_that_goes_is_lost_and_found_again),
		IN_WORLD(a_new_session_on_the_same_connection_is_a_loss),
		IN_WORLD(a_quiet_scanner_is_pinged_and_stays),
		IN_WORLD(one_that_is_connected_but_does_not_answer_is_lost),
		IN_WORLD(one_that_breaks_the_protocol_below_is_lost_and_connected_anew),
		IN_WORLD(a_flood_of_states_does_not_hold_the_caller),
		IN_WORLD(saying_something_to_an_absent_scanner_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
