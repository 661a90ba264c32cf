/* SPDX-License-Identifier: ISC
 *
 * A client of its own, which speaks ZMTP 3.0 by hand and so may say anything. */
#include "tests/common/linked.h"

#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/parse.h"

enum {
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACED(more_than_two_frames_are_dropped_whole_and_leave_no_memory),
		PLACED(a_frame_over_the_limit_ends_that_connection_only),
		PLACED(a_frame_of_8_gib_ends_that_connection_only),
		PLACED(other_protocols_harm_nobody),
		PLACED(an_oversize_answer_ends_the_link_and_a_new_one_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
