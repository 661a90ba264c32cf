/* SPDX-License-Identifier: ISC
 *
 * What goes wrong between a message and its scanner, and is neither's fault. */
#include "tests/test.h"

#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"

#include "mailfilter/scan.h"

#include "tests/mailfilter/fake_scanner.h"

enum {
	PATIENCE_MS = 10000,
	TURN_MS = 3,
	LARGE = 3 * 1024 * 1024
};

struct world {
	char dir[32], endpoint[64];
	char *endpoints[1];
	struct settings settings;
	struct scan *scan;
	struct fake fake;
	struct body mail;
	unsigned answers;
	struct verdict verdict;
};

static int make_world(void **state)
{
	static struct world world;
	char dir[] = "/tmp/scan.XXXXXX";

	if (!mkdtemp(dir))
		return -1;
	memset(&world, 0, sizeof(world));
	memcpy(world.dir, dir, sizeof(dir));
	(void)snprintf(world.endpoint, sizeof(world.endpoint), "ipc://%s/0", dir);
	world.endpoints[0] = world.endpoint;
	world.settings.scanners = (struct schema_list){ world.endpoints, 1 };
	world.settings.scan_timeout_ms = 60000;
	world.settings.scanner_wait_ms = 60000;
	world.settings.scanner_start_ms = 60000;
	body_init(&world.mail, world.dir, LARGE);
	fake_open(&world.fake, world.endpoint, 7);
	*state = &world;
	return 0;
}

static int drop_world(void **state)
{
	struct world *world = *state;
	struct err err;

	scan_close(world->scan);
	fake_close(&world->fake);
	verdict_done(&world->verdict);
	body_done(&world->mail);
	return file_remove_tree(world->dir, true, &err);
}

static void turn(struct world *world)
{
	struct err err = { 0 };

	assert_int_equal(scan_wait(world->scan, NULL, 0, TURN_MS, &err), 0);
	fake_turn(&world->fake);
}

#define UNTIL(world, condition)                                                          \
	for (int64_t until_ms = clock_ms() + PATIENCE_MS; !(condition);                  \
		turn(world), assert_true(clock_left(until_ms) > 0)) {                    \
	}

static void begin(struct world *world)
{
	assert_int_equal(scan_open(&world->settings, &world->scan, NULL), 0);
}

static void take(void *arg, struct verdict *verdict)
{
	struct world *world = arg;

	world->answers++;
	world->verdict = *verdict;
	*verdict = (struct verdict){ 0 };
}

/* A mail of so many bytes; one that is large is in a file. */
static void write_mail(struct world *world, size_t len)
{
	auto_free uint8_t *bytes = calloc(1, len);

	assert_non_null(bytes);
	assert_int_equal(body_add(&world->mail, (struct span){ bytes, len }, NULL), 0);
}

static uint64_t send(struct world *world)
{
	const struct scan_request request = { .message = &world->mail,
		.quarantine_id = "20260131-x",
		.answer = take,
		.arg = world };
	struct err err = { 0 };
	uint64_t id = 0;

	UNTIL(world, scan_ready(world->scan));
	assert_int_equal(scan_send(world->scan, &request, &id, &err), 0);
	return id;
}

/* As with a disk that has errors: its bytes are not to be had any more. */
static void spoil(struct world *world)
{
	assert_true(world->mail.fd >= 0);
	assert_int_equal(ftruncate(world->mail.fd, 1000), 0);
}

static void assert_unread(const struct world *world)
{
	assert_int_equal(world->answers, 1);
	assert_int_equal(world->verdict.kind, VERDICT_RETRY);
	assert_non_null(
		strstr(world->verdict.detail, "the message cannot be read here: "));
	assert_non_null(strstr(world->verdict.detail, "has become shorter"));
	assert_int_equal(scan_outstanding(world->scan), 0);
}

static void a_message_that_cannot_be_read_at_all_is_held_at_once(void **state)
{
	struct world *world = *state;

	begin(world);
	write_mail(world, LARGE);
	spoil(world);
	(void)send(world);
	UNTIL(world, world->answers);
	assert_unread(world);
	assert_int_equal(world->fake.count, 0);
}

static void one_that_cannot_be_read_on_is_held_and_the_scanner_forgets_it(void **state)
{
	struct world *world = *state;

	begin(world);
	write_mail(world, LARGE);
	(void)send(world);
	spoil(world);
	UNTIL(world, world->answers);
	assert_unread(world);
	UNTIL(world, world->fake.cancels == 1);
}

static void a_verdict_on_what_cannot_be_read_again_is_no_hostile_one(void **state)
{
	struct world *world = *state;
	uint64_t id;

	begin(world);
	write_mail(world, LARGE);
	id = send(world);
	UNTIL(world, world->fake.count == 1 && fake_whole(&world->fake.list[0]));
	spoil(world);
	fake_clean(&world->fake, id);
	UNTIL(world, world->answers);
	assert_unread(world);
}

static void a_scanner_whose_state_is_of_another_form_is_named(void **state)
{
	auto_buf struct buf head = { .max = WIRE_HEAD_MAX };
	struct world *world = *state;
	const struct wire_message said = { .type = WIRE_STATE,
		.state = world->fake.state };
	char text[512];

	world->settings.scanner_wait_ms = 300;
	world->fake.mute = true;
	begin(world);
	UNTIL(world, world->fake.hellos == 1);
	/* One that says less of itself. */
	assert_int_equal(wire_encode(&said, &head, NULL), 0);
	fake_say_bytes(&world->fake, head.data, head.len - 8);
	UNTIL(world, scan_hopeless(world->scan, text, sizeof(text)));
	assert_non_null(strstr(text, "different releases: bring both to one version"));
	/* The right one was put there. */
	world->fake.mute = false;
	fake_say_state(&world->fake);
	UNTIL(world, scan_ready(world->scan));
	assert_false(scan_hopeless(world->scan, text, sizeof(text)));
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, drop_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_WORLD(a_message_that_cannot_be_read_at_all_is_held_at_once),
		IN_WORLD(one_that_cannot_be_read_on_is_held_and_the_scanner_forgets_it),
		IN_WORLD(a_verdict_on_what_cannot_be_read_again_is_no_hostile_one),
		IN_WORLD(a_scanner_whose_state_is_of_another_form_is_named),
	};

	/* What goes wrong on purpose is logged. */
	log_start("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
