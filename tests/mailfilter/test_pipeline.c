/* SPDX-License-Identifier: ISC
 *
 * The order of the steps and what is done about their errors, with the real record, quarantine
 * and Maildir. Nothing here may wait for ever: an alarm ends the program. */
#include "tests/mailfilter/world.h"

#include "mailfilter/pipeline.h"

#include <sys/resource.h>

#include "common/clock.h"
#include "common/mime.h"

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	world_new(world);
	world->account.message_max = 1 << 20;
	world_open(world);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	world_close(world);
	world_free(world);
	free(world);
	return 0;
}

/* A fetched message: the suspicious one, or the inert one with these bytes, repeated. */
static struct message *fetched(
	struct world *world, unsigned uid, const char *bytes, size_t times)
{
	struct source_item item = { 0 };
	struct message *message;

	(void)snprintf(item.uid, sizeof(item.uid), "%u", uid);
	message = fetch_message(&world->fetch, "INBOX", 1, &item, NULL);
	assert_non_null(message);
	if (bytes != suspicious)
		assert_int_equal(body_add(&message->body, span_str(inert), NULL), 0);
	for (size_t i = 0; i < times; i++)
		assert_int_equal(body_add(&message->body, span_str(bytes), NULL), 0);
	message->size = message->body.size;
	message->stage = STAGE_FETCHED;
	return message;
}

static void what_waits_for_settle_takes_no_room(void **state)
{
	static char line[2049];
	struct world *world = *state;
	struct message *message;
	size_t count = 0;

	for (size_t at = 0; at < 2048; at += 16)
		(void)snprintf(line + at, sizeof(line) - at, "just some text\r\n");
	world->account.after_kind = AFTER_DELETE;
	/* More than PIPELINE_MEMORY_MAX: were they to stay, there would never be room again. */
	for (unsigned uid = 1; uid <= 100; uid++) {
		message = fetched(world, uid, line, 100);
		pipeline_add(&world->pipeline, &message);
		assert_int_equal(pipeline_make_room(&world->pipeline, NULL), 0);
	}
	assert_int_equal(pipeline_drain(&world->pipeline, NULL), 0);
	assert_int_equal(world->report.delivered, 100);
	while ((message = pipeline_take_recorded(&world->pipeline, "INBOX"))) {
		message_free(message);
		count++;
	}
	assert_int_equal(count, 100);
}

/* The real Maildir, but that some of what it is told fails. */
static struct {
	struct deliver deliver;
	struct deliver *real;
	int write_fails, sync_fails, show_fails,
		shown_fails; /* so many times; -1: always */
	enum err_kind kind;
	struct message *written[PIPELINE_BATCH_MAX]; /* since the last sync */
	size_t count;
} bad;

static bool fails(int *count)
{
	if (*count > 0)
		return (*count)-- > 0;
	return *count < 0;
}

static int bad_write(struct deliver *deliver, struct message *message, struct err *err)
{
	(void)deliver;
	if (fails(&bad.write_fails))
		return err_set(err, bad.kind, "cannot write");
	bad.written[bad.count++] = message;
	return bad.real->ops->write(bad.real, message, err);
}

static int bad_sync(struct deliver *deliver, struct err *err)
{
	size_t count = bad.count;

	(void)deliver;
	bad.count = 0;
	if (!fails(&bad.sync_fails))
		return bad.real->ops->sync(bad.real, err);
	while (count-- > 0)
		bad.real->ops->discard(bad.real, bad.written[count]);
	return err_set(err, bad.kind, "cannot sync");
}

static int bad_show(struct deliver *deliver, struct message *message, struct err *err)
{
	(void)deliver;
	return fails(&bad.show_fails) ? err_set(err, bad.kind, "cannot show")
				      : bad.real->ops->show(bad.real, message, err);
}

static int bad_shown(struct deliver *deliver, struct err *err)
{
	(void)deliver;
	return fails(&bad.shown_fails) ? err_set(err, bad.kind, "cannot sync new")
				       : bad.real->ops->shown(bad.real, err);
}

static void bad_forget(struct deliver *deliver, const char *name)
{
	(void)deliver;
	bad.real->ops->forget(bad.real, name);
}

static void bad_discard(struct deliver *deliver, struct message *message)
{
	(void)deliver;
	bad.real->ops->discard(bad.real, message);
}

static const struct deliver_ops bad_ops = { .write = bad_write,
	.sync = bad_sync,
	.show = bad_show,
	.shown = bad_shown,
	.forget = bad_forget,
	.discard = bad_discard };

static void make_bad(struct world *world, enum err_kind kind)
{
	memset(&bad, 0, sizeof(bad));
	bad.deliver.ops = &bad_ops;
	bad.real = world->pipeline.tools.deliver;
	bad.kind = kind;
	world->pipeline.tools.deliver = &bad.deliver;
}

static void make_good(struct world *world)
{
	world->pipeline.tools.deliver = bad.real;
}

/* Message uid as the record knows it, again. */
static void again(struct world *world, unsigned uid)
{
	struct message *message;
	char text[16];
	struct record_row row;

	(void)snprintf(text, sizeof(text), "%u", uid);
	row = world_row(world, "INBOX", 1, text);
	message = fetched(world, uid, "", 0);
	if (row.state == RECORD_INTENT) {
		message->repeat = true;
		memcpy(message->name, row.name, sizeof(message->name));
	}
	pipeline_add(&world->pipeline, &message);
}

static enum record_state state_of(struct world *world, unsigned uid)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", uid);
	return world_row(world, "INBOX", 1, text).state;
}

static void what_fails_at_any_step_of_delivery_is_there_once_after_the_next_try(
	void **state)
{
	int *const counts[] = { &bad.write_fails, &bad.sync_fails, &bad.show_fails,
		&bad.shown_fails };
	static const enum record_state states[] = { RECORD_HELD, RECORD_HELD,
		RECORD_INTENT, RECORD_INTENT };
	struct world *world = *state;

	for (unsigned i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		unsigned uid = 10 * i;

		make_bad(world, ERR_AGAIN);
		*counts[i] = 1;
		again(world, uid);
		again(world, uid + 1);
		assert_int_equal(pipeline_drain(&world->pipeline, NULL), 0);
		make_good(world);
		assert_int_equal(state_of(world, uid), states[i]);
		again(world, uid);
		if (state_of(world, uid + 1) != RECORD_SETTLED)
			again(world, uid + 1);
		assert_int_equal(pipeline_drain(&world->pipeline, NULL), 0);
		assert_int_equal(state_of(world, uid), RECORD_SETTLED);
		assert_int_equal(state_of(world, uid + 1), RECORD_SETTLED);
		assert_int_equal(world_files(world, "new"), 2 * (i + 1));
		assert_int_equal(world_files(world, "tmp"), 0);
	}
}

static void what_cannot_be_delivered_is_parked_with_a_notice_or_held(void **state)
{
	struct world *world = *state;

	make_bad(world, ERR_MESSAGE);
	bad.write_fails = 1;
	again(world, 1);
	assert_int_equal(pipeline_drain(&world->pipeline, NULL), 0);
	assert_int_equal(state_of(world, 1), RECORD_PARKED);
	assert_int_equal(world_files(world, "new"), 1);
	bad.write_fails = -1;
	again(world, 2);
	assert_int_equal(pipeline_drain(&world->pipeline, NULL), 0);
	assert_int_equal(state_of(world, 2), RECORD_HELD);
	assert_int_equal(world_files(world, "new"), 1);
	assert_int_equal(world_files(world, "tmp"), 0);
	make_good(world);
}

static void where_nothing_can_be_written_the_fetch_ends(void **state)
{
	struct world *world = *state;
	struct err err = { 0 };
	int result = 0;
	unsigned uid = 0;

	make_bad(world, ERR_AGAIN);
	bad.write_fails = -1;
	while (result == 0 && uid < 2 * PIPELINE_BATCH_MAX) {
		again(world, ++uid);
		result = pipeline_make_room(&world->pipeline, &err);
	}
	make_good(world);
	assert_int_equal(result, -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_string_equal(err.text, "cannot write");
	assert_in_range(
		uid, PIPELINE_REFUSED_MAX, PIPELINE_BATCH_MAX + 2 * PIPELINE_BEHIND_MAX);
}

static void one_that_is_delivered_among_many_that_are_not_keeps_the_fetch_going(
	void **state)
{
	struct world *world = *state;

	make_bad(world, ERR_AGAIN);
	for (unsigned uid = 1; uid <= 3 * PIPELINE_REFUSED_MAX; uid++) {
		bad.write_fails = uid % 50 != 0;
		again(world, uid);
		assert_int_equal(pipeline_drain(&world->pipeline, NULL), 0);
	}
	make_good(world);
	assert_int_equal(world_files(world, "new"), 6);
}

static void where_not_even_a_hold_can_be_recorded_the_fetch_ends(void **state)
{
	struct rlimit old, none = { 1, RLIM_INFINITY };
	struct world *world = *state;
	struct err err = { 0 };
	int result;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	again(world, 1);
	result = pipeline_drain(&world->pipeline, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(result, -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_non_null(strstr(err.text, "state.db"));
	assert_int_equal(state_of(world, 1), 0);
	assert_int_equal(world_files(world, "new"), 0);
}

static void what_did_not_come_whole_is_held_and_not_judged(void **state)
{
	struct world *world = *state;
	struct message *message = fetched(world, 1, suspicious, 1);

	(void)err_set(&message->err, ERR_AGAIN, "no space");
	pipeline_add(&world->pipeline, &message);
	assert_int_equal(pipeline_drain(&world->pipeline, NULL), 0);
	assert_int_equal(state_of(world, 1), RECORD_HELD);
	assert_string_equal(world_row(world, "INBOX", 1, "1").judged, "");
	assert_string_equal(world_row(world, "INBOX", 1, "1").reason, "no space");
}

static void a_dry_run_records_not_even_what_is_held(void **state)
{
	struct world *world = *state;
	struct message *message = fetched(world, 2, suspicious, 1);

	world->pipeline.tools.dry_run = true;
	again(world, 1);
	pipeline_add(&world->pipeline, &message);
	message = fetched(world, 3, "", 0);
	(void)err_set(&message->err, ERR_MESSAGE, "odd");
	pipeline_add(&world->pipeline, &message);
	assert_int_equal(pipeline_drain(&world->pipeline, NULL), 0);
	assert_int_equal(world->report.delivered, 1);
	assert_int_equal(world->report.held, 1);
	assert_int_equal(world->report.parked, 1);
	for (unsigned uid = 1; uid <= 3; uid++)
		assert_int_equal(state_of(world, uid), 0);
	assert_int_equal(world_files(world, "new"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_waits_for_settle_takes_no_room),
		TEST(what_fails_at_any_step_of_delivery_is_there_once_after_the_next_try),
		TEST(what_cannot_be_delivered_is_parked_with_a_notice_or_held),
		TEST(where_nothing_can_be_written_the_fetch_ends),
		TEST(one_that_is_delivered_among_many_that_are_not_keeps_the_fetch_going),
		TEST(where_not_even_a_hold_can_be_recorded_the_fetch_ends),
		TEST(what_did_not_come_whole_is_held_and_not_judged),
		TEST(a_dry_run_records_not_even_what_is_held),
	};

	(void)alarm(60);
	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
