/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/home.h"

static char dir[] = "/tmp/test_home.XXXXXX";

/* Root has no settings of its own; be an ordinary user meanwhile, as this user or another. */
static void as_user(bool on)
{
	if (getuid() == 0)
		assert_int_equal(seteuid(on ? 65534 : 0), 0);
}

static int start(void **state)
{
	(void)state;
	(void)unsetenv("XDG_CONFIG_HOME");
	(void)unsetenv("XDG_STATE_HOME");
	return setenv("HOME", dir, 1);
}

static void write_settings(const char *below)
{
	char path[128];
	struct err err;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, below);
	assert_int_equal(file_mkdirs(path, 0755, &err), 0);
	(void)snprintf(path, sizeof(path), "%s/%s/test.conf", dir, below);
	assert_int_equal(file_replace(path, span_str("x"), 0644, &err), 0);
}

static void check_settings(const char *expected)
{
	auto_free char *path = NULL;
	struct err err;
	int result;

	as_user(true);
	result = home_settings(NULL, "test.conf", &path, &err);
	as_user(false);
	assert_int_equal(result, 0);
	if (expected)
		assert_string_equal(path, expected);
	else
		assert_null(path);
}

static void settings_are_the_users_where_they_exist(void **state)
{
	char expected[128], xdg[128];

	(void)state;
	check_settings(NULL);
	write_settings(".config/mailfilter");
	(void)snprintf(
		expected, sizeof(expected), "%s/.config/mailfilter/test.conf", dir);
	check_settings(expected);
	(void)snprintf(xdg, sizeof(xdg), "%s/xdg", dir);
	assert_int_equal(setenv("XDG_CONFIG_HOME", xdg, 1), 0);
	check_settings(NULL);
	write_settings("xdg/mailfilter");
	(void)snprintf(expected, sizeof(expected), "%s/xdg/mailfilter/test.conf", dir);
	check_settings(expected);
	/* The specification says to ignore it. */
	assert_int_equal(setenv("XDG_CONFIG_HOME", "relative", 1), 0);
	(void)snprintf(
		expected, sizeof(expected), "%s/.config/mailfilter/test.conf", dir);
	check_settings(expected);
}

static void root_takes_the_systems_settings_only(void **state)
{
	auto_free char *path = NULL;
	struct err err;

	(void)state;
	if (getuid() != 0)
		skip();
	assert_int_equal(home_settings(NULL, "test.conf", &path, &err), 0);
	assert_null(path);
}

static void a_given_file_is_the_one_there_or_not(void **state)
{
	auto_free char *path = NULL;
	struct err err;

	(void)state;
	assert_int_equal(home_settings("./x.conf", "test.conf", &path, &err), 0);
	assert_string_equal(path, "./x.conf");
}

static void check_state(const char *settings_path, const char *expected)
{
	auto_free char *path = NULL;
	struct err err;
	int result;

	as_user(true);
	result = home_state(settings_path, &path, &err);
	as_user(false);
	assert_int_equal(result, 0);
	assert_string_equal(path, expected);
}

static void state_goes_with_the_settings(void **state)
{
	char expected[128];

	(void)state;
	(void)snprintf(expected, sizeof(expected), "%s/.local/state/mailfilter", dir);
	check_state(NULL, expected);
	check_state("/home/x/etc/y.conf", expected);
	check_state("/etc/mailfilter/mailfilter.conf", "/var/lib/mailfilter");
	assert_int_equal(setenv("XDG_STATE_HOME", "/xdg", 1), 0);
	check_state(NULL, "/xdg/mailfilter");
}

static void a_tilde_is_the_home_directory(void **state)
{
	auto_free char *path = NULL;
	char expected[128];
	struct err err;

	(void)state;
	assert_int_equal(home_expand("~/Maildir/x", &path, &err), 0);
	(void)snprintf(expected, sizeof(expected), "%s/Maildir/x", dir);
	assert_string_equal(path, expected);
	free(take_ptr(&path));
	assert_int_equal(home_expand("/a/~/b", &path, &err), 0);
	assert_string_equal(path, "/a/~/b");
	free(take_ptr(&path));
	/* Without $HOME the user database says it. */
	assert_int_equal(unsetenv("HOME"), 0);
	if (home_expand("~/x", &path, &err) == 0)
		assert_int_equal(path[0], '/');
	else
		assert_int_equal(err.kind, ERR_SETTINGS);
}

static void relative_paths_are_refused(void **state)
{
	static const char *const bad[] = { "", "a", "./a", "../a", "~", "~b/c", " /a" };
	struct err err;

	(void)state;
	assert_int_equal(home_check_path("/a", &err), 0);
	assert_int_equal(home_check_path("~/a", &err), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(home_check_path(bad[i], &err), -1);
		assert_int_equal(err.kind, ERR_SETTINGS);
		assert_non_null(strstr(err.text, "expected a whole path"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(settings_are_the_users_where_they_exist, start),
		cmocka_unit_test_setup(root_takes_the_systems_settings_only, start),
		cmocka_unit_test_setup(a_given_file_is_the_one_there_or_not, start),
		cmocka_unit_test_setup(state_goes_with_the_settings, start),
		cmocka_unit_test_setup(a_tilde_is_the_home_directory, start),
		cmocka_unit_test(relative_paths_are_refused),
	};
	int failed;

	if (!mkdtemp(dir) || chmod(dir, 0755) < 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	return file_remove_tree(dir, true, NULL) < 0 ? 1 : failed;
}
