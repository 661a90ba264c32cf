/* SPDX-License-Identifier: ISC
 *
 * The list of clients, read again. */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/file.h"

#include "scanner/guard.h"

#include "tests/free_port.h"

enum {
	FRAME_MAX = 4096,
	PATIENCE_MS = 10000,
	STEP_MS = 100,
	PATH_LEN = 64
};

static struct {
	char dir[PATH_LEN], conf[PATH_LEN + 16], key[PATH_LEN + 16],
		endpoint[PATH_LEN + 32];
	struct key secret, public, first, second;
	struct key first_secret, second_secret;
	struct settings settings;
	struct link *link;
} g;

static void write_text(const char *path, const char *text)
{
	assert_int_equal(file_replace(path, span_str(text), 0600, NULL), 0);
}

/* clients: what stands behind the = of the option. */
static void settings_are(const char *clients)
{
	char text[1024];

	(void)snprintf(text, sizeof(text),
		"listen = { \"%s\" }\nsignatures = { test }\ntemp-dir = \"%s/temp\"\n"
		"curve-key = \"%s\"\nclients = %s\n",
		g.endpoint, g.dir, g.key, clients);
	write_text(g.conf, text);
}

static const char *one(const struct key *key, char text[static 80])
{
	(void)snprintf(text, 80, "{ \"%s somebody\" }", key->text);
	return text;
}

static int start(void **state)
{
	struct err err = { 0 };
	char text[80];

	(void)state;
	memset(&g, 0, sizeof(g));
	(void)snprintf(g.dir, sizeof(g.dir), "/tmp/test-guard-XXXXXX");
	assert_non_null(mkdtemp(g.dir));
	(void)snprintf(g.conf, sizeof(g.conf), "%s/conf", g.dir);
	(void)snprintf(g.key, sizeof(g.key), "%s/key", g.dir);
	(void)snprintf(g.endpoint, sizeof(g.endpoint), "tcp://127.0.0.1:%d", free_port());
	assert_int_equal(link_make_keys(&g.secret, &g.public, &err), 0);
	assert_int_equal(link_make_keys(&g.first_secret, &g.first, &err), 0);
	assert_int_equal(link_make_keys(&g.second_secret, &g.second, &err), 0);
	write_text(g.key, g.secret.text);
	settings_are(one(&g.first, text));
	if (settings_load(g.conf, &g.settings, &err) < 0 ||
		guard_listen(&g.settings, FRAME_MAX, &g.link, &err) < 0)
		fail_msg("%s", err.text);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	link_close(g.link);
	settings_free(&g.settings);
	return file_remove_tree(g.dir, true, NULL);
}

/* Does whoever has this key get in? */
static bool gets_in(const struct key *secret)
{
	struct link_keys keys = { .secret = secret, .server = &g.public };
	int64_t deadline = clock_ms() + PATIENCE_MS;
	struct link *links[2] = { g.link };
	struct err err = { 0 };
	bool in;

	assert_int_equal(
		link_connect_keys(g.endpoint, FRAME_MAX, &keys, &links[1], &err), 0);
	while (!link_alive(links[1]) && link_trouble(links[1]) == LINK_FINE) {
		assert_true(clock_left(deadline) > 0);
		assert_int_equal(link_wait(links, 2, NULL, NULL, 0, STEP_MS, &err), 0);
	}
	in = link_alive(links[1]);
	if (!in)
		assert_int_equal(link_trouble(links[1]), LINK_REFUSED);
	link_close(links[1]);
	return in;
}

static void the_list_in_the_file_counts_from_now_on(void **state)
{
	struct err err = { 0 };
	char text[80];

	(void)state;
	assert_true(gets_in(&g.first_secret));
	assert_false(gets_in(&g.second_secret));
	settings_are(one(&g.second, text));
	assert_false(gets_in(&g.second_secret)); /* nobody was told to look */
	assert_int_equal(guard_reload(&g.settings, g.link, &err), 0);
	assert_true(gets_in(&g.second_secret));
	assert_false(gets_in(&g.first_secret));
}

static void a_file_that_is_wrong_changes_nothing(void **state)
{
	static const char *const wrong[] = { "{}", "{ \"nonsense\" }", "{",
		"{ \"x\" }\ncolour = blue" };
	struct err err = { 0 };
	char text[80];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		settings_are(wrong[i]);
		assert_int_equal(guard_reload(&g.settings, g.link, &err), -1);
		assert_non_null(strstr(err.text, g.conf));
		assert_true(gets_in(&g.first_secret));
		assert_false(gets_in(&g.second_secret));
	}
	assert_int_equal(unlink(g.conf), 0);
	assert_int_equal(guard_reload(&g.settings, g.link, &err), -1);
	assert_true(gets_in(&g.first_secret));
	settings_are(one(&g.second, text));
	assert_int_equal(guard_reload(&g.settings, g.link, &err), 0);
	assert_true(gets_in(&g.second_secret));
}

static void without_a_file_or_keys_there_is_nothing_to_read(void **state)
{
	struct settings none = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(guard_reload(&none, g.link, &err), 0);
	assert_true(gets_in(&g.first_secret));
}

#define GUARDED(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		GUARDED(the_list_in_the_file_counts_from_now_on),
		GUARDED(a_file_that_is_wrong_changes_nothing),
		GUARDED(without_a_file_or_keys_there_is_nothing_to_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
