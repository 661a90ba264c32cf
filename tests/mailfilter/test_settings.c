/* SPDX-License-Identifier: ISC */
#include "tests/mailfilter/settings_file.h"

#include <sys/stat.h>
#include <unistd.h>

#define KEY       "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define OTHER_KEY "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"

static void everything_has_its_preset(void **state)
{
	DEFER(settings_free) struct settings settings = { 0 };
	const struct account_settings *account;

	(void)state;
	load_good("account a {\n" SOURCE DELIVER PASSWORD "}\n", &settings);
	assert_string_equal(settings.path, path);
	assert_int_equal(settings.scanners.count, 1);
	assert_string_equal(
		settings.scanners.items[0], "ipc:///run/mailfilter-scanner/scanner.sock");
	assert_int_equal(settings.jobs, 5);
	assert_int_equal(settings.interval_ms, 300000);
	assert_int_equal(settings.scan, SCAN_SUSPICIOUS);
	assert_int_equal(settings.scan_timeout_ms, 120000);
	assert_int_equal(settings.scanner_wait_ms, 10000);
	assert_int_equal(settings.scanner_start_ms, 120000);
	assert_int_equal(settings.message_max, 50 << 20);
	assert_int_equal(settings.accounts.count, 1);
	account = settings_account(&settings, 0);
	assert_string_equal(account->name, "a");
	assert_int_equal(account->line, 1);
	assert_int_equal(account->kind, SOURCE_IMAPS);
	assert_string_equal(account->user, "u");
	assert_string_equal(account->host, "h");
	assert_int_equal(account->port, 993);
	assert_int_equal(account->folders.count, 1);
	assert_string_equal(account->folders.items[0], "INBOX");
	assert_string_equal(account->deliver_path, "/m");
	assert_int_equal(account->auth, AUTH_PLAIN);
	assert_int_equal(account->tls, TLS_VERIFY);
	assert_null(account->tls_ca);
	assert_int_equal(account->after_kind, AFTER_KEEP);
	assert_null(account->after_folder);
	assert_int_equal(account->since_kind, SINCE_ALL);
	assert_int_equal(account->on_infected, POLICY_CLEAN);
	assert_int_equal(account->on_unscannable, POLICY_QUARANTINE);
	assert_int_equal(account->on_reason[REASON_ENCRYPTED], POLICY_TAG);
	for (unsigned i = REASON_UNSUPPORTED; i < VERDICT_REASONS; i++)
		assert_int_equal(account->on_reason[i], POLICY_QUARANTINE);
	assert_int_equal(account->scan, SCAN_SUSPICIOUS);
	assert_int_equal(account->message_max, 50 << 20);
	assert_int_equal(account->timeout_ms, 60000);
}

static void check_second(const struct account_settings *account)
{
	assert_int_equal(account->kind, SOURCE_POP3);
	assert_int_equal(account->tls, TLS_NONE);
	assert_int_equal(account->folders.count, 0);
	assert_string_equal(account->password, "a${x}\"");
	assert_string_equal(account->deliver_path, "/home/test/M");
	assert_int_equal(account->after_kind, AFTER_DELETE);
	assert_int_equal(account->since_kind, SINCE_NOW);
	assert_int_equal(account->interval_ms, 10000);
	assert_int_equal(account->rate, 0);
	assert_int_equal(account->scan, SCAN_ALL);
	assert_int_equal(account->message_max, 1 << 30);
}

static void everything_can_be_set(void **state)
{
	DEFER(settings_free) struct settings settings = { 0 };
	const struct account_settings *account;

	(void)state;
	load_good(
		"state-dir = \"/s\" scanners = { \"tcp://127.0.0.1:99\", \"ipc:///x\" }\n"
		"jobs = 300 interval = 10s scan = all scan-timeout = 1m\n"
		"scanner-wait = 0s scanner-start = 1h message-max = 1G\n"
		"account a.b-C_9 {\n"
		"source = \"imap://a@b@[::1]:1143\" folders = { \"inbox\", \"A/B\" }\n"
		"password-command = { \"pass\", \"mail/a\" } auth = login\n"
		"tls-ca = \"/ca\" deliver = \"maildir:/m/x y\" after = \"move:Done/x\"\n"
		"since = 90 on-infected = tag on-unscannable = hold\n"
		"on-encrypted = quarantine on-limit = tag on-error = quarantine\n"
		"scan = suspicious message-max = 1K timeout = 100ms interval = 1h\n"
		"rate = 1K }\n"
		"account b { source = \"pop3://u@h\" tls = none password = 'a${x}\"'\n"
		"deliver = \"maildir:~/M\" after = delete since = now }\n",
		&settings);
	assert_string_equal(settings.state_dir, "/s");
	assert_int_equal(settings.scanners.count, 2);
	assert_int_equal(settings.scanner_wait_ms, 0);
	account = settings_account(&settings, 0);
	assert_string_equal(account->name, "a.b-C_9");
	assert_int_equal(account->kind, SOURCE_IMAP);
	assert_string_equal(account->user, "a@b");
	assert_string_equal(account->host, "::1");
	assert_int_equal(account->port, 1143);
	assert_string_equal(account->folders.items[0], "INBOX");
	assert_string_equal(account->folders.items[1], "A/B");
	assert_int_equal(account->password_command.count, 2);
	assert_int_equal(account->auth, AUTH_LOGIN);
	assert_string_equal(account->tls_ca, "/ca");
	assert_string_equal(account->deliver_path, "/m/x y");
	assert_int_equal(account->after_kind, AFTER_MOVE);
	assert_string_equal(account->after_folder, "Done/x");
	assert_int_equal(account->since_kind, SINCE_DAYS);
	assert_int_equal(account->since_days, 90);
	assert_int_equal(account->interval_ms, 3600000);
	assert_int_equal(account->rate, 1024);
	assert_int_equal(account->on_infected, POLICY_TAG);
	assert_int_equal(account->on_unscannable, POLICY_HOLD);
	assert_int_equal(account->on_reason[REASON_ENCRYPTED], POLICY_QUARANTINE);
	assert_int_equal(account->on_reason[REASON_LIMIT], POLICY_TAG);
	assert_int_equal(account->on_reason[REASON_ERROR], POLICY_QUARANTINE);
	assert_int_equal(account->on_reason[REASON_CRASH], POLICY_HOLD);
	assert_int_equal(account->on_reason[REASON_MALFORMED], POLICY_HOLD);
	assert_int_equal(account->scan, SCAN_SUSPICIOUS);
	assert_int_equal(account->message_max, 1024);
	assert_int_equal(account->timeout_ms, 100);
	check_second(settings_account(&settings, 1));
}

static void scanners_on_other_hosts_have_their_keys(void **state)
{
	DEFER(settings_free) struct settings settings = { 0 };
	struct err err = { 0 };

	(void)state;
	load_good("scanners = { \"tcp://scan.example.org:4310 " KEY "\", \"ipc:///x\",\n"
		  "\"tcp://[2001:db8::1]:4310 " OTHER_KEY "\" }\ncurve-key = \"~/k\"\n",
		&settings);
	assert_int_equal(settings.scanners.count, 3);
	assert_string_equal(
		settings.scanners.items[0], "tcp://scan.example.org:4310 " KEY);
	assert_string_equal(settings.curve_key, "/home/test/k");
	assert_int_equal(settings_check_scanners(&settings, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_non_null(strstr(err.text, "curve-key: "));
	assert_non_null(strstr(err.text, "/home/test/k"));
}

static const struct wrong wrong_files[] = {
	{ "jobs = 0", 1, "from 1 to 300" },
	{ "jobs = 301", 1, "from 1 to 300" },
	{ "interval = 9s", 1, "from 10s to 1d" },
	{ "interval = 25h", 1, "from 10s to 1d" },
	{ "message-max = 1", 1, "from 1K to 1G, such as 50M" },
	{ "scan = none", 1, "expected suspicious or all" },
	{ "scan-timeout = 0s", 1, "from 100ms to 1h" },
	{ "state-dir = \"x\"", 1, "expected a whole path" },
	{ "scanners = {}", 1, "at least 1" },
	{ "\nscanners = { \"tcp://0.0.0.0:9\" }", 2, "tcp://0.0.0.0:9" },
	{ "scanners = { \"x\" }", 1, "expected" },
	{ "\nscanners = { \"ipc:///a\", \"ipc:///a\" }", 2, "stands there twice" },
	{ "scanners = { \"tcp://a.example:1 " KEY "\",\n\"tcp://a.example:1 " OTHER_KEY
	  "\" }\n"
	  "curve-key = \"/k\"",
		1, "stands there twice" },
	{ "scanners = { \"tcp://a.example:1 " KEY "\" }", 1, "expected curve-key" },
	{ "scanners = { \"tcp://a.example:1 " KEY "x\" }", 1, "expected a key" },
	{ "scanners = { \"tcp://a.example:1 x\" }", 1, "expected a key" },
	{ "scanners = { \"tcp://a.example:1\" }", 1, "curve-key" },
	{ "scanners = { \"ipc:///a " KEY "\" }", 1, "expected no key" },
	{ "scanners = { \"tcp://a b:1 " KEY "\" }", 1, "expected" },
	{ "curve-key = \"k\"", 1, "whole path" },
};

static void what_is_wrong_is_refused_with_its_line(void **state)
{
	(void)state;
	LOAD_WRONG(wrong_files);
}

static void a_plain_password_wants_a_file_of_its_owner(void **state)
{
	static const mode_t open_modes[] = { 0640, 0604, 0644, 0620, 0610, 0666 };
	DEFER(settings_free) struct settings settings = { 0 };
	struct err err;

	(void)state;
	write_file("account a {\n" SOURCE DELIVER "\npassword = \"hunter2\" }");
	for (size_t i = 0; i < sizeof(open_modes) / sizeof(open_modes[0]); i++) {
		assert_int_equal(chmod(path, open_modes[i]), 0);
		assert_int_equal(settings_load(path, &settings, &err), -1);
		assert_int_equal(err.kind, ERR_SETTINGS);
		assert_non_null(strstr(err.text, ".conf:3: password: others may read"));
		assert_non_null(strstr(err.text, "chmod 600 "));
		assert_null(strstr(err.text, "hunter2"));
	}
	assert_int_equal(chmod(path, 0400), 0);
	assert_int_equal(settings_load(path, &settings, &err), 0);
	settings_free(&settings);
	write_file("account a {\n" SOURCE DELIVER PASSWORD "}");
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(settings_load(path, &settings, &err), 0);
}

static void a_fetch_needs_accounts_with_passwords(void **state)
{
	DEFER(settings_free) struct settings settings = { 0 };
	char credential[80];
	struct err err = { 0 };

	(void)state;
	load_good("", &settings);
	assert_int_equal(settings_check_accounts(&settings, &err), -1);
	assert_non_null(strstr(err.text, ".conf: no account: expected a section"));
	settings_free(&settings);
	load_good("\naccount a {" SOURCE DELIVER "}", &settings);
	assert_int_equal(settings_check_accounts(&settings, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_non_null(strstr(err.text, ".conf:2: account a has no password: expected"));
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	(void)snprintf(credential, sizeof(credential), "%s/mailfilter.a", dir);
	assert_int_equal(file_replace(credential, span_str("x"), 0600, &err), 0);
	assert_int_equal(settings_check_accounts(&settings, &err), 0);
	load_bad(ACCOUNT(""), 3, "gives the credential mailfilter.a too");
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	settings_free(&settings);
	load_good(ACCOUNT(""), &settings);
	assert_int_equal(settings_check_accounts(&settings, &err), 0);
}

static void no_file_at_all_gives_the_presets_and_no_account(void **state)
{
	DEFER(settings_free) struct settings settings = { 0 };
	uid_t uid = geteuid();
	struct err err = { 0 };
	int result;

	(void)state;
	if (access("/etc/mailfilter/mailfilter.conf", F_OK) == 0)
		skip();
	if (uid == 0)
		assert_int_equal(seteuid(65534), 0);
	result = settings_load(NULL, &settings, &err);
	if (uid == 0)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(result, 0);
	assert_null(settings.path);
	assert_int_equal(settings.jobs, 5);
	assert_string_equal(settings.state_dir, "/home/test/.local/state/mailfilter");
	assert_int_equal(settings_check_accounts(&settings, &err), -1);
	assert_non_null(
		strstr(err.text, "/etc/mailfilter/mailfilter.conf: no such file"));
}

static void a_named_file_that_is_missing_is_refused(void **state)
{
	struct settings settings = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(settings_load("/nonexistent", &settings, &err), -1);
	assert_int_equal(err.kind, ERR_SETTINGS);
	assert_non_null(strstr(err.text, "/nonexistent: no such file"));
	settings_free(&settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_has_its_preset),
		cmocka_unit_test(everything_can_be_set),
		cmocka_unit_test(scanners_on_other_hosts_have_their_keys),
		cmocka_unit_test(what_is_wrong_is_refused_with_its_line),
		cmocka_unit_test(a_plain_password_wants_a_file_of_its_owner),
		cmocka_unit_test(a_fetch_needs_accounts_with_passwords),
		cmocka_unit_test(no_file_at_all_gives_the_presets_and_no_account),
		cmocka_unit_test(a_named_file_that_is_missing_is_refused),
	};

	return cmocka_run_group_tests(tests, make_home, drop_home);
}
