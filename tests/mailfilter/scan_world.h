/* SPDX-License-Identifier: ISC
 *
 * The client of the scanners and two of them that answer as a test says, which take turns. */
#ifndef TESTS_SCAN_WORLD_H
#define TESTS_SCAN_WORLD_H

#include "tests/test.h"

#include <string.h>

#include "common/clock.h"
#include "common/file.h"

#include "mailfilter/request.h"
#include "mailfilter/scan.h"

#include "tests/mailfilter/fake_scanner.h"

enum {
	PATIENCE_MS = 10000,
	TURN_MS = 3,
	MAILS_MAX = 32,
	LARGE = 3 * 1024 * 1024 + 17
};

/* A mail that was sent, and what came back. */
struct mail {
	struct span bytes;
	struct body body; /* the same */
	uint64_t id;
	unsigned answers;
	struct verdict verdict;
};

struct world {
	char dir[32], endpoint[2][64];
	char *endpoints[2];
	struct settings settings;
	struct scan *scan;
	struct fake fakes[2];
	struct mail mails[MAILS_MAX];
	size_t mail_count;
};

static inline int make_world(void **state)
{
	static struct world world;
	char dir[] = "/tmp/scan.XXXXXX";

	if (!mkdtemp(dir))
		return -1;
	memset(&world, 0, sizeof(world));
	memcpy(world.dir, dir, sizeof(dir));
	for (int i = 0; i < 2; i++) {
		(void)snprintf(world.endpoint[i], sizeof(world.endpoint[i]),
			"ipc://%s/%d", dir, i);
		world.endpoints[i] = world.endpoint[i];
	}
	world.settings.scanners = (struct schema_list){ world.endpoints, 1 };
	world.settings.scan_timeout_ms = 60000;
	world.settings.scanner_wait_ms = 60000;
	world.settings.scanner_start_ms = 60000;
	*state = &world;
	return 0;
}

static inline int drop_world(void **state)
{
	struct world *world = *state;
	struct err err;

	scan_close(world->scan);
	for (int i = 0; i < 2; i++)
		fake_close(&world->fakes[i]);
	for (size_t i = 0; i < world->mail_count; i++) {
		verdict_done(&world->mails[i].verdict);
		body_done(&world->mails[i].body);
	}
	return file_remove_tree(world->dir, true, &err);
}

static inline void turn(struct world *world)
{
	struct err err = { 0 };

	assert_int_equal(scan_wait(world->scan, NULL, 0, TURN_MS, &err), 0);
	for (int i = 0; i < 2; i++)
		fake_turn(&world->fakes[i]);
}

/* Let all go on until it is true, with the statement behind it at each turn. */
#define LOOP_UNTIL(world, condition)                                                     \
	for (int64_t until_ms = clock_ms() + PATIENCE_MS; !(condition);                  \
		turn(world), assert_true(clock_left(until_ms) > 0))

#define UNTIL(world, condition)                                                          \
	LOOP_UNTIL(world, condition)                                                     \
	{                                                                                \
	}

/* Let all go on for a while: for what must not happen. */
static inline void go_on(struct world *world)
{
	for (int i = 0; i < 20; i++)
		turn(world);
}

static inline bool there(struct world *world, size_t i)
{
	struct wire_state state = { 0 };
	bool alive = false;

	(void)scan_scanner(world->scan, i, &alive, &state);
	return alive;
}

/* Open the client and this many scanners, and let them find each other. */
static inline void begin(struct world *world, int scanners)
{
	struct err err = { 0 };

	world->settings.scanners.count = (size_t)scanners;
	for (int i = 0; i < scanners; i++)
		fake_open(&world->fakes[i], world->endpoint[i], 100 + (uint64_t)i);
	assert_int_equal(scan_open(&world->settings, &world->scan, &err), 0);
	for (size_t i = 0; i < (size_t)scanners; i++)
		UNTIL(world, there(world, i));
}

static inline void restart(struct world *world, int i, uint64_t session)
{
	fake_close(&world->fakes[i]);
	fake_open(&world->fakes[i], world->endpoint[i], session);
}

static inline void take(void *arg, struct verdict *verdict)
{
	struct mail *mail = arg;

	mail->answers++;
	mail->verdict = *verdict;
	*verdict = (struct verdict){ 0 };
}

static inline void fill(struct mail *mail, struct span bytes)
{
	mail->bytes = bytes;
	body_init(&mail->body, "/tmp", bytes.len);
	assert_int_equal(body_add(&mail->body, bytes, NULL), 0);
}

static inline struct mail *send_bytes(struct world *world, struct span bytes)
{
	struct mail *mail = &world->mails[world->mail_count++];
	struct scan_request request = { .message = &mail->body,
		.quarantine_id = "20260131-x",
		.answer = take,
		.arg = mail };
	struct err err = { 0 };

	assert_true(world->mail_count < MAILS_MAX);
	fill(mail, bytes);
	assert_int_equal(scan_send(world->scan, &request, &mail->id, &err), 0);
	return mail;
}

static inline struct mail *send(struct world *world, const char *text)
{
	return send_bytes(world, span_str(text));
}

/* One scanner that has been sent one mail. */
static inline struct mail *begin_with_one(struct world *world, const char *text)
{
	struct mail *mail;

	begin(world, 1);
	mail = send(world, text);
	UNTIL(world, world->fakes[0].count == 1);
	return mail;
}

/* Two scanners, and one mail that was sent to the first of the results. */
static inline struct mail *begin_with_two(
	struct world *world, struct fake **asked_r, struct fake **other_r)
{
	struct mail *mail;
	int asked;

	begin(world, 2);
	mail = send(world, "a mail");
	UNTIL(world, world->fakes[0].count + world->fakes[1].count == 1);
	asked = world->fakes[0].count ? 0 : 1;
	*asked_r = &world->fakes[asked];
	*other_r = &world->fakes[1 - asked];
	return mail;
}

/* It was answered once, with this. */
static inline void answered(
	const struct mail *mail, enum verdict_kind kind, const char *detail)
{
	assert_int_equal(mail->answers, 1);
	assert_int_equal(mail->verdict.kind, kind);
	if (!strstr(mail->verdict.detail, detail))
		fail_msg("\"%s\" is not in \"%s\"", detail, mail->verdict.detail);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, drop_world)

#endif
