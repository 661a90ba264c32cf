/* SPDX-License-Identifier: ISC
 *
 * A server and a client in a folder of their own, and a link between them. */
#ifndef TESTS_COMMON_LINKED_H
#define TESTS_COMMON_LINKED_H

#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/link.h"

enum {
	FRAME_MAX = 64 * 1024,
	PATIENCE_MS = 10000
};

static const struct span nothing = { NULL, 0 };

struct place {
	char dir[32], path[64], endpoint[80];
	struct link *server, *client;
};

static inline int make_place(void **state)
{
	static struct place place;

	memset(&place, 0, sizeof(place));
	(void)snprintf(place.dir, sizeof(place.dir), "/tmp/link.XXXXXX");
	if (!mkdtemp(place.dir))
		return -1;
	(void)snprintf(place.path, sizeof(place.path), "%s/run/sock", place.dir);
	(void)snprintf(place.endpoint, sizeof(place.endpoint), "ipc://%s", place.path);
	*state = &place;
	return 0;
}

static inline int drop_place(void **state)
{
	struct place *place = *state;
	struct err err;

	link_close(place->client);
	link_close(place->server);
	return file_remove_tree(place->dir, true, &err);
}

#define PLACED(test) cmocka_unit_test_setup_teardown(test, make_place, drop_place)

static inline void open_server(struct place *place)
{
	const char *endpoint = place->endpoint;
	struct err err = { 0 };

	assert_int_equal(link_bind(&endpoint, 1, FRAME_MAX, &place->server, &err), 0);
}

static inline void open_client(struct place *place)
{
	struct err err = { 0 };

	assert_int_equal(
		link_connect(place->endpoint, FRAME_MAX, &place->client, &err), 0);
}

/* Wait for an event of either; the deadline of a test. */
static inline void wait_some(struct place *place, int64_t deadline)
{
	struct link *links[2];
	size_t count = 0;
	struct err err = { 0 };

	assert_true(clock_left(deadline) > 0);
	if (place->server)
		links[count++] = place->server;
	if (place->client)
		links[count++] = place->client;
	assert_int_equal(
		link_wait(links, count, NULL, NULL, 0, clock_left(deadline), &err), 0);
}

static inline void wait_alive(struct place *place, bool alive)
{
	int64_t deadline = clock_ms() + PATIENCE_MS;

	while (link_alive(place->client) != alive)
		wait_some(place, deadline);
}

/* The next message on one of the two links. */
static inline void receive(
	struct place *place, struct link *link, struct link_message *message)
{
	int64_t deadline = clock_ms() + PATIENCE_MS;
	struct err err = { 0 };
	int rc;

	while ((rc = link_receive(link, message, &err)) == 0)
		wait_some(place, deadline);
	assert_int_equal(rc, 1);
}

static inline void say(struct link *link, const struct link_peer *peer, const char *text)
{
	struct err err = { 0 };

	assert_int_equal(link_send(link, peer, span_str(text), false, nothing, &err), 0);
}

static inline void heard(struct place *place, struct link *link, const char *text)
{
	struct link_message message;

	receive(place, link, &message);
	assert_int_equal(message.frame_count, 1);
	assert_true(span_is(message.frames[0], text));
}

static inline void pair(struct place *place)
{
	open_server(place);
	open_client(place);
	wait_alive(place, true);
}

#endif
