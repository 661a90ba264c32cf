/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/link.h"
#include "common/parse.h"

enum {
	FRAME_MAX = 64 * 1024,
	PATIENCE_MS = 10000,
	MIB = 1024 * 1024
};

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

struct place {
	char dir[32], path[64], endpoint[80];
	struct link *server, *client;
};

static int make_place(void **state)
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

static int drop_place(void **state)
{
	struct place *place = *state;
	struct err err;

	link_close(place->client);
	link_close(place->server);
	return file_remove_tree(place->dir, true, &err);
}

static void open_server(struct place *place)
{
	const char *endpoint = place->endpoint;
	struct err err = { 0 };

	assert_int_equal(link_bind(&endpoint, 1, FRAME_MAX, &place->server, &err), 0);
}

static void open_client(struct place *place)
{
	struct err err = { 0 };

	assert_int_equal(
		link_connect(place->endpoint, FRAME_MAX, &place->client, &err), 0);
}

/* Wait for an event of either; the deadline of a test. */
static void wait_some(struct place *place, int64_t deadline)
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

static void wait_alive(struct place *place, bool alive)
{
	int64_t deadline = clock_ms() + PATIENCE_MS;

	while (link_alive(place->client) != alive)
		wait_some(place, deadline);
}

/* The next message on one of the two links. */
static void receive(struct place *place, struct link *link, struct link_message *message)
{
	int64_t deadline = clock_ms() + PATIENCE_MS;
	struct err err = { 0 };
	int rc;

	while ((rc = link_receive(link, message, &err)) == 0)
		wait_some(place, deadline);
	assert_int_equal(rc, 1);
}

static const struct span nothing = { NULL, 0 };

static void say(struct link *link, const struct link_peer *peer, const char *text)
{
	struct err err = { 0 };

	assert_int_equal(link_send(link, peer, span_str(text), false, nothing, &err), 0);
}

static void heard(struct place *place, struct link *link, const char *text)
{
	struct link_message message;

	receive(place, link, &message);
	assert_int_equal(message.frame_count, 1);
	assert_true(span_is(message.frames[0], text));
}

static void pair(struct place *place)
{
	open_server(place);
	open_client(place);
	wait_alive(place, true);
}

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

static int free_port(void)
{
	struct sockaddr_in name = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(name);
	auto_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &size), 0);
	return ntohs(name.sin_port);
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

/* A client of its own, which speaks ZMTP 3.0 by hand and so may say anything. */

static void raw_write(int fd, const void *bytes, size_t len)
{
	struct err err = { 0 };

	assert_int_equal(file_write(fd, (struct span){ bytes, len }, "socket", &err), 0);
}

static void raw_read(int fd, uint8_t *bytes, size_t len)
{
	int64_t deadline = clock_ms() + PATIENCE_MS;
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	while (len > 0) {
		ssize_t got;

		assert_true(poll(&poll_fd, 1, clock_left(deadline)) > 0);
		got = recv(fd, bytes, len, 0);
		assert_true(got > 0);
		bytes += got;
		len -= (size_t)got;
	}
}

static int raw_connect(struct place *place)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", place->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	return fd;
}

static int raw_handshake(struct place *place)
{
	static const uint8_t ready[] = "\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06"
				       "DEALER";
	uint8_t greeting[64] = { 0xff, [9] = 0x7f, [10] = 3, [12] = 'N', 'U', 'L', 'L' };
	uint8_t got[256];
	int fd = raw_connect(place);

	raw_write(fd, greeting, sizeof(greeting));
	raw_write(fd, ready, sizeof(ready) - 1);
	raw_read(fd, got, sizeof(greeting) + 2);
	raw_read(fd, got, got[sizeof(greeting) + 1]); /* the size of its READY */
	return fd;
}

/* A frame of len bytes; more follow or not. */
static void raw_frame(int fd, size_t len, bool more)
{
	auto_free uint8_t *bytes = calloc(1, 9 + len);

	assert_non_null(bytes);
	bytes[0] = (uint8_t)(2 | (more ? 1 : 0));
	for (unsigned i = 0; i < 8; i++)
		bytes[1 + i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
	raw_write(fd, bytes, 9 + len);
}

/* Does the other end close it? */
static void raw_closed(int fd)
{
	int64_t deadline = clock_ms() + PATIENCE_MS;
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	uint8_t bytes[256];

	for (;;) {
		ssize_t len;

		assert_true(poll(&poll_fd, 1, clock_left(deadline)) > 0);
		len = recv(fd, bytes, sizeof(bytes), 0);
		if (len <= 0)
			break;
	}
}

static long resident_bytes(void)
{
	auto_fclose FILE *file = fopen("/proc/self/statm", "re");
	char line[200], *pages;
	uint64_t resident = 0;
	struct err err;

	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	pages = strchr(line, ' ') + 1; /* after the first number, the size */
	*strchr(pages, ' ') = '\0';
	assert_int_equal(parse_number(pages, 0, LONG_MAX, &resident, &err), 0);
	return (long)resident * sysconf(_SC_PAGESIZE);
}

static void more_than_two_frames_are_dropped_whole_and_leave_no_memory(void **state)
{
	struct place *place = *state;
	struct link_message message;
	auto_close int fd = -1;
	long before;

	pair(place);
	fd = raw_handshake(place);
	raw_frame(fd, 3, false);
	receive(place, place->server, &message);
	assert_int_equal(message.frame_count, 1);
	before = resident_bytes();
	for (size_t i = 0; i < 200; i++) {
		for (size_t j = 0; j < 20; j++)
			raw_frame(fd, 16384, j < 19);
		receive(place, place->server, &message);
		assert_int_equal(message.frame_count, 0);
		assert_true(message.peer.len > 0);
	}
	/* 62 MB went through; freed memory under the sanitizer stays for a while. */
	if (!SANITIZED)
		assert_true(resident_bytes() - before < 16L * MIB);
	raw_frame(fd, 5, true);
	raw_frame(fd, 6, false);
	receive(place, place->server, &message);
	assert_int_equal(message.frame_count, 2);
	assert_int_equal(message.frames[1].len, 6);
}

static void a_frame_over_the_limit_ends_that_connection_only(void **state)
{
	struct place *place = *state;
	auto_close int fd = -1;

	pair(place);
	fd = raw_handshake(place);
	raw_write(fd, "\x02\0\0\0\0\0\x01\0\x01", 9); /* says 65537 bytes */
	raw_closed(fd);
	say(place->client, NULL, "still here");
	heard(place, place->server, "still here");
}

static void a_frame_of_8_gib_ends_that_connection_only(void **state)
{
	struct place *place = *state;
	auto_close int fd = -1, other = -1;

	pair(place);
	fd = raw_handshake(place);
	raw_write(fd, "\x02\0\0\0\x02\0\0\0\0", 9);
	raw_closed(fd);
	other = raw_handshake(place);
	raw_write(other, "\x02\xff\xff\xff\xff\xff\xff\xff\xff", 9);
	raw_closed(other);
	say(place->client, NULL, "still here");
	heard(place, place->server, "still here");
}

static void other_protocols_harm_nobody(void **state)
{
	static const char *const words[] = { "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"EHLO example.org\r\nMAIL FROM:<>\r\n",
		"\xff\xff\xff\xff\xff\xff\xff\xff" };
	struct place *place = *state;
	int fds[20];

	pair(place);
	for (size_t i = 0; i < 20; i++) {
		fds[i] = raw_connect(place);
		raw_write(fds[i], words[i % 4], strlen(words[i % 4]));
	}
	say(place->client, NULL, "still here");
	heard(place, place->server, "still here");
	for (size_t i = 0; i < 20; i++)
		(void)close(fds[i]);
	say(place->client, NULL, "and after");
	heard(place, place->server, "and after");
}

/* The other side lies too. ZeroMQ never connects again by itself after that. */
static void an_oversize_answer_ends_the_link_and_a_new_one_works(void **state)
{
	struct place *place = *state;
	auto_free uint8_t *bytes = calloc(1, FRAME_MAX + 1);
	struct span large = { bytes, FRAME_MAX + 1 };
	struct link_message message;
	struct err err = { 0 };

	assert_non_null(bytes);
	pair(place);
	say(place->client, NULL, "hello");
	receive(place, place->server, &message);
	assert_int_equal(
		link_send(place->server, &message.peer, large, false, nothing, &err), 0);
	wait_alive(place, false);
	assert_int_equal(link_receive(place->client, &message, &err), 0);
	link_close(place->client);
	open_client(place);
	wait_alive(place, true);
	say(place->client, NULL, "again");
	heard(place, place->server, "again");
}

static void close_accepts_null(void **state)
{
	(void)state;
	link_close(NULL);
}

#define PLACED(test) cmocka_unit_test_setup_teardown(test, make_place, drop_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACED(a_message_goes_there_and_an_answer_comes_back),
		PLACED(an_empty_data_frame_is_still_a_frame),
		PLACED(the_socket_is_for_owner_and_group_and_goes_with_the_link),
		PLACED(a_second_instance_is_refused_and_told_who_is_there),
		PLACED(a_file_in_place_of_the_socket_is_refused_and_kept),
		cmocka_unit_test(bad_endpoints_are_refused),
		PLACED(one_bad_endpoint_releases_the_good_ones),
		PLACED(sending_without_a_peer_is_refused_not_kept),
		PLACED(sending_to_a_client_that_has_gone_says_so),
		PLACED(alive_follows_the_peer_as_it_goes_and_comes_back),
		PLACED(a_peer_without_a_handshake_is_not_alive),
		PLACED(a_full_pipe_says_so_and_wait_ends_when_there_is_room),
		PLACED(wait_reports_links_and_descriptors),
		PLACED(tcp_on_loopback_works_and_a_port_in_use_is_named),
		PLACED(more_than_two_frames_are_dropped_whole_and_leave_no_memory),
		PLACED(a_frame_over_the_limit_ends_that_connection_only),
		PLACED(a_frame_of_8_gib_ends_that_connection_only),
		PLACED(other_protocols_harm_nobody),
		PLACED(an_oversize_answer_ends_the_link_and_a_new_one_works),
		cmocka_unit_test(close_accepts_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
