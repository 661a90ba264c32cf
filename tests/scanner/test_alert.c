/* SPDX-License-Identifier: ISC */
#include "tests/scanner/checked.h"

#include <sys/socket.h>

#include "common/clock.h"

#include "scanner/alert.h"

static const struct checks_entry about = { "space", NOW,
	{ CHECK_WARNING, "3 \"MB\" are $(left)" } };

/* The command of an alert: what is in script, for the shell. */
static char script[3 * CHECKED_PATH];
static char *command[] = { (char[]){ "/bin/sh" }, (char[]){ "-c" }, script };
static const struct schema_list list = { command, 3 };

static void an_alert_has_its_sentence_and_no_shell(void **state)
{
	struct checked at;
	auto_buf struct buf out;
	struct err err = { 0 };
	char path[CHECKED_PATH];
	const char *text;

	(void)state;
	checked_start(&at);
	buf_init(&out, 4096);
	(void)snprintf(script, sizeof(script),
		"{ cat; echo \"$CHECK_NAME|$CHECK_LEVEL|$CHECK_TEXT|$NOTIFY_SOCKET|\"; } "
		">%s",
		in_folder(&at, "out", path));
	assert_int_equal(setenv("NOTIFY_SOCKET", "/secret", 1), 0);
	assert_int_equal(alert_run(&list, &about, 20, -1, &err), 0);
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	assert_int_equal(file_read(path, 4096, &out, NULL), 0);
	assert_int_equal(buf_text(&out, &text, NULL), 0);
	assert_string_equal(text, "space: warning: 3 \"MB\" are $(left)\n"
				  "space|warning|3 \"MB\" are $(left)||\n");
	checked_stop(&at);
}

static void an_alert_that_fails_says_how(void **state)
{
	static const struct {
		const char *script;
		const char *says;
	} cases[] = { { "exit 3", "exit code 3" }, { "kill -9 $$", "signal 9" },
		{ "sleep 60", "not done in 1 seconds: killed" },
		{ "trap '' TERM HUP; sleep 60 & sleep 60", "not done in 1 seconds" } };
	char none[] = "/no/such/program";
	const struct schema_list absent = { (char *[]){ none }, 1 };
	struct err err = { 0 };
	int64_t from;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		from = clock_ms();
		(void)snprintf(script, sizeof(script), "%s", cases[i].script);
		assert_int_equal(alert_run(&list, &about, 1, -1, &err), -1);
		assert_non_null(strstr(err.text, cases[i].says));
		assert_true(clock_ms() - from < 20000);
	}
	assert_int_equal(alert_run(&absent, &about, 1, -1, &err), -1);
	assert_non_null(strstr(err.text, "No such file"));
}

/* The scanner stops: the command has a moment more, and nothing of it is left. */
static void an_alert_ends_with_the_scanner(void **state)
{
	char pid_file[CHECKED_PATH];
	struct checked at;
	struct err err = { 0 };
	int64_t from = clock_ms();
	int ends[2];

	(void)state;
	checked_start(&at);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	(void)close(ends[1]);
	(void)snprintf(script, sizeof(script), "exec sleep 0.2");
	assert_int_equal(alert_run(&list, &about, 60, ends[0], &err), 0);
	/* A child that stays longer than its parent goes as well. */
	(void)snprintf(script, sizeof(script), "sleep 600 & echo $! >%s; wait",
		in_folder(&at, "pid", pid_file));
	assert_int_equal(alert_run(&list, &about, 60, ends[0], &err), -1);
	assert_non_null(strstr(err.text, "not done in 3 seconds: killed"));
	assert_true(clock_ms() - from < 30000);
	/* Dead, if nobody has buried it yet. */
	(void)snprintf(script, sizeof(script),
		"i=0; while grep -qs '^State:.[^ZX]' /proc/$(cat %s)/status && [ $i -lt 100 "
		"]; do sleep 0.05; i=$((i+1)); done; [ $i -lt 100 ]",
		pid_file);
	assert_int_equal(alert_run(&list, &about, 60, -1, &err), 0);
	(void)close(ends[0]);
	checked_stop(&at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_alert_has_its_sentence_and_no_shell),
		cmocka_unit_test(an_alert_that_fails_says_how),
		cmocka_unit_test(an_alert_ends_with_the_scanner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
