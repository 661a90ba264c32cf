/* SPDX-License-Identifier: ISC
 *
 * Replies to a client that reads late, over a real socket. */
#include "tests/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"

#include "scanner/replies.h"

enum {
	COUNT = 800, /* far more than ZeroMQ takes at once */
	PATIENCE_MS = 30 * 1000
};

static char folder[] = "/tmp/mailfilter-replies.XXXXXX";

struct both {
	struct link *server, *client;
	struct link_peer peer; /* the client, as the server knows it */
};

static void await(struct link *link, struct link_message *message_r)
{
	int64_t until = clock_ms() + PATIENCE_MS;
	struct err err = { 0 };
	int got;

	while ((got = link_receive(link, message_r, &err)) == 0 && clock_ms() < until)
		assert_int_equal(link_wait(&link, 1, NULL, NULL, 0, 100, &err), 0);
	assert_int_equal(got, 1);
}

static void meet(struct both *both)
{
	int64_t until = clock_ms() + PATIENCE_MS;
	char endpoint[64];
	const char *list[] = { endpoint };
	struct link_message hello;
	struct err err = { 0 };

	(void)snprintf(endpoint, sizeof(endpoint), "ipc://%s/socket", folder);
	if (link_bind(list, 1, WIRE_HEAD_MAX, &both->server, &err) < 0 ||
		link_connect(endpoint, WIRE_HEAD_MAX, &both->client, &err) < 0)
		fail_msg("%s", err.text);
	while (link_send(both->client, NULL, span_str("hello"), false, (struct span){ 0 },
		       &err) < 0 &&
		clock_ms() < until)
		assert_int_equal(
			link_wait(&both->client, 1, NULL, NULL, 0, 100, &err), 0);
	await(both->server, &hello);
	both->peer = hello.peer;
}

static void part(struct both *both)
{
	link_close(both->client);
	link_close(both->server);
}

static void refusals_are_kept_until_the_client_reads_them(void **state)
{
	struct replies *replies = calloc(1, sizeof(*replies));
	bool heard[COUNT + 1] = { false };
	struct both both = { 0 };
	size_t count = 0;

	(void)state;
	assert_non_null(replies);
	meet(&both);
	replies->link = both.server;
	for (uint64_t id = 1; id <= COUNT; id++)
		replies_refuse(replies, &both.peer, id, WIRE_BUSY, "later");
	assert_true(replies->kept_count > 0);
	assert_true(replies->blocked);
	while (count < COUNT) {
		struct link_message received;
		struct wire_message message;

		replies_again(replies);
		await(both.client, &received);
		assert_int_equal(wire_decode(received.frames, received.frame_count,
					 &message, NULL),
			0);
		assert_int_equal(message.type, WIRE_REFUSE);
		assert_int_equal(message.refusal, WIRE_BUSY);
		assert_true(message.id <= COUNT && !heard[message.id]);
		heard[message.id] = true;
		wire_message_done(&message);
		count++;
	}
	replies_again(replies);
	assert_int_equal(replies->kept_count, 0);
	assert_false(replies->blocked);
	part(&both);
	free(replies);
}

static void what_is_kept_is_bounded_and_goes_with_its_client(void **state)
{
	struct replies *replies = calloc(1, sizeof(*replies));
	int64_t until = clock_ms() + PATIENCE_MS;
	struct both both = { 0 };

	(void)state;
	assert_non_null(replies);
	meet(&both);
	replies->link = both.server;
	/* It never reads: in the end its share of every buffer between is full. */
	for (uint64_t id = 1; replies->kept_count < REPLIES_KEPT_MAX; id++)
		replies_refuse(replies, &both.peer, id, WIRE_BUSY, "later");
	for (uint64_t id = 1; id <= 100; id++)
		replies_refuse(replies, &both.peer, id, WIRE_BUSY, "later");
	assert_true(replies->kept_count <= REPLIES_KEPT_MAX);
	link_close(both.client);
	both.client = NULL;
	while (replies->kept_count > 0 && clock_ms() < until) {
		struct err err = { 0 };

		replies_again(replies);
		assert_int_equal(link_wait(&both.server, 1, NULL, NULL, 0, 10, &err), 0);
	}
	assert_int_equal(replies->kept_count, 0);
	part(&both);
	free(replies);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals_are_kept_until_the_client_reads_them),
		cmocka_unit_test(what_is_kept_is_bounded_and_goes_with_its_client),
	};
	char path[64];
	int failed;

	if (!mkdtemp(folder))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)snprintf(path, sizeof(path), "%s/socket.lock", folder);
	(void)unlink(path);
	(void)rmdir(folder);
	return failed;
}
