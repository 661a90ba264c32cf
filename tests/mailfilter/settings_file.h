/* SPDX-License-Identifier: ISC
 *
 * A file of settings in a folder of its own, to be loaded or to be refused. */
#ifndef TESTS_SETTINGS_FILE_H
#define TESTS_SETTINGS_FILE_H

#include "tests/test.h"

#include <stdio.h>
#include <string.h>

#include "common/file.h"

#include "mailfilter/settings.h"

static char dir[] = "/tmp/test_settings.XXXXXX";
static char path[64];

/* What an account needs, for the tests of something else. */
#define SOURCE  "source = \"imaps://u@h\" "
#define DELIVER "deliver = \"maildir:/m\" "

#define PASSWORD "password-file = \"/p\" "

/* Nothing of who runs the tests is in their way. */
static inline int make_home(void **state)
{
	(void)state;
	if (!mkdtemp(dir) || setenv("HOME", "/home/test", 1) < 0)
		return -1;
	(void)unsetenv("XDG_CONFIG_HOME");
	(void)unsetenv("XDG_STATE_HOME");
	(void)unsetenv("CREDENTIALS_DIRECTORY");
	(void)snprintf(path, sizeof(path), "%s/x.conf", dir);
	return 0;
}

static inline int drop_home(void **state)
{
	(void)state;
	return file_remove_tree(dir, true, NULL);
}

static inline void write_file(const char *text)
{
	struct err err;

	assert_int_equal(file_replace(path, span_str(text), 0600, &err), 0);
}

static inline void load_good(const char *text, struct settings *settings)
{
	struct err err = { 0 };

	write_file(text);
	if (settings_load(path, settings, &err) < 0)
		fail_msg("%s", err.text);
}

static inline void load_bad(const char *text, int line, const char *says)
{
	struct settings settings = { .jobs = 77 };
	struct err err = { 0 };
	char start[80];

	write_file(text);
	if (settings_load(path, &settings, &err) == 0)
		fail_msg("was loaded: %s", text);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_int_equal(settings.jobs, 77);
	(void)snprintf(start, sizeof(start), line > 0 ? "%s:%d: " : "%s: ", path, line);
	if (strncmp(err.text, start, strlen(start)) != 0 || !strstr(err.text, says))
		fail_msg("expected %s...%s, got %s", start, says, err.text);
}

/* A file that is refused, and how. */
struct wrong {
	const char *text;
	int line;
	const char *says;
};

static inline void load_wrong(const struct wrong *cases, size_t count)
{
	for (size_t i = 0; i < count; i++)
		load_bad(cases[i].text, cases[i].line, cases[i].says);
}

#define LOAD_WRONG(cases) load_wrong(cases, sizeof(cases) / sizeof((cases)[0]))

#define ACCOUNT(inside) "\naccount a {\n" SOURCE DELIVER PASSWORD "\n" inside "\n}\n"

#endif
