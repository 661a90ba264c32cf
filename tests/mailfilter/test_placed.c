/* SPDX-License-Identifier: ISC
 *
 * Copies put into a folder, and what is on record of them and of their originals after a crash. */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "common/file.h"

#include "mailfilter/placed.h"

static char top[64];
static struct record *record;

static int setup(void **state)
{
	(void)state;
	(void)strcpy(top, "/tmp/test_placed.XXXXXX");
	return mkdtemp(top) ? record_open(top, false, &record, NULL) : -1;
}

static int teardown(void **state)
{
	(void)state;
	record_close(record);
	return file_remove_tree(top, true, NULL);
}

/* A destination that knows of one copy. */
struct fake {
	struct deliver deliver;
	struct deliver_placed placed;
	size_t forgotten;
};

static int tell_one(struct deliver *deliver,
	int (*each)(void *arg, const struct deliver_placed *placed, struct err *err),
	void *arg, struct err *err)
{
	return each(arg, &((struct fake *)deliver)->placed, err);
}

static void forget_one(struct deliver *deliver, const char *name)
{
	struct fake *fake = (struct fake *)deliver;

	assert_string_equal(name, fake->placed.name);
	fake->forgotten++;
}

static const struct deliver_ops fake_ops = { .placed = tell_one, .forget = forget_one };

static struct fake make_fake(void)
{
	struct fake fake = {
		.deliver.ops = &fake_ops,
		.placed = { "1.a", "INBOX",
			{ .uidvalidity = 7, .uid = 12, .size = 5, .head.known = true } }
	};

	return fake;
}

static struct record_row row_of(const char *uid)
{
	struct message_key key = { .folder = "INBOX", .uidvalidity = 7 };
	struct record_row row = { 0 };
	struct err err = { 0 };

	(void)snprintf(key.uid, sizeof(key.uid), "%s", uid);
	assert_true(record_find(record, &key, &row, &err) >= 0);
	return row;
}

static void put_row(
	const char *uid, enum record_state state, enum action action, const char *name)
{
	struct record_row row = { .key = { .folder = "INBOX", .uidvalidity = 7 },
		.state = state,
		.action = action };

	(void)snprintf(row.key.uid, sizeof(row.key.uid), "%s", uid);
	(void)snprintf(row.name, sizeof(row.name), "%s", name);
	(void)strcpy(row.verdict, "infected");
	assert_int_equal(record_put(record, &row, NULL), 0);
}

static void an_intent_whose_copy_is_there_becomes_a_delivery(void **state)
{
	static const struct {
		enum action action;
		enum record_state becomes;
	} cases[] = { { ACTION_CLEAN, RECORD_DONE }, { ACTION_QUARANTINE, RECORD_DONE },
		{ ACTION_PARK, RECORD_PARKED } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fake fake = make_fake();

		put_row("4", RECORD_INTENT, cases[i].action, "1.a");
		put_row("5", RECORD_INTENT, cases[i].action, "2.b");
		assert_int_equal(placed_catch_up(record, &fake.deliver, NULL), 0);
		assert_int_equal(row_of("4").state, cases[i].becomes);
		assert_string_equal(row_of("4").verdict, "infected");
		assert_int_equal(row_of("5").state, RECORD_INTENT);
		assert_int_equal(row_of("12").state, RECORD_SETTLED);
		assert_int_equal(fake.forgotten, 1);
	}
}

static void a_copy_whose_original_is_not_told_yet_is_on_record_and_not_forgotten(
	void **state)
{
	struct fake fake = make_fake();

	(void)state;
	put_row("4", RECORD_HELD, ACTION_CLEAN, "1.a");
	assert_int_equal(placed_catch_up(record, &fake.deliver, NULL), 0);
	assert_int_equal(row_of("4").state, RECORD_HELD);
	assert_int_equal(row_of("12").state, RECORD_SETTLED);
	assert_int_equal(fake.forgotten, 0);
	/* Again is the same. */
	assert_int_equal(placed_catch_up(record, &fake.deliver, NULL), 0);
	assert_int_equal(row_of("12").state, RECORD_SETTLED);
}

static void other_destinations_have_nothing_to_tell(void **state)
{
	static const struct deliver_ops none = { 0 };
	struct deliver deliver = { .ops = &none };

	(void)state;
	assert_int_equal(placed_catch_up(record, NULL, NULL), 0);
	assert_int_equal(placed_catch_up(record, &deliver, NULL), 0);
}

static void a_copy_gets_a_row_of_its_own(void **state)
{
	struct message *message = message_new(top, 10);

	(void)state;
	assert_non_null(message);
	(void)strcpy(message->key.folder, "INBOX");
	(void)strcpy(message->key.uid, "4");
	message->key.uidvalidity = 3;
	message->placed = (struct placed){ 7, 4294967295, 99, { .known = true } };
	assert_int_equal(placed_put(record, message, NULL), 0);
	/* By these it is told again where its server numbers the folder anew. */
	assert_int_equal(row_of("4294967295").listed_size, 99);
	assert_true(row_of("4294967295").head.known);
	assert_int_equal(row_of("4294967295").state, RECORD_SETTLED);
	message_free(message);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_intent_whose_copy_is_there_becomes_a_delivery),
		TEST(a_copy_whose_original_is_not_told_yet_is_on_record_and_not_forgotten),
		TEST(other_destinations_have_nothing_to_tell),
		TEST(a_copy_gets_a_row_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
