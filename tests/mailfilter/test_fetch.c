/* SPDX-License-Identifier: ISC
 *
 * From a source to a Maildir with the real record, quarantine and delivery; the source is a fake
 * that lies, the scanner is absent. */
#include "tests/mailfilter/world.h"

#include "mailfilter/fetch.h"

#include "common/mime.h"

enum {
	SCRIPT_MAX = 8
};

/* What the fake server answers, one after the other, whatever it was asked for. */
struct answer {
	const char *uid, *bytes;
	enum source_outcome outcome;
};

struct fake {
	struct source source;
	struct answer script[SCRIPT_MAX];
	bool breaks; /* the session ends behind the script */
};

struct faked {
	struct world world;
	struct fake fake;
};

static int fake_fetch(struct source *source, const struct source_item *items,
	size_t count, const struct source_sink *sink, struct err *err)
{
	struct fake *fake = (struct fake *)(void *)source;

	(void)items;
	(void)count;
	for (const struct answer *answer = fake->script; answer->uid; answer++) {
		if (answer->bytes &&
			sink->data(sink->arg, span_str(answer->bytes), err) < 0)
			return -1;
		if (sink->done(sink->arg, answer->uid, answer->outcome, err) < 0)
			return -1;
	}
	return fake->breaks ? err_set(err, ERR_SESSION, "the line broke") : 0;
}

static const struct source_ops fake_ops = { .fetch = fake_fetch };

static int setup(void **state)
{
	struct faked *faked = calloc(1, sizeof(*faked));

	assert_non_null(faked);
	faked->fake.source.ops = &fake_ops;
	world_new(&faked->world);
	world_open(&faked->world);
	*state = faked;
	return 0;
}

static int teardown(void **state)
{
	struct faked *faked = *state;

	world_close(&faked->world);
	world_free(&faked->world);
	free(faked);
	return 0;
}

/* Ask for these UIDs, let the fake answer, and work until nothing moves any more. */
static int run(
	struct faked *faked, const char *const *uids, uint64_t size, struct err *err)
{
	struct world *world = &faked->world;
	struct source_item items[SCRIPT_MAX] = { 0 };
	struct message *messages[SCRIPT_MAX];
	struct record_row row;
	size_t count = 0;
	int result;

	for (; uids[count]; count++) {
		struct message_key key = { .folder = "INBOX", .uidvalidity = 1 };
		int found;

		(void)snprintf(
			items[count].uid, sizeof(items[count].uid), "%s", uids[count]);
		memcpy(key.uid, items[count].uid, sizeof(key.uid));
		items[count].size = size;
		found = record_find(world->pipeline.tools.record, &key, &row, NULL);
		messages[count] = fetch_message(&world->fetch, "INBOX", 1, &items[count],
			found > 0 ? &row : NULL);
		assert_non_null(messages[count]);
	}
	result = fetch_chunk(
		&world->fetch, &faked->fake.source, items, messages, count, err);
	assert_int_equal(pipeline_drain(&world->pipeline, NULL), 0);
	return result;
}

static enum record_state state_of(struct world *world, const char *uid)
{
	return world_row(world, "INBOX", 1, uid).state;
}

static const char *const two[] = { "7", "8", NULL };
static const char *const one[] = { "7", NULL };

static void what_was_asked_for_is_delivered_and_recorded(void **state)
{
	struct faked *faked = *state;
	struct world *world = &faked->world;

	faked->fake.script[0] = (struct answer){ "7", inert, SOURCE_FETCHED };
	faked->fake.script[1] = (struct answer){ "8", inert, SOURCE_FETCHED };
	assert_int_equal(run(faked, two, 100, NULL), 0);
	assert_int_equal(world->report.delivered, 2);
	assert_int_equal(world_files(world, "new"), 2);
	assert_int_equal(world_files(world, "tmp"), 0);
	assert_int_equal(state_of(world, "7"), RECORD_SETTLED);
}

static void what_was_not_asked_for_or_comes_twice_is_dropped(void **state)
{
	struct faked *faked = *state;
	struct world *world = &faked->world;

	faked->fake.script[0] = (struct answer){ "9", inert, SOURCE_FETCHED };
	faked->fake.script[1] = (struct answer){ "7", inert, SOURCE_FETCHED };
	faked->fake.script[2] = (struct answer){ "7", inert, SOURCE_FETCHED };
	faked->fake.script[3] = (struct answer){ "", inert, SOURCE_DISCARD };
	assert_int_equal(run(faked, one, 100, NULL), 0);
	assert_int_equal(world_files(world, "new"), 1);
	assert_int_equal(state_of(world, "9"), 0);
}

static void a_message_without_content_is_parked_with_a_notice(void **state)
{
	struct faked *faked = *state;
	struct world *world = &faked->world;

	faked->fake.script[0] = (struct answer){ "7", NULL, SOURCE_NIL };
	faked->fake.script[1] = (struct answer){ "8", inert, SOURCE_FETCHED };
	assert_int_equal(run(faked, two, 100, NULL), 0);
	assert_int_equal(world->report.parked, 1);
	assert_int_equal(world->report.delivered, 1);
	assert_int_equal(state_of(world, "7"), RECORD_PARKED);
	assert_int_equal(world_files(world, "new"), 2);
}

static void an_empty_message_is_parked_and_never_delivered_as_one(void **state)
{
	struct faked *faked = *state;
	struct world *world = &faked->world;

	faked->fake.script[0] = (struct answer){ "7", NULL, SOURCE_FETCHED };
	assert_int_equal(run(faked, one, 100, NULL), 0);
	assert_int_equal(world->report.parked, 1);
	assert_int_equal(state_of(world, "7"), RECORD_PARKED);
}

static void one_that_is_larger_than_the_limit_is_parked(void **state)
{
	struct faked *faked = *state;
	struct world *world = &faked->world;
	char *large = malloc(WORLD_MESSAGE_MAX + 2);

	assert_non_null(large);
	memset(large, 'x', WORLD_MESSAGE_MAX + 1);
	large[WORLD_MESSAGE_MAX + 1] = '\0';
	faked->fake.script[0] = (struct answer){ "7", large, SOURCE_FETCHED };
	assert_int_equal(run(faked, one, 100, NULL), 0);
	free(large);
	assert_int_equal(world->report.parked, 1);
	assert_int_equal(state_of(world, "7"), RECORD_PARKED);
}

static void a_vanished_message_is_nothing(void **state)
{
	struct faked *faked = *state;
	struct world *world = &faked->world;

	faked->fake.script[0] = (struct answer){ "7", NULL, SOURCE_ABSENT };
	assert_int_equal(run(faked, one, 100, NULL), 0);
	assert_int_equal(report_decided(&world->report), 0);
	assert_int_equal(state_of(world, "7"), 0);
}

static void a_broken_session_keeps_what_came_and_names_what_is_missing(void **state)
{
	struct faked *faked = *state;
	struct world *world = &faked->world;
	struct err err = { 0 };

	faked->fake.script[0] = (struct answer){ "7", inert, SOURCE_FETCHED };
	faked->fake.breaks = true;
	assert_int_equal(run(faked, two, 100, &err), -1);
	assert_int_equal(err.kind, ERR_SESSION);
	assert_string_equal(world->fetch.missing, "8");
	assert_int_equal(world_files(world, "new"), 1);
	assert_int_equal(state_of(world, "7"), RECORD_SETTLED);
}

static void without_a_scanner_suspicious_mail_is_held_and_inert_delivered(void **state)
{
	struct faked *faked = *state;
	struct world *world = &faked->world;

	faked->fake.script[0] = (struct answer){ "7", suspicious, SOURCE_FETCHED };
	faked->fake.script[1] = (struct answer){ "8", inert, SOURCE_FETCHED };
	assert_int_equal(run(faked, two, 100, NULL), 0);
	assert_int_equal(world->report.held, 1);
	assert_int_equal(world->report.delivered, 1);
	assert_int_equal(world_files(world, "new"), 1);
	assert_int_equal(state_of(world, "7"), RECORD_HELD);
	assert_non_null(strstr(world->report.held_why, "nobody.sock"));
}

static void an_intent_left_by_a_crash_is_delivered_once_under_its_name(void **state)
{
	struct faked *faked = *state;
	struct world *world = &faked->world;
	struct record_row row = {
		.key = { .folder = "INBOX", .uidvalidity = 1, .uid = "7" },
		.state = RECORD_INTENT,
		.name = "1.recorded.host",
		.time_s = 1
	};
	char path[160];

	assert_int_equal(record_put(world->pipeline.tools.record, &row, NULL), 0);
	faked->fake.script[0] = (struct answer){ "7", inert, SOURCE_FETCHED };
	assert_int_equal(run(faked, one, 100, NULL), 0);
	(void)snprintf(path, sizeof(path), "%s/new/1.recorded.host", world->maildir);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(world_files(world, "new"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_was_asked_for_is_delivered_and_recorded, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_was_not_asked_for_or_comes_twice_is_dropped, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			a_message_without_content_is_parked_with_a_notice, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			an_empty_message_is_parked_and_never_delivered_as_one, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			one_that_is_larger_than_the_limit_is_parked, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_vanished_message_is_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_broken_session_keeps_what_came_and_names_what_is_missing, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			without_a_scanner_suspicious_mail_is_held_and_inert_delivered,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			an_intent_left_by_a_crash_is_delivered_once_under_its_name, setup,
			teardown),
	};

	mime_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
