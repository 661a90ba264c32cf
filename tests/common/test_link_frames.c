/* SPDX-License-Identifier: ISC */
#include "tests/common/linked.h"

static void a_message_goes_there_and_an_answer_comes_back(void **state)
{
	struct place *place = *state;
	struct link_message message;
	struct err err = { 0 };

	pair(place);
	assert_int_equal(link_send(place->client, NULL, span_str("head"), true,
				 span_str("data"), &err),
		0);
	receive(place, place->server, &message);
	assert_int_equal(message.frame_count, 2);
	assert_true(span_is(message.frames[0], "head"));
	assert_true(span_is(message.frames[1], "data"));
	assert_true(message.peer.len > 0);
	say(place->server, &message.peer, "answer");
	receive(place, place->client, &message);
	assert_int_equal(message.frame_count, 1);
	assert_int_equal(message.peer.len, 0);
	assert_true(span_is(message.frames[0], "answer"));
	assert_int_equal(link_receive(place->client, &message, &err), 0);
}

static void an_empty_data_frame_is_still_a_frame(void **state)
{
	struct place *place = *state;
	struct link_message message;
	struct err err = { 0 };

	pair(place);
	assert_int_equal(
		link_send(place->client, NULL, span_str("head"), true, nothing, &err), 0);
	receive(place, place->server, &message);
	assert_int_equal(message.frame_count, 2);
	assert_int_equal(message.frames[1].len, 0);
}

static void sending_without_a_peer_is_refused_not_kept(void **state)
{
	struct place *place = *state;
	struct link_message message;
	struct err err = { 0 };

	open_client(place);
	assert_false(link_alive(place->client));
	assert_int_equal(
		link_send(place->client, NULL, span_str("lost"), false, nothing, &err),
		-1);
	assert_int_equal(err.kind, ERR_SESSION);
	open_server(place);
	wait_alive(place, true);
	say(place->client, NULL, "found");
	receive(place, place->server, &message);
	assert_true(span_is(message.frames[0], "found"));
}

static void sending_to_a_client_that_has_gone_says_so(void **state)
{
	struct place *place = *state;
	struct link_message message;
	int64_t deadline = clock_ms() + PATIENCE_MS;
	struct err err = { 0 };

	pair(place);
	say(place->client, NULL, "hello");
	receive(place, place->server, &message);
	link_close(place->client);
	place->client = NULL;
	while (link_send(place->server, &message.peer, span_str("x"), false, nothing,
		       &err) == 0) {
		assert_true(clock_left(deadline) > 0);
		assert_int_equal(link_wait(&place->server, 1, NULL, NULL, 0, 1, &err), 0);
	}
	assert_true(err.kind == ERR_SESSION || err.kind == ERR_AGAIN);
	while (err.kind != ERR_SESSION) { /* a full pipe first, then none */
		assert_true(clock_left(deadline) > 0);
		(void)link_send(place->server, &message.peer, span_str("x"), false,
			nothing, &err);
	}
}

static void a_full_pipe_says_so_and_wait_ends_when_there_is_room(void **state)
{
	struct place *place = *state;
	auto_free uint8_t *bytes = calloc(1, FRAME_MAX);
	int64_t deadline = clock_ms() + PATIENCE_MS;
	struct link_message message;
	struct span data = { bytes, FRAME_MAX };
	size_t sent = 0, got = 0;
	struct err err = { 0 };

	assert_non_null(bytes);
	pair(place);
	while (link_send(place->client, NULL, span_str("h"), true, data, &err) == 0)
		assert_true(++sent < 1000);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_true(link_alive(place->client));
	while (link_send(place->client, NULL, span_str("last"), true, data, &err) < 0) {
		assert_int_equal(err.kind, ERR_AGAIN);
		wait_some(place, deadline);
		while (link_receive(place->server, &message, &err) == 1) {
			assert_int_equal(message.frame_count, 2);
			got++;
		}
	}
	for (; got <= sent; got++) {
		receive(place, place->server, &message);
		assert_int_equal(message.frames[1].len, FRAME_MAX);
	}
	assert_true(span_is(message.frames[0], "last"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACED(a_message_goes_there_and_an_answer_comes_back),
		PLACED(an_empty_data_frame_is_still_a_frame),
		PLACED(sending_without_a_peer_is_refused_not_kept),
		PLACED(sending_to_a_client_that_has_gone_says_so),
		PLACED(a_full_pipe_says_so_and_wait_ends_when_there_is_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
