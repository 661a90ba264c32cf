/* SPDX-License-Identifier: ISC */
#include "tests/common/linked.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

#include "tests/free_port.h"

static void the_socket_is_for_owner_and_group_and_goes_with_the_link(void **state)
{
	struct place *place = *state;
	struct stat stat;
	mode_t mask = umask(022);

	open_server(place);
	assert_int_equal(umask(mask), 022);
	assert_int_equal(lstat(place->path, &stat), 0);
	assert_true(S_ISSOCK(stat.st_mode));
	assert_int_equal(stat.st_mode & 07777, 0660);
	link_close(place->server);
	place->server = NULL;
	assert_int_equal(lstat(place->path, &stat), -1);
}

static void a_second_instance_is_refused_and_told_who_is_there(void **state)
{
	struct place *place = *state;
	const char *endpoint = place->endpoint;
	struct link *second = NULL;
	char pid[20];
	struct err err = { 0 };

	pair(place);
	assert_int_equal(link_bind(&endpoint, 1, FRAME_MAX, &second, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_null(second);
	(void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	assert_non_null(strstr(err.text, pid));
	say(place->client, NULL, "the first still listens");
	heard(place, place->server, "the first still listens");
}

static void a_file_in_place_of_the_socket_is_refused_and_kept(void **state)
{
	struct place *place = *state;
	const char *endpoint = place->endpoint;
	struct err err = { 0 };
	auto_close int fd = -1;

	open_server(place);
	link_close(place->server);
	place->server = NULL;
	fd = open(place->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(link_bind(&endpoint, 1, FRAME_MAX, &place->server, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_int_equal(access(place->path, F_OK), 0);
}

static void bad_endpoints_are_refused(void **state)
{
	static const char *const bad[] = { "", "ipc://", "tcp://192.0.2.1:1",
		"tcp://*:1" };
	const char *many[LINK_ENDPOINTS_MAX + 1];
	struct link *link = NULL;
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(link_check_endpoint(bad[i], &err), -1);
		assert_int_equal(err.kind, ERR_SETTINGS);
		assert_int_equal(link_connect(bad[i], FRAME_MAX, &link, &err), -1);
		assert_int_equal(err.kind, ERR_SETTINGS);
		assert_int_equal(link_bind(&bad[i], 1, FRAME_MAX, &link, &err), -1);
		assert_int_equal(err.kind, ERR_SETTINGS);
	}
	for (size_t i = 0; i <= LINK_ENDPOINTS_MAX; i++)
		many[i] = "tcp://127.0.0.1:1";
	assert_int_equal(
		link_bind(many, LINK_ENDPOINTS_MAX + 1, FRAME_MAX, &link, &err), -1);
	assert_int_equal(link_bind(many, 0, FRAME_MAX, &link, &err), -1);
	assert_null(link);
}

static void one_bad_endpoint_releases_the_good_ones(void **state)
{
	struct place *place = *state;
	const char *endpoints[] = { place->endpoint, "tcp://192.0.2.1:1" };
	struct err err = { 0 };

	assert_int_equal(link_bind(endpoints, 2, FRAME_MAX, &place->server, &err), -1);
	assert_int_equal(access(place->path, F_OK), -1);
	open_server(place);
}

static void wait_reports_links_and_descriptors(void **state)
{
	struct place *place = *state;
	bool readable[2] = { true, true };
	struct link *links[2];
	int pipes[2];
	struct pollfd fds[3] = { { .fd = -1, .events = POLLIN } };
	int64_t deadline = clock_ms() + PATIENCE_MS;
	struct err err = { 0 };

	pair(place);
	links[0] = place->server;
	links[1] = place->client;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	fds[1] = (struct pollfd){ .fd = pipes[0], .events = POLLIN };
	fds[2] = (struct pollfd){ .fd = pipes[1], .events = POLLOUT };
	assert_int_equal(link_wait(links, 2, readable, fds, 3, PATIENCE_MS, &err), 0);
	assert_int_equal(fds[0].revents, 0);
	assert_int_equal(fds[1].revents, 0);
	assert_int_equal(fds[2].revents, POLLOUT);
	assert_false(readable[0]);
	assert_false(readable[1]);
	assert_int_equal(write(pipes[1], "x", 1), 1);
	assert_int_equal(link_wait(links, 2, readable, fds, 2, PATIENCE_MS, &err), 0);
	assert_int_equal(fds[1].revents, POLLIN);
	say(place->client, NULL, "x");
	/* The client's handshake may be what ends the first. */
	for (readable[0] = false; !readable[0];) {
		assert_true(clock_left(deadline) > 0);
		assert_int_equal(link_wait(links, 1, readable, NULL, 0,
					 clock_left(deadline), &err),
			0);
	}
	(void)close(pipes[0]);
	(void)close(pipes[1]);
}

static void tcp_on_loopback_works_and_a_port_in_use_is_named(void **state)
{
	struct place *place = *state;
	const char *endpoint = place->endpoint;
	struct link *second = NULL;
	struct err err = { 0 };

	(void)snprintf(place->endpoint, sizeof(place->endpoint), "tcp://localhost:%d",
		free_port());
	pair(place);
	say(place->client, NULL, "over tcp");
	heard(place, place->server, "over tcp");
	assert_int_equal(link_bind(&endpoint, 1, FRAME_MAX, &second, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	assert_non_null(strstr(err.text, place->endpoint));
}

static void close_accepts_null(void **state)
{
	(void)state;
	link_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACED(the_socket_is_for_owner_and_group_and_goes_with_the_link),
		PLACED(a_second_instance_is_refused_and_told_who_is_there),
		PLACED(a_file_in_place_of_the_socket_is_refused_and_kept),
		cmocka_unit_test(bad_endpoints_are_refused),
		PLACED(one_bad_endpoint_releases_the_good_ones),
		PLACED(wait_reports_links_and_descriptors),
		PLACED(tcp_on_loopback_works_and_a_port_in_use_is_named),
		cmocka_unit_test(close_accepts_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
