/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/link.h"

#include "tests/free_port.h"

enum {
	FRAME_MAX = 64 * 1024,
	PATIENCE_MS = 10000,
	CLIENTS_MAX = 3,
	SILENT = 40,
	STEP_MS = 500
};

static const struct span nothing = { NULL, 0 };

struct pair {
	struct key secret, public;
};

struct place {
	char dir[32], ipc[64], tcp[64];
	const char *endpoints[2];
	struct pair scanner, known, stranger;
	struct link_client allowed;
	struct link *server;
	struct link *clients[CLIENTS_MAX];
	size_t count;
};

static void make_pair(struct pair *pair)
{
	struct err err = { 0 };

	assert_int_equal(link_make_keys(&pair->secret, &pair->public, &err), 0);
}

/* A server that takes the known client only, over tcp, and anybody over ipc. */
static int make_place(void **state)
{
	static struct place place;
	struct link_keys keys = { .secret = &place.scanner.secret,
		.clients = &place.allowed,
		.client_count = 1 };
	struct err err = { 0 };

	memset(&place, 0, sizeof(place));
	(void)snprintf(place.dir, sizeof(place.dir), "/tmp/linkkeys.XXXXXX");
	if (!mkdtemp(place.dir))
		return -1;
	(void)snprintf(place.ipc, sizeof(place.ipc), "ipc://%s/sock", place.dir);
	(void)snprintf(place.tcp, sizeof(place.tcp), "tcp://127.0.0.1:%d", free_port());
	place.endpoints[0] = place.tcp;
	place.endpoints[1] = place.ipc;
	make_pair(&place.scanner);
	make_pair(&place.known);
	make_pair(&place.stranger);
	place.allowed.key = place.known.public;
	*state = &place;
	return link_bind_keys(place.endpoints, 2, FRAME_MAX, &keys, &place.server, &err);
}

static int drop_place(void **state)
{
	struct place *place = *state;
	struct err err;

	for (size_t i = 0; i < place->count; i++)
		link_close(place->clients[i]);
	link_close(place->server);
	return file_remove_tree(place->dir, true, &err);
}

static struct link *open_as(
	struct place *place, const struct pair *own, const struct key *server)
{
	struct link_keys keys = { .secret = &own->secret, .server = server };
	struct err err = { 0 };

	assert_int_equal(link_connect_keys(place->tcp, FRAME_MAX, &keys,
				 &place->clients[place->count], &err),
		0);
	return place->clients[place->count++];
}

static struct link *open_plain(struct place *place, const char *endpoint)
{
	struct err err = { 0 };

	assert_int_equal(
		link_connect(endpoint, FRAME_MAX, &place->clients[place->count], &err),
		0);
	return place->clients[place->count++];
}

static void wait_some(struct place *place, int64_t deadline)
{
	struct link *links[1 + CLIENTS_MAX] = { place->server };
	struct err err = { 0 };

	assert_true(clock_left(deadline) > 0);
	if (deadline > clock_ms() + STEP_MS)
		deadline = clock_ms() + STEP_MS; /* what is counted late wakes nobody */
	for (size_t i = 0; i < place->count; i++)
		links[1 + i] = place->clients[i];
	assert_int_equal(link_wait(links, 1 + place->count, NULL, NULL, 0,
				 clock_left(deadline), &err),
		0);
}

/* It sends something, and the server hears it. */
static void speaks(struct place *place, struct link *client, const char *text)
{
	int64_t deadline = clock_ms() + PATIENCE_MS;
	struct link_message message;
	struct err err = { 0 };

	while (!link_alive(client))
		wait_some(place, deadline);
	assert_int_equal(
		link_send(client, NULL, span_str(text), false, nothing, &err), 0);
	while (link_receive(place->server, &message, &err) == 0)
		wait_some(place, deadline);
	assert_int_equal(message.frame_count, 1);
	assert_true(span_is(message.frames[0], text));
	assert_int_equal(link_trouble(client), LINK_FINE);
}

static void until_trouble(
	struct place *place, struct link *client, enum link_trouble trouble)
{
	int64_t deadline = clock_ms() + PATIENCE_MS;

	while (link_trouble(client) == LINK_FINE)
		wait_some(place, deadline);
	assert_int_equal(link_trouble(client), trouble);
	assert_false(link_alive(client));
	assert_int_equal(link_connections(client), 0);
}

static void until_refused(struct place *place, uint64_t count)
{
	int64_t deadline = clock_ms() + PATIENCE_MS;

	while (link_refusals(place->server)->count < count)
		wait_some(place, deadline);
}

/* Nothing came of it, and whoever may still can. */
static void others_are_heard(struct place *place)
{
	struct link_message message;
	struct err err = { 0 };

	assert_int_equal(link_receive(place->server, &message, &err), 0);
	speaks(place, open_as(place, &place->known, &place->scanner.public), "known");
}

static void a_known_key_may_connect_and_is_answered(void **state)
{
	struct place *place = *state;
	struct link *client = open_as(place, &place->known, &place->scanner.public);

	speaks(place, client, "over curve");
	assert_int_equal(link_refusals(place->server)->count, 0);
}

static void an_unknown_key_is_refused_counted_and_told(void **state)
{
	struct place *place = *state;
	struct link *client = open_as(place, &place->stranger, &place->scanner.public);

	until_trouble(place, client, LINK_REFUSED);
	assert_int_equal(link_refusals(place->server)->count, 1);
	assert_non_null(
		strstr(link_refusals(place->server)->last, place->stranger.public.text));
	assert_non_null(strstr(link_refusals(place->server)->last, "127.0.0.1"));
	others_are_heard(place);
}

static void a_client_without_keys_gets_nothing_over_tcp(void **state)
{
	struct place *place = *state;

	struct link *client = open_plain(place, place->tcp);
	int64_t deadline = clock_ms() + PATIENCE_MS;

	/* Whichever end is the first to see it. */
	while (link_trouble(client) != LINK_MISMATCH && link_trouble(client) != LINK_CUT)
		wait_some(place, deadline);
	assert_int_equal(link_connections(client), 0);
	until_refused(place, 1);
	others_are_heard(place);
}

static void a_server_with_another_key_is_not_trusted(void **state)
{
	struct place *place = *state;

	until_trouble(
		place, open_as(place, &place->known, &place->stranger.public), LINK_CUT);
	until_refused(place, 1);
	assert_non_null(strstr(link_refusals(place->server)->last, "another key"));
	others_are_heard(place);
}

static void the_socket_of_the_same_link_needs_no_key(void **state)
{
	struct place *place = *state;

	speaks(place, open_plain(place, place->ipc), "over ipc");
	speaks(place, open_as(place, &place->known, &place->scanner.public), "over tcp");
}

static void an_empty_list_allows_nobody(void **state)
{
	struct place *place = *state;
	struct link_keys keys = { .secret = &place->scanner.secret };
	const char *endpoint = place->tcp;
	struct err err = { 0 };

	link_close(place->server);
	assert_int_equal(
		link_bind_keys(&endpoint, 1, FRAME_MAX, &keys, &place->server, &err), 0);
	until_trouble(place, open_as(place, &place->known, &place->scanner.public),
		LINK_REFUSED);
}

static void a_full_frame_fits_with_what_encryption_adds(void **state)
{
	struct place *place = *state;
	struct link *client = open_as(place, &place->known, &place->scanner.public);
	auto_free uint8_t *bytes = calloc(1, FRAME_MAX);
	int64_t deadline = clock_ms() + PATIENCE_MS;
	struct link_message message;
	struct err err = { 0 };

	assert_non_null(bytes);
	speaks(place, client, "first");
	assert_int_equal(link_send(client, NULL, span_str("head"), true,
				 (struct span){ bytes, FRAME_MAX }, &err),
		0);
	while (link_receive(place->server, &message, &err) == 0)
		wait_some(place, deadline);
	assert_int_equal(message.frame_count, 2);
	assert_int_equal(message.frames[1].len, FRAME_MAX);
}

static int raw_connect(struct place *place)
{
	struct sockaddr_in name = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	name.sin_port = htons((uint16_t)strtoul(strrchr(place->tcp, ':') + 1, NULL, 10));
	assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	return fd;
}

static void silence_and_other_protocols_are_cut_off_and_counted(void **state)
{
	static const char *const words[] = {
		"", "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"\xff\0\0\0\0\0\0\0\x01\x7f\x03\0NULL\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	};
	struct place *place = *state;
	int fds[SILENT];

	for (size_t i = 0; i < SILENT; i++) {
		fds[i] = raw_connect(place);
		assert_true(send(fds[i], words[i % 4], strlen(words[i % 4]), 0) >= 0);
	}
	speaks(place, open_as(place, &place->known, &place->scanner.public), "known");
	until_refused(place, SILENT);
	for (size_t i = 0; i < SILENT; i++)
		(void)close(fds[i]);
	speaks(place, place->clients[0], "and after");
}

/* A list that is read again: who is new comes in, who is gone is heard no more though connected. */
static void the_list_may_change_while_the_link_serves(void **state)
{
	struct place *place = *state;
	struct link *known = open_as(place, &place->known, &place->scanner.public);
	struct link *plain = open_plain(place, place->ipc);
	struct link_client other = { .key = place->stranger.public };
	struct link_message message;
	struct err err = { 0 };

	speaks(place, known, "before");
	assert_int_equal(link_allow(place->server, &other, 1, &err), 0);
	assert_int_equal(
		link_send(known, NULL, span_str("after"), false, nothing, &err), 0);
	while (link_refusals(place->server)->count == 0) {
		assert_int_equal(link_receive(place->server, &message, &err), 0);
		wait_some(place, clock_ms() + PATIENCE_MS);
	}
	assert_non_null(
		strstr(link_refusals(place->server)->last, place->known.public.text));
	speaks(place, open_as(place, &place->stranger, &place->scanner.public), "new");
	speaks(place, plain, "over ipc as ever");
	assert_int_equal(link_allow(place->server, &place->allowed, 1, &err), 0);
	speaks(place, known, "let in again");
}

static void what_is_allowed_no_more_does_not_hold_others_up(void **state)
{
	struct place *place = *state;
	struct link *known = open_as(place, &place->known, &place->scanner.public);
	struct link_client other = { .key = place->stranger.public };
	struct err err = { 0 };

	speaks(place, known, "before");
	assert_int_equal(link_allow(place->server, &other, 1, &err), 0);
	for (int i = 0; i < 20; i++)
		(void)link_send(
			known, NULL, span_str("flood"), true, span_str("more"), &err);
	speaks(place, open_as(place, &place->stranger, &place->scanner.public), "new");
}

#define PLACED(test) cmocka_unit_test_setup_teardown(test, make_place, drop_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACED(a_known_key_may_connect_and_is_answered),
		PLACED(an_unknown_key_is_refused_counted_and_told),
		PLACED(a_client_without_keys_gets_nothing_over_tcp),
		PLACED(a_server_with_another_key_is_not_trusted),
		PLACED(the_socket_of_the_same_link_needs_no_key),
		PLACED(an_empty_list_allows_nobody),
		PLACED(a_full_frame_fits_with_what_encryption_adds),
		PLACED(the_list_may_change_while_the_link_serves),
		PLACED(what_is_allowed_no_more_does_not_hold_others_up),
		PLACED(silence_and_other_protocols_are_cut_off_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
