/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

#include "mailfilter/outlet.h"

/* A destination that answers as the test says. */
struct answering {
	struct deliver deliver;
	int answer;
	enum err_kind kind;
	uint64_t room;
	unsigned asked;
};

static int ask(
	struct deliver *deliver, const char *folder, uint64_t *room_r, struct err *err)
{
	struct answering *own = (struct answering *)deliver;

	(void)folder;
	own->asked++;
	*room_r = own->room;
	return own->answer < 0 ? err_set(err, own->kind, "it is away") : own->answer;
}

static const struct deliver_ops ops = { .ask = ask };

struct world {
	char dir[64];
	struct record *record;
	struct answering to;
	struct outlet outlet;
};

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	(void)snprintf(world->dir, sizeof(world->dir), "/tmp/mailfilter-outlet-XXXXXX");
	assert_non_null(mkdtemp(world->dir));
	assert_int_equal(record_open(world->dir, false, &world->record, NULL), 0);
	world->to = (struct answering){
		.deliver.ops = &ops, .answer = 1, .kind = ERR_AGAIN, .room = 1000
	};
	outlet_init(&world->outlet, world->record, &world->to.deliver);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	char command[100];

	outlet_done(&world->outlet);
	record_close(world->record);
	(void)snprintf(command, sizeof(command), "rm -r %s", world->dir);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): our own folder */
	free(world);
	return 0;
}

/* The next visit. */
static void next_visit(struct world *world)
{
	outlet_done(&world->outlet);
	outlet_init(&world->outlet, world->record, &world->to.deliver);
}

static enum outlet_answer answer_for(struct world *world, const char *folder,
	uint64_t size, char why[static MESSAGE_REASON_MAX])
{
	enum outlet_answer answer;

	why[0] = '\0';
	assert_int_equal(outlet_ask(&world->outlet, folder, size, &answer, why, NULL), 0);
	return answer;
}

static void pauses_grow_to_an_hour(void **state)
{
	static const struct {
		uint32_t tries;
		int64_t pause_s;
	} cases[] = { { 0, 0 }, { 1, 0 }, { 2, 0 }, { 3, 300 }, { 4, 600 }, { 5, 1200 },
		{ 6, 2400 }, { 7, 3600 }, { 8, 3600 }, { UINT32_MAX, 3600 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
			outlet_due_s(cases[i].tries, 1000), 1000 + cases[i].pause_s);
}

static void it_is_asked_once_a_visit_and_for_each_folder(void **state)
{
	struct world *world = *state;
	char why[MESSAGE_REASON_MAX];

	for (int i = 0; i < 3; i++) {
		assert_int_equal(answer_for(world, "", 10, why), OUTLET_OPEN);
		assert_int_equal(answer_for(world, "Lists", 10, why), OUTLET_OPEN);
	}
	assert_int_equal(world->to.asked, 2);
}

static void what_is_away_is_shut_until_the_next_visit(void **state)
{
	struct world *world = *state;
	char why[MESSAGE_REASON_MAX];

	world->to.answer = -1;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(answer_for(world, "", 10, why), OUTLET_SHUT);
		assert_string_equal(why, "it is away");
	}
	assert_int_equal(world->to.asked, 1);
	world->to.answer = 1;
	next_visit(world);
	assert_int_equal(answer_for(world, "", 10, why), OUTLET_OPEN);
}

static void what_its_owner_must_mend_ends_the_visit(void **state)
{
	struct world *world = *state;
	enum outlet_answer answer;
	char why[MESSAGE_REASON_MAX];
	struct err err = { 0 };

	world->to.answer = -1;
	world->to.kind = ERR_ACCOUNT;
	assert_int_equal(outlet_ask(&world->outlet, "", 10, &answer, why, &err), -1);
	assert_int_equal(err.kind, ERR_ACCOUNT);
}

static void a_message_larger_than_its_room_stays(void **state)
{
	struct world *world = *state;
	char why[MESSAGE_REASON_MAX];

	assert_int_equal(answer_for(world, "", 1001, why), OUTLET_SHUT);
	assert_non_null(strstr(why, "1001 bytes, and there is room for 1000"));
	assert_int_equal(answer_for(world, "", 1000, why), OUTLET_OPEN);
}

static void a_refusal_shuts_it_and_a_delivery_opens_it(void **state)
{
	struct world *world = *state;
	char why[MESSAGE_REASON_MAX];

	assert_int_equal(answer_for(world, "", 10, why), OUTLET_OPEN);
	outlet_refused(&world->outlet, "", "went away");
	assert_int_equal(answer_for(world, "", 10, why), OUTLET_SHUT);
	assert_string_equal(why, "went away");
	outlet_took(&world->outlet, "");
	assert_int_equal(answer_for(world, "", 10, why), OUTLET_OPEN);
}

static void what_cannot_be_asked_is_tried_and_left_alone_for_longer(void **state)
{
	struct world *world = *state;
	struct record_outlet last;
	char why[MESSAGE_REASON_MAX];

	world->to.answer = 0;
	assert_int_equal(answer_for(world, "", 10, why), OUTLET_OPEN);
	outlet_refused(&world->outlet, "", "status 75");
	outlet_refused(&world->outlet, "", "once a visit");
	for (uint32_t tries = 1; tries <= OUTLET_FREE_TRIES; tries++) {
		assert_int_equal(record_find_outlet(world->record, "", &last, NULL), 1);
		assert_int_equal(last.tries, tries);
		next_visit(world);
		assert_int_equal(answer_for(world, "", 10, why), OUTLET_TRIAL);
		outlet_refused(&world->outlet, "", "status 75");
	}
	next_visit(world);
	assert_int_equal(answer_for(world, "", 10, why), OUTLET_SHUT);
	assert_non_null(strstr(why, "status 75 (3 times, tried again after "));
	/* Its pause is over. */
	assert_int_equal(record_find_outlet(world->record, "", &last, NULL), 1);
	last.time_s -= OUTLET_PAUSE_S;
	assert_int_equal(record_put_outlet(world->record, &last, NULL), 0);
	next_visit(world);
	assert_int_equal(answer_for(world, "", 10, why), OUTLET_TRIAL);
	outlet_took(&world->outlet, "");
	assert_int_equal(record_find_outlet(world->record, "", &last, NULL), 0);
	next_visit(world);
	assert_int_equal(answer_for(world, "", 10, why), OUTLET_OPEN);
}

static void a_clock_that_went_back_keeps_nobody_waiting(void **state)
{
	struct world *world = *state;
	struct record_outlet last = { .tries = 9, .time_s = clock_wall_s() + 100000 };
	char why[MESSAGE_REASON_MAX];

	world->to.answer = 0;
	assert_int_equal(record_put_outlet(world->record, &last, NULL), 0);
	assert_int_equal(answer_for(world, "", 10, why), OUTLET_TRIAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pauses_grow_to_an_hour),
		cmocka_unit_test_setup_teardown(
			it_is_asked_once_a_visit_and_for_each_folder, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_is_away_is_shut_until_the_next_visit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_its_owner_must_mend_ends_the_visit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_message_larger_than_its_room_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_refusal_shuts_it_and_a_delivery_opens_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_cannot_be_asked_is_tried_and_left_alone_for_longer, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			a_clock_that_went_back_keeps_nobody_waiting, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
