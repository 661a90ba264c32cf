/* SPDX-License-Identifier: ISC */
#include "tests/common/linked.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

static void alive_follows_the_peer_as_it_goes_and_comes_back(void **state)
{
	struct place *place = *state;
	struct err err = { 0 };

	pair(place);
	assert_int_equal(link_connections(place->client), 1);
	link_close(place->server);
	place->server = NULL;
	wait_alive(place, false);
	assert_int_equal(link_connections(place->client), 1);
	assert_int_equal(
		link_send(place->client, NULL, span_str("lost"), false, nothing, &err),
		-1);
	assert_int_equal(err.kind, ERR_SESSION);
	open_server(place);
	wait_alive(place, true);
	assert_int_equal(link_connections(place->client), 2);
	say(place->client, NULL, "again");
	heard(place, place->server, "again");
}

/* A peer whose kernel accepts but which says nothing, as a stopped process does. */
static void a_peer_without_a_handshake_is_not_alive(void **state)
{
	struct place *place = *state;
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	auto_close int accepted = -1;
	struct pollfd poll = { .fd = fd, .events = POLLIN };
	struct err err = { 0 };

	(void)snprintf(
		place->endpoint, sizeof(place->endpoint), "ipc://%s/s", place->dir);
	(void)snprintf(name.sun_path, sizeof(name.sun_path), "%s/s", place->dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(fd, 1), 0);
	open_client(place);
	assert_int_equal(
		link_wait(&place->client, 1, NULL, &poll, 1, PATIENCE_MS, &err), 0);
	assert_int_equal(poll.revents, POLLIN);
	accepted = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	assert_true(accepted >= 0);
	assert_int_equal(link_wait(&place->client, 1, NULL, NULL, 0, 100, &err), 0);
	assert_false(link_alive(place->client));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACED(alive_follows_the_peer_as_it_goes_and_comes_back),
		PLACED(a_peer_without_a_handshake_is_not_alive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
