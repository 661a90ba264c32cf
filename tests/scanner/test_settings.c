/* SPDX-License-Identifier: ISC */
#include "tests/test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"

#include "scanner/settings.h"

static char dir[] = "/tmp/test_settings.XXXXXX";
static char path[64];

static void write_file(const char *text)
{
	struct err err;

	assert_int_equal(file_replace(path, span_str(text), 0644, &err), 0);
}

static void check_presets(const struct settings *settings)
{
	assert_int_equal(settings->listen.count, 1);
	assert_string_equal(
		settings->listen.items[0], "ipc:///run/mailfilter-scanner/scanner.sock");
	assert_int_equal(settings->signatures.count, 1);
	assert_string_equal(settings->signatures.items[0], "/var/lib/clamav");
	assert_int_equal(settings->signatures_check_ms, 60000);
	assert_int_equal(settings->reload, RELOAD_AUTO);
	assert_int_equal(settings->cache, 65536);
	assert_int_equal(settings->workers, 0);
	assert_string_equal(settings->temp_dir, "/run/mailfilter-scanner/tmp");
	assert_int_equal(settings->message_max, 50 << 20);
	assert_int_equal(settings->scan_timeout_ms, 60000);
	assert_int_equal(settings->worker_jobs, 500);
	assert_int_equal(settings->queue, 64);
	assert_int_equal(settings->scan_size_max, 400 << 20);
	assert_int_equal(settings->file_size_max, 100 << 20);
	assert_int_equal(settings->files_max, 10000);
	assert_int_equal(settings->recursion_max, 17);
	assert_int_equal(settings->heuristics, 0);
	assert_int_equal(settings->check_interval_ms, 600000);
	assert_int_equal(settings->check_limits.count, 0);
	assert_string_equal(settings->freshclam_log, "/var/log/clamav/freshclam.log");
	assert_int_equal(settings->on_alert.count, 0);
	assert_int_equal(settings->sweep.count, 0);
	assert_int_equal(settings->sweep_cross, 0);
	assert_int_equal(settings->sweep_rate, 0);
	assert_int_equal(settings->sweep_file_max, 100 << 20);
	assert_int_equal(settings->sweep_interval_ms, 24 * 3600 * 1000);
	assert_int_equal(settings->sweep_rest_ms, 3600 * 1000);
	assert_string_equal(settings->sweep_state, "/var/lib/mailfilter-scanner/sweep");
	assert_null(settings->sweep_quarantine);
}

static void an_empty_file_gives_the_presets(void **state)
{
	DEFER(settings_free) struct settings settings = { 0 };
	struct err err;

	(void)state;
	write_file("");
	assert_int_equal(settings_load(path, &settings, &err), 0);
	assert_string_equal(settings.path, path);
	check_presets(&settings);
}

static void no_file_gives_the_presets(void **state)
{
	DEFER(settings_free) struct settings settings = { 0 };
	struct err err;

	(void)state;
	if (access("/etc/mailfilter/scanner.conf", F_OK) == 0)
		skip();
	assert_int_equal(settings_load(NULL, &settings, &err), 0);
	assert_null(settings.path);
	check_presets(&settings);
}

static void everything_can_be_set(void **state)
{
	DEFER(settings_free) struct settings settings = { 0 };
	struct err err;

	(void)state;
	write_file(
		"listen = { \"ipc:///a\", \"tcp://[::1]:7\" } signatures = { test, \"/b\" }\n"
		"workers = 256 temp-dir = \"/c\" message-max = 1G scan-timeout = 100ms\n"
		"worker-jobs = 1 queue = 10000 scan-size-max = 64G file-size-max = 2047M\n"
		"files-max = 1 recursion-max = 100 heuristics = tag\n"
		"signatures-check = 1s reload = serial cache = 16777216\n"
		"check-interval = 1d check-limits = { \"queue-age off\" }\n"
		"freshclam-log = \"/l\" on-alert = { \"/p\", \"a b\" }\n");
	if (settings_load(path, &settings, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(settings.listen.count, 2);
	assert_string_equal(settings.signatures.items[0], "test");
	assert_string_equal(settings.signatures.items[1], "/b");
	assert_int_equal(settings.workers, 256);
	assert_string_equal(settings.temp_dir, "/c");
	assert_int_equal(settings.message_max, 1 << 30);
	assert_int_equal(settings.scan_timeout_ms, 100);
	assert_int_equal(settings.worker_jobs, 1);
	assert_int_equal(settings.queue, 10000);
	assert_true(settings.scan_size_max == 64ULL << 30);
	assert_true(settings.file_size_max == 2047ULL << 20);
	assert_int_equal(settings.files_max, 1);
	assert_int_equal(settings.recursion_max, 100);
	assert_int_equal(settings.heuristics, 1);
	assert_int_equal(settings.signatures_check_ms, 1000);
	assert_int_equal(settings.reload, RELOAD_SERIAL);
	assert_int_equal(settings.cache, 16777216);
	assert_int_equal(settings.check_interval_ms, 24 * 3600 * 1000);
	assert_string_equal(settings.check_limits.items[0], "queue-age off");
	assert_string_equal(settings.freshclam_log, "/l");
	assert_string_equal(settings.on_alert.items[1], "a b");
}

#define KEY "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define ALL "\nlisten = { \"tcp://0.0.0.0:7\" }\n"

static void with_keys_it_listens_at_any_address(void **state)
{
	DEFER(settings_free) struct settings settings = { 0 };
	struct err err;

	(void)state;
	write_file("listen = { \"ipc:///a\", \"tcp://192.0.2.1:7\", \"tcp://[::]:7\" }\n"
		   "curve-key = \"/k\" clients = { \"" KEY " alice's host\" }\n");
	if (settings_load(path, &settings, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(settings.curve_key, "/k");
	assert_int_equal(settings.clients.count, 1);
	assert_string_equal(settings.clients.items[0], KEY " alice's host");
}

static const struct {
	const char *text;
	int line;
	const char *says;
} cases[] = {
	{ "\nscanners = { \"ipc:///a\" }", 2, "no such option 'scanners': expected one" },
	{ "listen = {}", 1, "at least 1" },
	{ "listen = { \"tcp://0.0.0.0:7\" }", 1, "tcp://0.0.0.0:7" },
	{ "listen = { \"ipc:///a\", \"ipc:///a\" }", 1, "twice" },
	{ ALL, 2, "curve-key and clients" },
	{ ALL "clients = { \"" KEY " a\" }", 2, "curve-key" },
	{ ALL "curve-key = \"/k\"", 2, "nobody may connect" },
	{ ALL "curve-key = \"/k\" clients = {}", 2, "nobody may connect" },
	{ ALL "curve-key = \"/k\" clients = { \"" KEY "\" }", 3, "a name" },
	{ ALL "curve-key = \"/k\" clients = { \"alice\" }", 3, "a key of 40" },
	{ ALL "curve-key = \"/k\" clients = { \"" KEY " a\", \"" KEY " a\" }", 3,
		"twice" },
	{ ALL "curve-key = \"k\"", 3, "whole path" },
	{ "listen = { \"tcp://scan.example.org:7\" }", 1, "an address" },
	{ "listen = { \"ipc:///a\" }\nclients = { \"" KEY " a\" }", 2, "keygen" },
	{ "signatures = {}", 1, "at least 1" },
	{ "signatures = { \"db\" }", 1, "expected the whole path" },
	{ "signatures = { test, test }", 1, "twice" },
	{ "workers = 257", 1, "from 0 to 256" },
	{ "sweep = { \"home\" }", 1, "the whole path of a directory" },
	{ "sweep = { \"/home\", \"/home\" }", 1, "twice" },
	{ "sweep-exclude = { \"[a\" }", 1, "expected" },
	{ "sweep-interval = 500ms", 1, "1s" },
	{ "sweep-quarantine = \"kept\"", 1, "path" },
	{ "sweep-state = \"/s\"\nsweep-quarantine = \"/s\"", 2, "a folder of its own" },
	{ "temp-dir = \"/s\"\nsweep-quarantine = \"/s/\"", 2, "a folder of its own" },
	{ "temp-dir = \"tmp\"", 1, "expected the whole path" },
	{ "temp-dir = \"/\"", 1, "expected the whole path" },
	{ "message-max = 2G", 1, "from 1K to 1G, such as 50M" },
	{ "scan-timeout = 0s", 1, "from 100ms to 1h, such as 60s" },
	{ "worker-jobs = 0", 1, "from 1 to 1000000" },
	{ "queue = 0", 1, "from 1 to 10000" },
	{ "scan-size-max = 65G", 1, "from 1K to 64G" },
	{ "file-size-max = 2G", 1, "from 1K to 2047M" },
	{ "files-max = 0", 1, "from 1 to 1000000" },
	{ "signatures-check = 999ms", 1, "from 1s to 1d" },
	{ "signatures-check = 25h", 1, "from 1s to 1d" },
	{ "reload = never", 1, "concurrent" },
	{ "cache = 16777217", 1, "from 0 to 16777216" },
	{ "recursion-max = 101", 1, "from 1 to 100" },
	{ "check-interval = 999ms", 1, "from 1s to 1d" },
	{ "check-limits = { \"queue 1m 2m\" }", 1, "expected a limit such as" },
	{ "check-limits = { \"queue-age 2m 1m\" }", 1, "before what is critical" },
	{ "check-limits = { \"temp-left 1M 2M\" }", 1, "before what is critical" },
	{ "check-limits = { \"queue-age 1m\" }", 1, "two limits" },
	{ "check-limits = { \"queue-age 1m 2m 3m\" }", 1, "two limits" },
	{ "check-limits = { \"unscannable 5 9\" }", 1, "a share such as 10%" },
	{ "check-limits = { \"unscannable 5% 101%\" }", 1, "from 0 to 100" },
	{ "freshclam-log = \"log\"", 1, "whole path" },
	{ "on-alert = { \"mail\", \"root\" }", 0, "whole path of a program" },
	{ "heuristics = cut", 1, "expected off or tag" },
	{ "# a\n# b\nqueue = 5\nqueue = 5", 4, "second time" },
};

static void what_is_wrong_is_refused_with_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct settings settings = { .queue = 77 };
		struct err err = { 0 };
		char start[80];
		write_file(cases[i].text);
		assert_int_equal(settings_load(path, &settings, &err), -1);
		assert_int_equal(err.kind, ERR_SETTINGS);
		assert_int_equal(settings.queue, 77);
		(void)snprintf(start, sizeof(start),
			cases[i].line > 0 ? "%s:%d: " : "%s: ", path, cases[i].line);
		if (strncmp(err.text, start, strlen(start)) != 0 ||
			!strstr(err.text, cases[i].says))
			fail_msg("expected %s...%s, got %s", start, cases[i].says,
				err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_file_gives_the_presets),
		cmocka_unit_test(no_file_gives_the_presets),
		cmocka_unit_test(everything_can_be_set),
		cmocka_unit_test(with_keys_it_listens_at_any_address),
		cmocka_unit_test(what_is_wrong_is_refused_with_its_line),
	};
	int failed;

	/* No settings of the user who runs this. */
	if (!mkdtemp(dir) || setenv("XDG_CONFIG_HOME", dir, 1) < 0)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/x.conf", dir);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	return file_remove_tree(dir, true, NULL) < 0 ? 1 : failed;
}
