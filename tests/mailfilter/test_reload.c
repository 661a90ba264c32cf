/* SPDX-License-Identifier: ISC
 *
 * Other settings for accounts that are served: who goes on, who ends, who begins. */
#include "tests/test.h"

#include "mailfilter/reload.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"

static char path[] = "/tmp/mailfilter-reload-XXXXXX";

#define HEAD "state-dir = \"/s\" "
#define ACCOUNT(name, more)                                                              \
	"account " name " { source = \"imaps://u@h\" password = x "                      \
	"deliver = \"maildir:/m\" " more " }\n"

struct world {
	struct settings settings;
	struct children children;
	struct reload reload;
};

static void put(const char *text)
{
	struct err err;

	assert_int_equal(file_replace(path, span_str(text), 0600, &err), 0);
}

/* A process that ends when it is told to. */
static pid_t start(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)alarm(60);
		for (;;)
			(void)pause();
	}
	return pid;
}

static bool was_told(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
}

static void begin(struct world *world, const char *text)
{
	struct err err = { 0 };

	*world = (struct world){ 0 };
	put(text);
	if (settings_load(path, &world->settings, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(
		reload_first(&world->reload, &world->settings, &world->children, &err),
		0);
	for (size_t i = 0; i < world->children.count; i++)
		world->children.items[i].due_ms = clock_ms() + INT64_C(3600) * 1000;
}

static int again(struct world *world, const char *text, struct err *err)
{
	put(text);
	return reload_again(
		&world->reload, &world->settings, &world->children, 5000, err);
}

static void end(struct world *world)
{
	free(world->children.items);
	settings_free(&world->settings);
}

static bool is_due(const struct child *child)
{
	return clock_left(child->due_ms) == 0;
}

static void who_is_not_concerned_goes_on_the_others_end_and_begin_anew(void **state)
{
	struct world world;
	struct child *items;
	struct err err = { 0 };
	pid_t same, changed, gone;

	(void)state;
	begin(&world, HEAD ACCOUNT("same", "") ACCOUNT("changed", "") ACCOUNT("gone", "")
			      ACCOUNT("waiting", "") ACCOUNT("refused", ""));
	items = world.children.items;
	items[0].pid = same = start();
	items[1].pid = changed = start();
	items[2].pid = gone = start();
	items[4].failures = 3;
	assert_int_equal(
		again(&world,
			HEAD "jobs = 7 " ACCOUNT("new", "") ACCOUNT("refused", "")
				ACCOUNT("waiting", "timeout = \"7s\"") ACCOUNT(
					"changed", "after = flag") ACCOUNT("same", ""),
			&err),
		0);
	items = world.children.items;
	assert_int_equal(world.settings.jobs, 7);
	assert_int_equal(world.children.count, 6);
	assert_string_equal(items[0].name, "new");
	assert_true(is_due(&items[0]));
	assert_true(is_due(&items[1]));
	assert_true(is_due(&items[2]));
	assert_int_equal(items[2].account->timeout_ms, 7000);
	assert_int_equal(items[3].pid, changed);
	assert_true(items[3].kill_ms > 0 && items[3].again);
	assert_true(was_told(changed));
	assert_int_equal(items[4].pid, same);
	assert_int_equal(items[4].kill_ms, 0);
	assert_false(is_due(&items[4]));
	assert_ptr_equal(items[4].account, settings_account(&world.settings, 4));
	assert_int_equal(kill(same, SIGTERM), 0);
	assert_true(was_told(same));
	assert_int_equal(items[5].pid, gone);
	assert_null(items[5].account);
	assert_true(was_told(gone));
	assert_ptr_equal(children_due(&world.children), &items[0]);
	end(&world);
}

static void what_counts_for_all_concerns_all(void **state)
{
	static const char *const changes[] = { "scan = all ", "message-max = \"7M\" ",
		"allow-signatures = { \"x\" } ",
		"rule r { from = { \"a\" } then = scan } ",
		"scanners = { \"ipc:///x\" } " };
	struct err err = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct world world;
		char text[1000];

		begin(&world, HEAD ACCOUNT("a", "scan = suspicious"));
		(void)snprintf(text, sizeof(text), "%s%s", changes[i],
			HEAD ACCOUNT("a", "scan = suspicious"));
		if (again(&world, text, &err) < 0)
			fail_msg("%s", err.text);
		assert_true(is_due(&world.children.items[0]));
		assert_int_equal(again(&world, text, &err), 0);
		world.children.items[0].due_ms = clock_ms() + 1000;
		assert_int_equal(again(&world, text, &err), 0);
		assert_false(is_due(&world.children.items[0]));
		end(&world);
	}
}

static void wrong_settings_change_nothing_and_say_where(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ HEAD "\nnonsense = 1\n" ACCOUNT("a", ""), ":2: " },
		{ HEAD, "no account" },
		{ HEAD "account b { source = \"imaps://u@h\" deliver = \"maildir:/m\" }",
			"expected password-command" },
		{ "state-dir = \"/t\" " ACCOUNT("a", ""), "restart" },
	};
	struct world world;
	struct err err = { 0 };

	(void)state;
	begin(&world, HEAD ACCOUNT("a", ""));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(again(&world, cases[i].text, &err), -1);
		if (!strstr(err.text, cases[i].says) || !strstr(err.text, path))
			fail_msg("expected %s, got %s", cases[i].says, err.text);
		assert_int_equal(world.children.count, 1);
		assert_false(is_due(&world.children.items[0]));
		assert_string_equal(world.settings.state_dir, "/s");
	}
	end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			who_is_not_concerned_goes_on_the_others_end_and_begin_anew),
		cmocka_unit_test(what_counts_for_all_concerns_all),
		cmocka_unit_test(wrong_settings_change_nothing_and_say_where),
	};
	int fd = mkstemp(path), result;

	(void)alarm(60);
	(void)close(fd);
	result = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	return result;
}
