/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/endpoint.h"
#include "common/file.h"

#define PATH_10 "/123456789"
#define PATH_100                                                                         \
	PATH_10 PATH_10 PATH_10 PATH_10 PATH_10 PATH_10 PATH_10 PATH_10 PATH_10 PATH_10

static void endpoints_on_this_machine_are_taken(void **state)
{
	static const struct {
		const char *text, *zmq, *path;
		bool ipv6;
	} good[] = {
		{ "ipc:///run/x/scanner.sock", "ipc:///run/x/scanner.sock",
			"/run/x/scanner.sock", false },
		{ "ipc:///a", "ipc:///a", "/a", false },
		{ "ipc://" PATH_100 "/123456", "ipc://" PATH_100 "/123456",
			PATH_100 "/123456", false },
		{ "tcp://127.0.0.1:1", "tcp://127.0.0.1:1", "", false },
		{ "tcp://127.9.8.7:65535", "tcp://127.9.8.7:65535", "", false },
		{ "tcp://localhost:4310", "tcp://127.0.0.1:4310", "", false },
		{ "tcp://[::1]:4310", "tcp://[::1]:4310", "", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct endpoint endpoint;
		struct err err = { 0 };

		assert_int_equal(
			endpoint_parse(good[i].text, ENDPOINT_PLAIN, &endpoint, &err), 0);
		assert_string_equal(endpoint.text, good[i].zmq);
		assert_string_equal(endpoint.path, good[i].path);
		assert_int_equal(endpoint.ipv6, good[i].ipv6);
		assert_int_equal(endpoint.lock, -1);
	}
}

static void all_others_are_refused_with_what_was_expected(void **state)
{
	static const char *const bad[] = { "", "scanner.sock", "/run/scanner.sock",
		"ipc:", "ipc://", "ipc:///", "ipc:///run/", "ipc://*", "ipc://@abstract",
		"ipc://run/x", "ipc://" PATH_100 "/1234567", "IPC:///a", "inproc://x",
		"tcp://", "tcp://:1", "tcp://127.0.0.1",
		"tcp://127.0.0.1:", "tcp://127.0.0.1:0", "tcp://127.0.0.1:65536",
		"tcp://127.0.0.1:*", "tcp://127.0.0.1:1x", "tcp://*:4310",
		"tcp://0.0.0.0:4310", "tcp://10.0.0.1:4310", "tcp://128.0.0.1:4310",
		"tcp://example.org:4310", "tcp://localhost.example.org:4310",
		"tcp://127.1:4310", "tcp://::1:4310", "tcp://[::1:4310",
		"tcp://[::2]:4310", "tcp://[127.0.0.1]:4310", "tcp://[]:1", "tcp://]:1",
		"tcp://[:1", "tcp://127.0.0.1;[::1]:1", "tcp://" PATH_100 PATH_100 ":1",
		"udp://127.0.0.1:1" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct endpoint endpoint = { .text = "untouched" };
		struct err err = { 0 };

		assert_int_equal(
			endpoint_parse(bad[i], ENDPOINT_PLAIN, &endpoint, &err), -1);
		assert_int_equal(err.kind, ERR_SETTINGS);
		assert_true(strlen(err.text) > 0);
		assert_string_equal(endpoint.text, "untouched");
	}
}

static void encrypted_ones_leave_this_machine(void **state)
{
	static const struct {
		const char *text, *zmq;
		bool connect, listen, ipv6;
	} cases[] = {
		{ "ipc:///a", "ipc:///a", true, true, false },
		{ "tcp://192.0.2.7:4310", "tcp://192.0.2.7:4310", true, true, false },
		{ "tcp://0.0.0.0:4310", "tcp://0.0.0.0:4310", true, true, false },
		{ "tcp://localhost:4310", "tcp://127.0.0.1:4310", true, true, false },
		{ "tcp://[2001:db8::7]:4310", "tcp://[2001:db8::7]:4310", true, true,
			true },
		{ "tcp://scan-1.example.org:4310", "tcp://scan-1.example.org:4310", true,
			false, false },
		{ "tcp://*:4310", NULL, false, false, false },
		{ "tcp://eth0;192.0.2.7:4310", NULL, false, false, false },
		{ "tcp://192.0.2:4310", NULL, false, false, false },
		{ "tcp://192.0.2.777:4310", NULL, false, false, false },
		{ "tcp://2001:db8::7:4310", NULL, false, false, false },
		{ "tcp://[scan.example.org]:4310", NULL, false, false, false },
		{ "tcp://-x.example.org:4310", NULL, false, false, false },
		{ "tcp://a b:4310", NULL, false, false, false },
		{ "tcp://:4310", NULL, false, false, false },
		{ "tcp://" PATH_100 PATH_100 PATH_100 ":1", NULL, false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (int listen = 0; listen <= 1; listen++) {
			bool good = listen ? cases[i].listen : cases[i].connect;
			struct endpoint endpoint;
			struct err err = { 0 };
			int rc = endpoint_parse(cases[i].text,
				listen ? ENDPOINT_LISTEN : ENDPOINT_CONNECT, &endpoint,
				&err);

			assert_int_equal(rc, good ? 0 : -1);
			assert_int_equal(err.kind, good ? ERR_NONE : ERR_SETTINGS);
			if (!good)
				continue;
			assert_string_equal(endpoint.text, cases[i].zmq);
			assert_int_equal(endpoint.ipv6, cases[i].ipv6);
		}
	}
}

struct place {
	char dir[32];
	char text[96], path[80], lock[96];
};

static int make_place(void **state)
{
	static struct place place;

	(void)snprintf(place.dir, sizeof(place.dir), "/tmp/endpoint.XXXXXX");
	if (!mkdtemp(place.dir))
		return -1;
	(void)snprintf(place.path, sizeof(place.path), "%s/a/b/sock", place.dir);
	(void)snprintf(place.text, sizeof(place.text), "ipc://%s", place.path);
	(void)snprintf(place.lock, sizeof(place.lock), "%s.lock", place.path);
	*state = &place;
	return 0;
}

static int drop_place(void **state)
{
	struct place *place = *state;
	struct err err;

	return file_remove_tree(place->dir, true, &err);
}

static void claimed(struct place *place, struct endpoint *endpoint)
{
	struct err err = { 0 };

	assert_int_equal(endpoint_parse(place->text, ENDPOINT_PLAIN, endpoint, &err), 0);
	assert_int_equal(endpoint_claim(endpoint, &err), 0);
	assert_true(endpoint->lock >= 0);
}

static void a_claim_makes_the_folder_and_shuts_others_out(void **state)
{
	struct place *place = *state;
	struct endpoint first, second;
	char folder[80], pid[20];
	struct stat stat;
	struct err err = { 0 };

	claimed(place, &first);
	(void)snprintf(folder, sizeof(folder), "%s/a/b", place->dir);
	assert_int_equal(lstat(folder, &stat), 0);
	assert_int_equal(stat.st_mode & 07777, 0750);
	assert_int_equal(endpoint_parse(place->text, ENDPOINT_PLAIN, &second, &err), 0);
	assert_int_equal(endpoint_claim(&second, &err), -1);
	assert_int_equal(err.kind, ERR_AGAIN);
	(void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	assert_non_null(strstr(err.text, pid));
	assert_non_null(strstr(err.text, place->text));
	assert_int_equal(second.lock, -1);
	endpoint_release(&second);
	assert_int_equal(access(place->lock, F_OK), 0);
	endpoint_release(&first);
	assert_int_equal(endpoint_claim(&second, &err), 0);
	endpoint_release(&second);
	endpoint_release(&second);
	assert_int_equal(access(place->lock, F_OK), 0);
}

static void what_is_no_socket_is_refused_and_stays(void **state)
{
	struct place *place = *state;
	struct endpoint endpoint;
	struct err err = { 0 };
	auto_close int fd = -1;

	claimed(place, &endpoint);
	endpoint_release(&endpoint);
	fd = open(place->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(endpoint_claim(&endpoint, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_non_null(strstr(err.text, "no socket"));
	assert_int_equal(access(place->path, F_OK), 0);
	assert_int_equal(unlink(place->path), 0);
	assert_int_equal(symlink("/dev/null", place->path), 0);
	assert_int_equal(endpoint_claim(&endpoint, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_int_equal(unlink(place->path), 0);
	assert_int_equal(mkdir(place->path, 0700), 0);
	assert_int_equal(endpoint_claim(&endpoint, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
}

static void a_socket_left_by_a_crash_is_taken_over_and_removed_at_the_end(void **state)
{
	struct place *place = *state;
	struct endpoint endpoint;
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	auto_close int fd = -1;

	claimed(place, &endpoint);
	endpoint_release(&endpoint);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)snprintf(name.sun_path, sizeof(name.sun_path), "%s", place->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	claimed(place, &endpoint);
	assert_int_equal(access(place->path, F_OK), 0);
	endpoint_release(&endpoint);
	assert_int_equal(access(place->path, F_OK), -1);
}

static void a_folder_that_cannot_be_made_is_a_matter_of_settings(void **state)
{
	struct place *place = *state;
	struct endpoint endpoint;
	char file[80];
	struct err err = { 0 };
	auto_close int fd = -1;

	(void)snprintf(file, sizeof(file), "%s/a", place->dir);
	fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(endpoint_parse(place->text, ENDPOINT_PLAIN, &endpoint, &err), 0);
	assert_int_equal(endpoint_claim(&endpoint, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_non_null(strstr(err.text, place->text));
}

static void tcp_needs_no_claim(void **state)
{
	struct endpoint endpoint;
	struct err err;

	(void)state;
	assert_int_equal(
		endpoint_parse("tcp://127.0.0.1:1", ENDPOINT_PLAIN, &endpoint, &err), 0);
	assert_int_equal(endpoint_claim(&endpoint, &err), 0);
	assert_int_equal(endpoint.lock, -1);
	endpoint_release(&endpoint);
}

#define PLACED(test) cmocka_unit_test_setup_teardown(test, make_place, drop_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(endpoints_on_this_machine_are_taken),
		cmocka_unit_test(all_others_are_refused_with_what_was_expected),
		cmocka_unit_test(encrypted_ones_leave_this_machine),
		PLACED(a_claim_makes_the_folder_and_shuts_others_out),
		PLACED(what_is_no_socket_is_refused_and_stays),
		PLACED(a_socket_left_by_a_crash_is_taken_over_and_removed_at_the_end),
		PLACED(a_folder_that_cannot_be_made_is_a_matter_of_settings),
		cmocka_unit_test(tcp_needs_no_claim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
